"""What mutations are tried with: a clock that leaps, a validity that ends, and calls that do what a test wants.

The calls stand in for an engine's, because no real engine can be made to hang, to fail or to ignore its caller's end at a chosen moment.
PostgreSQL is real.

Fixtures: `site`, `deed` (a call that goes on until it is let go) and `stubborn` (which does so though it is cancelled).
"""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Collection, Sequence

import pytest

from tests.index.conftest import Sql
from tests.index.intents_of_terms import OPEN, Led
from tinyforge.domain.intents import Intent
from tinyforge.ports import EngineError
from tinyforge.reconcile.mutations import Mutations

MOMENT = 5.0
"""Seconds that a fraction of one may take on a busy machine."""
ENDS = "SELECT object, outcome, message FROM tinyforge.intents ORDER BY id"
STILL_OPEN = [("web", "", "")]
"""How `ENDS` tells of a change of web of which nobody knows how it ended."""


class Clock:
    """CLOCK_BOOTTIME, and what a test adds to it: so looks the sleep of a machine, during which the event loop's own clock stands still."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) + self.ahead


class Lasting:
    """A validity of so many seconds until a test says something else; `looks` counts how often it was asked for."""

    def __init__(self) -> None:
        self.seconds = math.inf
        self.looks = 0

    def valid(self) -> bool:
        return self.left() > 0

    def left(self) -> float:
        self.looks += 1
        return self.seconds


class Deed:
    """A call that begins and goes on until it is let go; then it fails, or answers what it has done.

    `saw_open` are the intents that were committed and open when it began. A stubborn one goes on when it is cancelled.
    """

    def __init__(self, sql: Sql, *, error: BaseException | None = None, stubborn: bool = False) -> None:
        self._sql = sql
        self.error = error
        self._stubborn = stubborn
        self.begun = asyncio.Event()
        self.let_go = asyncio.Event()
        self.ended = asyncio.Event()
        self.was_cancelled = False
        self.intent: Intent
        self.saw_open: list[int] = []

    async def __call__(self, intent: Intent) -> str:
        self.intent = intent
        self.saw_open = [id_ for (id_,) in self._sql(OPEN)]
        self.begun.set()
        try:
            await self._until_let_go()
        finally:
            self.ended.set()
        if self.error:
            raise self.error
        return f"did {intent.object}"

    async def _until_let_go(self) -> None:
        while not self.let_go.is_set():
            try:
                await self.let_go.wait()
            except asyncio.CancelledError:
                self.was_cancelled = True
                if not self._stubborn:
                    raise


class Sights:
    """A look at a host: how often it was looked at, and the effects that it shows."""

    def __init__(self) -> None:
        self.looks = 0
        self.shows: set[int] = set()
        self.error: EngineError | None = None
        self.hangs = False
        self.while_looking: Callable[[], object] = lambda: None

    async def __call__(self, host: str, intents: Sequence[Intent]) -> Collection[int]:
        assert {it.host for it in intents} == {host}
        self.looks += 1
        self.while_looking()
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        return self.shows


class Site:
    """The mutations of a term, and everything they go by."""

    def __init__(self, led: Led, *, steady: float = math.inf) -> None:
        self.led = led
        self.clock = Clock()
        self.validity = Lasting()
        self.sights = Sights()
        self.mutations = Mutations(intents=led.intents, validity=self.validity, steady=steady, now=self.clock, look=self.sights)

    async def perform(self, deed: Deed, name: str = "web", *, host: str = "local", seconds: float = 60.0) -> str:
        return await self.mutations.perform(host=host, object=name, action="create", seconds=seconds, call=deed)

    async def begun(self, deed: Deed, name: str = "web", *, host: str = "local", seconds: float = 60.0) -> "asyncio.Task[str]":
        """Begin a mutation and return once its call has begun."""
        task = asyncio.create_task(self.perform(deed, name, host=host, seconds=seconds))
        async with asyncio.timeout(MOMENT):
            await deed.begun.wait()
        return task


@pytest.fixture
def site(led: Led) -> Site:
    return Site(led)


@pytest.fixture
def deed(sql: Sql) -> Deed:
    """A call that goes on until it is let go."""
    return Deed(sql)


@pytest.fixture
async def stubborn(sql: Sql) -> AsyncIterator[Deed]:
    """A call that goes on until it is let go, though it is cancelled; at the end of the test if nobody has before."""
    stubborn = Deed(sql, stubborn=True)
    yield stubborn
    stubborn.let_go.set()


def quick_deed(sql: Sql, error: BaseException | None = None) -> Deed:
    """A call that ends at once."""
    deed = Deed(sql, error=error)
    deed.let_go.set()
    return deed
