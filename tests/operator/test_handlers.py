"""What kopf calls hands over to the main loop, and lets nothing go that did not come to its end there."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tinyforge.operator.bridge import Bridge, NotDone

SECONDS = 10


class Elsewhere:
    """Another event loop, in a thread of its own, as kopf's is."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def begin(self, work: Coroutine[Any, Any, None]) -> "Future[None]":
        """Begin something there; to be awaited by `asyncio.wrap_future`."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def do(self, work: Coroutine[Any, Any, None]) -> None:
        """Do something there, and wait for its end here."""
        await asyncio.wait_for(asyncio.wrap_future(self.begin(work)), SECONDS)


@asynccontextmanager
async def elsewhere() -> AsyncIterator[Elsewhere]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield Elsewhere(loop)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        await asyncio.to_thread(thread.join)
        loop.close()


async def test_work_runs_in_the_main_loop_and_whoever_hands_it_over_waits_for_its_end():
    done = []

    async def work() -> None:
        await asyncio.sleep(0)
        done.append(asyncio.get_running_loop())

    async with elsewhere() as other, asyncio.TaskGroup() as group:
        await other.do(Bridge(group=group).call(work))
    assert done == [asyncio.get_running_loop()]


async def test_what_is_told_arrives_in_its_order():
    heard: list[int] = []
    all_heard = asyncio.Event()

    async def tell(bridge: Bridge) -> None:
        for number in range(3):
            bridge.tell(heard.append, number)
        bridge.tell(all_heard.set)

    async with elsewhere() as other, asyncio.TaskGroup() as group:
        await other.do(tell(Bridge(group=group)))
        await asyncio.wait_for(all_heard.wait(), SECONDS)
    assert heard == [0, 1, 2]


async def test_whoever_gives_up_waiting_ends_the_work():
    begun, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with elsewhere() as other, asyncio.TaskGroup() as group:
        handed_over = other.begin(Bridge(group=group).call(work))
        await asyncio.wait_for(begun.wait(), SECONDS)
        handed_over.cancel()
        await asyncio.wait_for(ended.wait(), SECONDS)


async def test_an_error_ends_the_term_and_whoever_waits_is_told_that_it_is_not_done():
    async with elsewhere() as other:
        waiting: list[Future[None]] = []
        with pytest.raises(ExceptionGroup) as errors:
            await term_with_an_error(other, waiting)
        assert errors.group_contains(ValueError, match="the term is over")
        for each in waiting:
            with pytest.raises(NotDone):
                await asyncio.wait_for(asyncio.wrap_future(each), SECONDS)


async def term_with_an_error(other: Elsewhere, waiting: list["Future[None]"]) -> None:
    """Hand over something that takes for ever, something that fails, and something when all is over."""

    async def forever() -> None:
        await asyncio.Event().wait()

    async def fail() -> None:
        raise ValueError("the term is over")

    group = asyncio.TaskGroup()
    bridge = Bridge(group=group)
    try:
        async with group:
            waiting += [other.begin(bridge.call(forever)), other.begin(bridge.call(fail))]
            await forever()
    finally:
        waiting.append(other.begin(bridge.call(forever)))
