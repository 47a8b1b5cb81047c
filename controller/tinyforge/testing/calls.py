"""Calls to a plugin, as Tinyforge makes them: awaited, for a limited time, and cancelled.

Each runs in an event loop and a thread of its own. So no plugin of pytest is needed, and a plugin that never gives way fails its test
rather than holding up all of them.
"""

import asyncio
import copy
import threading
from collections.abc import Callable, Coroutine
from concurrent import futures
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, TypeVar

from tinyforge.plugin import Seen
from tinyforge.testing.demands import demand

T = TypeVar("T")

_LONGEST_BLOCK = 2.0
_TICK = 0.01
_GRACE = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One thing to ask a plugin: its method, what it is given beside what is seen, and the types that its answer may have."""

    name: str
    method: Callable[..., Coroutine[Any, Any, object]]
    given: tuple[object, ...] = ()
    answers: tuple[type, ...]

    def ask(self, seen: Seen[Any], *, seconds: float) -> object:
        """Return the answer.

        Raises:
            AssertionError: it took more than so many seconds, or let nobody else run for more than 2, or raised.
        """
        return _in_thread(lambda: self._answer(seen, seconds), seconds + _GRACE, self.name)

    def cancel(self, seen: Seen[Any], *, steps: int, seconds: float) -> None:
        """Cancel the call after it has been resumed so many times, unless it has ended by then.

        Raises:
            AssertionError: it went on all the same.
        """
        _in_thread(lambda: self._cancelled(seen, steps, seconds), seconds + _GRACE, self.name)

    def demand_nothing_changed(self, seen: Seen[Any], *, seconds: float) -> None:
        """Ask, and compare what was given with a copy that was made before.

        Raises:
            AssertionError: it is not the same any more.
        """
        before = copy.deepcopy((seen, self.given))
        self.ask(seen, seconds=seconds)
        demand((seen, self.given) == before, f"{self.name} changed what it was given: work on a copy")

    async def _answer(self, seen: Seen[Any], seconds: float) -> object:
        block = asyncio.ensure_future(_longest_block())
        await asyncio.sleep(0)  # so that it has begun
        task = asyncio.ensure_future(self._contained(seen))
        await asyncio.wait({task}, timeout=seconds)
        block.cancel()
        demand(task.done(), f"{self.name} gave no answer within {seconds:g} s")
        longest = await block
        demand(longest < _LONGEST_BLOCK, f"{self.name} let nothing else run for {longest:.1f} s: await, or use a thread")
        return await task

    async def _cancelled(self, seen: Seen[Any], steps: int, seconds: float) -> None:
        task = asyncio.ensure_future(self._contained(seen))
        for _ in range(steps):
            await asyncio.sleep(0)
        if task.done():
            await asyncio.gather(task, return_exceptions=True)  # whatever it raised is another test's business
            return
        task.cancel()
        await asyncio.wait({task}, timeout=seconds)
        demand(task.done(), f"{self.name} goes on though it was cancelled: it has to end at once")
        await asyncio.gather(task, return_exceptions=True)
        demand(task.cancelled(), f"{self.name} swallows its cancellation: let asyncio.CancelledError pass")

    async def _contained(self, seen: Seen[Any]) -> object:
        """Ask, and let nothing out of the task that would end its loop."""
        try:
            return await self.method(seen, *self.given)
        except asyncio.CancelledError:
            raise
        except BaseException as error:
            raise AssertionError(f"{self.name} raised {type(error).__name__}: {error}") from error


async def _longest_block() -> float:
    """Return, when cancelled, for how many seconds at most nothing else could run."""
    loop = asyncio.get_running_loop()
    longest, before = 0.0, loop.time()
    try:
        while True:
            await asyncio.sleep(_TICK)
            longest, before = max(longest, loop.time() - before), loop.time()
    except asyncio.CancelledError:
        return max(longest, loop.time() - before)


def _in_thread(work: Callable[[], Coroutine[Any, Any, T]], seconds: float, name: str) -> T:
    ended = Future[T]()

    async def tell() -> None:
        try:
            ended.set_result(await work())
        except BaseException as error:  # noqa: BLE001 - told in the test's own thread, whatever it is
            ended.set_exception(error)

    threading.Thread(target=asyncio.run, args=(tell(),), name=name, daemon=True).start()
    futures.wait([ended], seconds)
    demand(ended.done(), f"{name} blocks the event loop, and cannot even be cancelled: await, or use a thread")
    return ended.result()
