"""How a term ends that nobody took over: what is under way is waited for, while all that proves the term goes on. For either driver."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any


async def until_drained(run: Callable[[], Coroutine[Any, Any, None]], drain: Callable[[], Awaitable[None]]) -> None:
    """Run something until it ends by itself; cancelled, let it drain first, and cancel it then. A second cancellation waits for nothing.

    Args:
        run: what runs until it is cancelled.
        drain: waits for what is under way, which ends too when what runs does.
    """
    running = asyncio.ensure_future(run())
    try:
        await asyncio.wait({running})
    except asyncio.CancelledError:
        await drain()
        raise
    finally:
        running.cancel()
        await asyncio.wait({running})
        if not running.cancelled():
            running.result()
