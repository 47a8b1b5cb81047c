"""The timers of a controller without a cluster: one a name, at a place of its own in the interval, and none for what has gone."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.reconcile.places import place
from tinyforge.standalone.timers import Timers

NAMES = [f"host-{number}" for number in range(1000)]


class Ticks:
    """What ticked, how often, and what is in the middle of a tick."""

    def __init__(self) -> None:
        self.count = Counter[str]()
        self.under_way = Counter[str]()
        self.does: Callable[[str], Awaitable[object]] = lambda _: asyncio.sleep(0)
        self._ticked = asyncio.Condition()

    async def tick(self, name: str) -> None:
        self.under_way[name] += 1
        async with self._ticked:
            self.count[name] += 1
            self._ticked.notify_all()
        try:
            await self.does(name)
        finally:
            self.under_way[name] -= 1

    async def until(self, true: Callable[[], bool]) -> None:
        async with asyncio.timeout(5), self._ticked:
            await self._ticked.wait_for(true)

    @asynccontextmanager
    async def timed(self, *names: str, interval: float = 0.001) -> AsyncIterator[Timers]:
        """Timers for the length of a block."""
        async with asyncio.TaskGroup() as group:
            timers = Timers(self.tick, interval=interval, group=group)
            timers.keep(names)
            yield timers
            timers.keep([])


@pytest.fixture
async def ticks() -> Ticks:
    return Ticks()


async def test_every_name_ticks_again_and_again(ticks: Ticks) -> None:
    async with ticks.timed("a", "b", "c"):
        await ticks.until(lambda: min(ticks.count[name] for name in "abc") >= 3)


async def test_a_name_that_has_gone_ticks_no_more_and_its_tick_is_cancelled(ticks: Ticks) -> None:
    ticks.does = lambda _: asyncio.sleep(3600)
    async with ticks.timed("a", "b") as timers:
        await ticks.until(lambda: ticks.under_way.total() == 2)
        timers.keep(["b"])
        await asyncio.sleep(0)
        assert +ticks.under_way == {"b": 1}
        assert len(timers._tasks) == 1


async def test_a_name_that_stays_keeps_its_timer_and_one_that_comes_back_gets_a_new_one(ticks: Ticks) -> None:
    ticks.does = lambda _: asyncio.sleep(3600)
    async with ticks.timed("a") as timers:
        await ticks.until(lambda: ticks.count["a"] == 1)
        timers.keep(["a", "b"])
        await ticks.until(lambda: ticks.count["b"] == 1)
        assert ticks.count["a"] == 1
        timers.keep(["b"])
        timers.keep(["a", "b"])
        await ticks.until(lambda: ticks.count["a"] == 2)
        assert ticks.under_way == {"a": 1, "b": 1}


async def test_p6_a_tick_that_hangs_delays_no_other_name_and_never_overlaps_with_its_next(ticks: Ticks) -> None:
    ticks.does = lambda name: asyncio.sleep(3600 if name == "hung" else 0)
    async with ticks.timed("hung", "a"):
        await ticks.until(lambda: ticks.count["a"] >= 10)
        assert ticks.count["hung"] <= 1


async def test_an_error_of_a_tick_ends_the_group(ticks: Ticks) -> None:
    async def failing(_: str) -> None:
        raise ValueError("no such thing")

    ticks.does = failing
    with pytest.RaisesGroup(ValueError):
        async with ticks.timed("a"):
            await asyncio.sleep(3600)


async def test_nothing_ticks_before_its_place_in_the_interval(ticks: Ticks) -> None:
    late = max(NAMES, key=place)
    async with ticks.timed(late, interval=3600):
        await asyncio.sleep(0.01)
        assert ticks.count.total() == 0


@given(st.text())
def test_a_place_is_in_the_interval_and_always_the_same(name: str) -> None:
    assert 0 <= place(name) < 1
    assert place(name) == place(name)


def test_places_are_spread_over_the_interval() -> None:
    tenths = Counter(int(place(name) * 10) for name in NAMES)
    assert sorted(tenths) == list(range(10))
    assert max(tenths.values()) < 200
