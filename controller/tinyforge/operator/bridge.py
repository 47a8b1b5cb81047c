"""The way from kopf's thread into the main event loop, where all use cases run.

kopf has a thread and a loop of its own (`kopf_thread`), so its handlers do nothing themselves: they hand over and wait.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class NotDone(Exception):
    """What was handed over did not come to its end: the term is over."""


class Bridge:
    """Runs work in the event loop that made it, within a group.

    Args:
        group: where the work runs: an error that ends the term ends it in there, and not in kopf, which would only try again.
    """

    def __init__(self, *, group: asyncio.TaskGroup) -> None:
        self._loop = asyncio.get_running_loop()
        self._group = group
        self._outlives_kopf = False

    async def call(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `work` in the main loop and wait for its end; cancelling this cancels it. To be called from another loop.

        Raises:
            NotDone: it ended, but not by itself.
        """
        await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(self._enter(work()), self._loop))

    def outlive_kopf(self) -> None:
        """Let go on from now on what was handed over, though kopf cancels whoever waits for it: kopf ends, the term does not yet."""
        self._outlives_kopf = True

    def tell(self, callback: Callable[..., object], *arguments: object) -> None:
        """Call `callback` in the main loop soon. To be called from another thread."""
        self._loop.call_soon_threadsafe(callback, *arguments)

    async def _enter(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            task = self._group.create_task(work)
        except RuntimeError as error:  # the group is ending
            work.close()
            raise NotDone("the term is over") from error
        try:
            await asyncio.wait({task})
        finally:
            if not self._outlives_kopf:
                task.cancel()
        if task.cancelled() or task.exception():
            raise NotDone("the term is over")
