"""A dispatch knows which attempt it is and when the next one is; what it says of that is what the timer then keeps to (rules D1, D3)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.reconcile.memory_workloads import ID, MemoryWorkloads, snapshot
from tinyforge.domain.dispatch import Attempt, DispatchOutcome, DispatchReason, DispatchReport
from tinyforge.domain.traces import Traceparent
from tinyforge.plugin import InboundEvent
from tinyforge.ports import WorkloadSnapshot
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.workload_turns import WorkloadTurns

INTERVAL = 30.0
TIMER, PASS = DispatchReason.TIMER, DispatchReason.PASS
EVENT = InboundEvent(id="request-7", kind="manual", sender="me@here")
UNCHANGED = DispatchReport(outcome=DispatchOutcome.UNCHANGED)
FIRST = Attempt()
BUSY = DispatchReport(outcome=DispatchOutcome.FAILED, reason="Busy", message="wait", retry_after=0.0)


class Clock:
    """The time of the turns, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Noting(Dispatcher):
    """A dispatcher that asks no plugin, but answers what it is told to and keeps which attempts it was told of."""

    def __init__(self, *reports: DispatchReport) -> None:
        self.reports = list(reports)
        self.attempts: list[Attempt] = []

    async def reconcile(self, snapshot: WorkloadSnapshot, reason: DispatchReason, attempt: Attempt = FIRST) -> DispatchReport:
        return self._next(attempt)

    async def deploy(self, snapshot: WorkloadSnapshot, event: InboundEvent, attempt: Attempt = FIRST) -> DispatchReport:
        return self._next(attempt)

    async def teardown(self, snapshot: WorkloadSnapshot, attempt: Attempt = FIRST) -> DispatchReport:
        return self._next(attempt)

    def _next(self, attempt: Attempt) -> DispatchReport:
        self.attempts.append(attempt)
        return self.reports.pop(0)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("tinyforge.reconcile.workload_turns.time", clock)
    return clock


@asynccontextmanager
async def turns(dispatcher: Noting) -> AsyncIterator[WorkloadTurns]:
    async with asyncio.TaskGroup() as group:
        index = MemoryWorkloads(snapshot())
        yield WorkloadTurns(index=index, dispatcher=dispatcher, interval=INTERVAL, group=group, assessed=lambda *_: None)


async def test_d1_the_timer_dispatches_again_when_the_attempt_before_said_and_not_a_moment_earlier(clock: Clock) -> None:
    dispatcher = Noting(*[BUSY] * 5, UNCHANGED, UNCHANGED)
    rests = []
    async with turns(dispatcher) as all_turns:
        await all_turns.take(ID, TIMER)
        for number in range(1, 6):
            rest = dispatcher.attempts[-1].retry_in(BUSY)
            assert rest
            rests.append(rest)
            clock.now += rest - 0.1
            await all_turns.take(ID, TIMER)
            assert len(dispatcher.attempts) == number
            clock.now += 0.1
            await all_turns.take(ID, TIMER)
        await all_turns.take(ID, TIMER)
    assert rests == [30, 60, 120, 240, 300]
    assert [it.number for it in dispatcher.attempts] == [1, 2, 3, 4, 5, 6, 1]


async def test_d3_each_attempt_knows_how_the_one_before_ended_and_when_one_left_a_trace(clock: Clock) -> None:
    traced = DispatchReport(outcome=DispatchOutcome.UNCHANGED, trace=Traceparent("a" * 32, "b" * 16))
    dispatcher = Noting(traced, UNCHANGED, UNCHANGED, UNCHANGED)
    async with turns(dispatcher) as all_turns:
        for _ in range(3):
            await all_turns.take(ID, TIMER)
            clock.now += 100
        await all_turns.deploy(ID, EVENT)
    assert [it.before for it in dispatcher.attempts] == [None, traced, UNCHANGED, UNCHANGED]
    assert [it.untraced_for for it in dispatcher.attempts] == [float("inf"), 100, 200, 300]


async def test_d3_a_deployment_that_fails_is_followed_by_the_timer_and_counts_as_an_attempt(clock: Clock) -> None:
    dispatcher = Noting(BUSY, BUSY)
    async with turns(dispatcher) as all_turns:
        await all_turns.take(ID, PASS)
        await all_turns.deploy(ID, EVENT)
    assert [(it.number, it.retry_in(BUSY)) for it in dispatcher.attempts] == [(1, 30), (2, 60)]


async def test_d3_a_teardown_is_the_attempt_that_whoever_asks_for_it_says(clock: Clock) -> None:
    dispatcher = Noting(BUSY, BUSY)
    third = Attempt(number=3, rest=lambda _: 40.0)
    async with turns(dispatcher) as all_turns:
        await all_turns.tear_down(ID, third)
        await all_turns.tear_down(ID)
    assert (dispatcher.attempts[0], dispatcher.attempts[1].retry_in(BUSY)) == (third, None)
