"""Waiting for an event, for so long at most."""

import asyncio
from contextlib import suppress


async def told(event: asyncio.Event, *, within: float | None) -> None:
    """Return when the event is set, or after `within` seconds (None: however long it takes)."""
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await event.wait()


async def ended(*tasks: "asyncio.Task[object]") -> None:
    """Cancel tasks and wait for their end, whatever it is."""
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
