"""The timers of a controller without a cluster: one a host, one a workload, each at a place of its own in the interval.

What has to happen at once does so without them (`tinyforge.reconcile.leading`).
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from tinyforge.reconcile.places import place


class Timers:
    """Ticks for each of some names until it is among them no more.

    Args:
        tick: what a tick does; an error that it raises ends the group.
        interval: the seconds between the end of a tick and the next one.
        group: where the timers run.
    """

    def __init__(self, tick: Callable[[str], Awaitable[None]], *, interval: float, group: asyncio.TaskGroup) -> None:
        self._tick = tick
        self._interval = interval
        self._group = group
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def keep(self, names: Iterable[str]) -> None:
        """Have a timer for each of these names, and for no others."""
        wanted = set(names)
        for gone in self._tasks.keys() - wanted:
            self._tasks.pop(gone).cancel()
        for name in wanted - self._tasks.keys():
            self._tasks[name] = self._group.create_task(self._run(name), name=f"timer of {name}")

    async def _run(self, name: str) -> None:
        await asyncio.sleep(self._interval * place(name))
        while True:
            await self._tick(name)
            await asyncio.sleep(self._interval)
