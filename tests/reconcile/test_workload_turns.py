"""The turns of the workloads: who is dispatched when, what is written down of it, and that nobody holds anybody else up (rule D1)."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Protocol

import pytest

from tests.reconcile.deliberate_plugins import DeliberateSource, DeliberateTrigger, plugins_of
from tests.reconcile.memory_workloads import ID, MemoryWorkloads, away, snapshot
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReason, DispatchReport
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.plugin import Changed, Failed, InboundEvent, Seen, Skipped, Unchanged
from tinyforge.ports import Fenced, IndexUnavailable
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.trace_links import TraceLinks
from tinyforge.reconcile.workload_turns import WorkloadTurns

INTERVAL = 30.0
BUSY = Failed(reason="Busy", message="it is busy: wait", retry_after=0)
DRIFT = Failed(reason="Drift", message="one replica too few: start it", retry_after=None)
EVENT = InboundEvent(id="request-7", kind="manual", sender="me@here")
TIMER, PASS, SPEC = DispatchReason.TIMER, DispatchReason.PASS, DispatchReason.SPEC


class Clock:
    """The time of the turns, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


class Turns(Protocol):
    """Opens turns for the length of a block, at the end of which all that was nudged has been taken."""

    def __call__(self, index: MemoryWorkloads, source: DeliberateSource | None = None, *, seconds: float = ...) -> Any: ...


Told = list[tuple[str, WorkloadStatus, DispatchReport | None]]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("tinyforge.reconcile.workload_turns.time", clock)
    return clock


@pytest.fixture
def told() -> Told:
    """What a driver is told."""
    return []


@pytest.fixture
def turns(clock: Clock, told: Told) -> Turns:
    @asynccontextmanager
    async def open_turns(
        index: MemoryWorkloads, source: DeliberateSource | None = None, *, seconds: float = 5.0
    ) -> AsyncIterator[WorkloadTurns]:
        async with asyncio.TaskGroup() as group:
            yield WorkloadTurns(
                index=index,
                dispatcher=Dispatcher(
                    plugins=plugins_of(source, DeliberateTrigger()), timeout=seconds, traces=DispatchTraces(epoch=7, links=TraceLinks())
                ),
                interval=INTERVAL,
                group=group,
                assessed=lambda *about: told.append(about),
            )

    return open_turns


async def test_d1_each_tick_of_the_timer_dispatches_a_workload_and_tells_the_driver(turns: Turns, told: Told) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource()
    async with turns(index, source) as all_turns:
        for _ in range(3):
            await all_turns.take(ID, TIMER)
    assert source.calls == ["reconcile"] * 3
    assert [(id_, dispatch and dispatch.outcome) for id_, _, dispatch in told] == [(ID, DispatchOutcome.UNCHANGED)] * 3
    assert index.ready() == "True Running"
    assert index.status()["lastDispatch"]["outcome"] == "unchanged"


async def test_a_status_is_written_when_it_is_another_one_and_only_then(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource()
    async with turns(index, source) as all_turns:
        for _ in range(3):
            await all_turns.take(ID, TIMER)
        assert len(index.written) == 1
        source.reconciles = BUSY
        await all_turns.take(ID, PASS)
        await all_turns.take(ID, PASS)
        assert (len(index.written), index.ready()) == (2, "False Busy")
        index.change(status={"somebody": "else wrote this"})
        await all_turns.take(ID, TIMER)
        assert (len(index.written), index.ready()) == (3, "False Busy")


@pytest.mark.parametrize("declaration", [{"source_kind": ""}, {"trigger_kind": ""}, {"suspended": True}])
async def test_a_workload_that_is_not_dispatched_has_a_status_all_the_same(declaration: dict[str, Any], turns: Turns, told: Told) -> None:
    index, source = MemoryWorkloads(snapshot(states=("running", "stopped"), **declaration)), DeliberateSource()
    async with turns(index, source) as all_turns:
        await all_turns.take(ID, SPEC)
    assert (source.calls, index.ready(), told[0][2]) == ([], "False NotRunning", None)
    assert index.status()["containers"]["summary"] == "1/2 running"


async def test_on_a_host_that_is_away_nothing_is_dispatched_and_the_last_dispatch_stays_the_last(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(reconciles=BUSY)
    async with turns(index, source) as all_turns:
        await all_turns.take(ID, TIMER)
        before = index.status()["lastDispatch"]
        index.change(host=away())
        await all_turns.take(ID, PASS)
        assert (source.calls, index.ready()) == (["reconcile"], "Unknown HostUnreachable")
        assert index.status()["lastDispatch"] == before
        index.change(host=snapshot().host)
        source.reconciles = Unchanged()
        await all_turns.take(ID, PASS)
        assert index.ready() == "True Running"


async def test_a_workload_that_keeps_failing_is_left_alone_by_its_timer_for_longer_and_longer(turns: Turns, clock: Clock) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(reconciles=BUSY)
    async with turns(index, source) as all_turns:
        for rest in (30, 60, 120, 240, 300, 300):
            source.calls.clear()
            await all_turns.take(ID, TIMER)
            clock.now += rest - 0.001
            await all_turns.take(ID, TIMER)
            assert source.calls == ["reconcile"], f"it rests for {rest} s"
            clock.now += 0.001
        source.reconciles = Unchanged()
        await all_turns.take(ID, TIMER)
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"] * 3, "what works is dispatched at every tick"
        source.reconciles = BUSY
        await all_turns.take(ID, TIMER)
        clock.now += 30
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"] * 5, "and its failures are counted anew"


@pytest.mark.parametrize("failure", [BUSY, DRIFT], ids=["that rests", "that is hopeless"])
@pytest.mark.parametrize("reason", [PASS, SPEC])
async def test_whatever_happens_to_a_workload_that_failed_dispatches_it_at_once(
    failure: Failed, reason: DispatchReason, turns: Turns
) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(reconciles=failure)
    async with turns(index, source) as all_turns:
        await all_turns.take(ID, TIMER)
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"]
        await all_turns.take(ID, reason)
        assert source.calls == ["reconcile"] * 2


async def test_a_hopeless_one_is_left_alone_for_ever_until_its_spec_is_another(turns: Turns, clock: Clock) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(reconciles=DRIFT)
    async with turns(index, source) as all_turns:
        for _ in range(3):
            await all_turns.take(ID, TIMER)
            clock.now += 1e9
        assert source.calls == ["reconcile"]
        index.change(declared=snapshot(generation=2).declared)
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"] * 2
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"] * 2


async def test_a_turn_that_is_asked_for_many_times_is_taken_once(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource()
    async with turns(index, source) as all_turns:
        for _ in range(100):
            all_turns.nudge([ID], PASS)
    assert source.calls == ["reconcile"]


async def test_a_turn_that_is_asked_for_while_one_runs_is_taken_after_it_and_sees_what_is_there_then(turns: Turns) -> None:
    source = DeliberateSource()
    held = Held(source)
    index = MemoryWorkloads(snapshot())
    async with turns(index, source) as all_turns:
        all_turns.nudge([ID], PASS)
        await held.began.acquire()
        index.change(rows=snapshot(states=("running", "running")).rows)
        for _ in range(100):
            all_turns.nudge([ID], SPEC)
        held.let_go.set()
    assert [len(seen.containers) for seen in source.seen] == [1, 2]
    assert index.status()["containers"]["total"] == 2
    assert held.most_at_once == 1


async def test_turns_of_one_workload_never_overlap_whoever_asks_for_them(turns: Turns) -> None:
    source = DeliberateSource()
    held = Held(source)
    source.tears_down = source.deploys = source.reconciles
    async with turns(MemoryWorkloads(snapshot()), source) as all_turns, asyncio.TaskGroup() as group:
        for _ in range(3):
            group.create_task(all_turns.take(ID, TIMER))
            group.create_task(all_turns.deploy(ID, EVENT))
            group.create_task(all_turns.tear_down(ID))
            all_turns.nudge([ID], PASS)
        await held.began.acquire()
        all_turns.forget([ID])
        group.create_task(all_turns.take(ID, TIMER))
        await asyncio.sleep(0)
        held.let_go.set()
    assert (held.most_at_once, sorted(set(source.calls))) == (1, ["deploy", "reconcile", "teardown"])


async def test_d1_a_workload_that_hangs_delays_no_other_and_no_status_but_its_own(turns: Turns) -> None:
    ids = [f"default/w{number}" for number in range(50)]
    index, source = MemoryWorkloads(*map(snapshot, ids)), DeliberateSource()
    held = Held(source, lambda seen: seen.workload.id in ids[:40])
    async with turns(index, source) as all_turns:
        all_turns.nudge(ids, PASS)
        for _ in range(40):
            await held.began.acquire()
        async with asyncio.timeout(5):
            for id_ in ids[40:]:
                await all_turns.take(id_, TIMER)
        assert {id_ for id_, _ in index.written} == set(ids[40:])
        held.let_go.set()


@pytest.mark.parametrize("answer", [lambda _: 1 / 0, lambda _: asyncio.sleep(60), 5], ids=["raises", "hangs", "answers nonsense"])
async def test_d1_the_failure_of_one_is_recorded_on_that_one_and_the_others_go_on(answer: object, turns: Turns) -> None:
    good, bad = "default/good", "default/bad"
    index, source = MemoryWorkloads(snapshot(bad), snapshot(good)), DeliberateSource()
    source.reconciles = lambda seen: (
        answer(seen) if seen.workload.id == bad and callable(answer) else answer if seen.workload.id == bad else Unchanged()
    )
    async with turns(index, source, seconds=0.05) as all_turns:
        all_turns.nudge([bad, good], PASS)
    assert index.ready(good) == "True Running"
    assert index.ready(bad) in ("False PluginRaised", "False TimedOut", "False BadAnswer")


async def test_d1_a_failure_is_one_warning_until_it_is_another(turns: Turns, clock: Clock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tinyforge")
    index, source = MemoryWorkloads(snapshot()), DeliberateSource()
    async with turns(index, source) as all_turns:
        for outcome in (BUSY, BUSY, DRIFT, DRIFT, Unchanged(), Changed(message="one more replica"), BUSY):
            source.reconciles = outcome
            await all_turns.take(ID, PASS)
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("WARNING", f"workload {ID}: dispatch failed: Busy: it is busy: wait"),
        ("WARNING", f"workload {ID}: dispatch failed: Drift: one replica too few: start it"),
        ("INFO", f"workload {ID}: dispatch changed: one more replica"),
        ("WARNING", f"workload {ID}: dispatch failed: Busy: it is busy: wait"),
    ]
    assert {(record.workload, record.trace_id) for record in caplog.records} == {(ID, "")}  # type: ignore[attr-defined] # extra fields


async def test_a_workload_that_is_not_in_force_gets_no_turn_and_is_not_remembered(turns: Turns, told: Told) -> None:
    async with turns(MemoryWorkloads()) as all_turns:
        await all_turns.take(ID, SPEC)
        all_turns.nudge([ID], PASS)
        assert await all_turns.deploy(ID, EVENT) is None
        assert await all_turns.tear_down(ID) is None
    assert (told, set(all_turns.known)) == ([], set())


async def test_nothing_is_remembered_of_thousands_that_have_gone(turns: Turns) -> None:
    ids = [f"default/w{number}" for number in range(1000)]
    index = MemoryWorkloads(*map(snapshot, ids))
    async with turns(index, DeliberateSource(reconciles=BUSY)) as all_turns:
        all_turns.nudge(ids, PASS)
    assert set(all_turns.known) == set(ids)
    all_turns.forget(ids[1:])
    assert set(all_turns.known) == {ids[0]}
    assert len(all_turns._locks) == 0


async def test_a_workload_that_comes_back_is_a_new_one(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(reconciles=DRIFT)
    async with turns(index, source) as all_turns:
        await all_turns.take(ID, TIMER)
        all_turns.forget([ID])
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"] * 2


async def test_a_deployment_is_answered_and_written_down(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(deploys=BUSY)
    async with turns(index, source) as all_turns:
        report = await all_turns.deploy(ID, EVENT)
    assert report
    assert (report.reason, source.calls, index.ready()) == ("Busy", ["deploy"], "False Busy")


REFUSED: dict[str, dict[str, Any]] = {
    "Suspended": {"suspended": True},
    "NotDispatched": {"trigger_kind": ""},
    "HostUnreachable": {"host": away()},
}


@pytest.mark.parametrize("reason", REFUSED)
async def test_a_workload_that_cannot_be_deployed_now_says_why_and_is_as_it_was(reason: str, turns: Turns, told: Told) -> None:
    index, source = MemoryWorkloads(snapshot(**REFUSED[reason])), DeliberateSource()
    async with turns(index, source) as all_turns:
        report = await all_turns.deploy(ID, EVENT)
    assert report
    assert (report.outcome, report.reason, bool(report.message)) == (DispatchOutcome.SKIPPED, reason, True)
    assert (source.calls, index.written, told) == ([], [], [])


async def test_a_deployment_that_was_skipped_makes_no_drift_good(turns: Turns, clock: Clock) -> None:
    index = MemoryWorkloads(snapshot())
    source = DeliberateSource(reconciles=BUSY, deploys=Skipped(reason="ExternallyManaged", message="ask them"))
    async with turns(index, source) as all_turns:
        await all_turns.take(ID, TIMER)
        report = await all_turns.deploy(ID, EVENT)
        assert report
        assert (report.reason, index.ready(), len(index.written)) == ("ExternallyManaged", "False Busy", 1)
        clock.now += 1
        await all_turns.take(ID, TIMER)
    assert (source.calls, index.ready()) == (["reconcile", "deploy"], "False Busy")


async def test_a_workload_that_is_leaving_is_dispatched_no_more_until_it_is_declared_again(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource()
    async with turns(index, source) as all_turns:
        all_turns.leave([ID])
        assert await all_turns.tear_down(ID)
        for reason in DispatchReason:
            await all_turns.take(ID, reason)
        refused = await all_turns.deploy(ID, EVENT)
        assert refused
        assert (refused.outcome, refused.reason) == (DispatchOutcome.SKIPPED, "NotDeclared")
        assert source.calls == ["teardown"], "what was taken down is not put up again"
        all_turns.leave([])
        await all_turns.take(ID, TIMER)
        assert source.calls == ["teardown", "reconcile"]


async def test_a_workload_without_a_source_has_nothing_to_take_down(turns: Turns) -> None:
    async with turns(MemoryWorkloads(snapshot(source_kind=""))) as all_turns:
        assert await all_turns.tear_down(ID) is None


async def test_a_teardown_that_fails_shows_in_the_status(turns: Turns) -> None:
    index = MemoryWorkloads(snapshot())
    async with turns(index, DeliberateSource(tears_down=BUSY)) as all_turns:
        report = await all_turns.tear_down(ID)
    assert report
    assert (report.failed, index.ready()) == (True, "False Busy")


@pytest.mark.parametrize("step", ["reading", "writing"])
async def test_what_postgresql_did_not_take_of_a_nudged_turn_is_made_up_for_by_the_timer(step: str, turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(reconciles=DRIFT)
    async with turns(index, source) as all_turns:
        await all_turns.take(ID, TIMER)
        source.reconciles = Unchanged()
        async with asyncio.timeout(5):
            setattr(index, step, unavailable)
            all_turns.nudge([ID], PASS)
            await asyncio.sleep(0.01)
        setattr(index, step, lambda _: None)
        await all_turns.take(ID, TIMER)
        assert index.ready() == "True Running"
        source.calls.clear()
        source.reconciles = DRIFT
        await all_turns.take(ID, PASS)
        await all_turns.take(ID, TIMER)
        assert source.calls == ["reconcile"], "and it is owed nothing any more"


async def test_a_timers_turn_tells_its_caller_that_postgresql_is_away(turns: Turns, told: Told) -> None:
    index = MemoryWorkloads(snapshot())
    index.writing = unavailable
    async with turns(index) as all_turns:
        with pytest.raises(IndexUnavailable):
            await all_turns.take(ID, TIMER)
    assert told == []


async def test_a_deployment_that_could_not_be_written_down_is_answered_and_made_once(turns: Turns) -> None:
    index, source = MemoryWorkloads(snapshot()), DeliberateSource(deploys=BUSY)
    index.writing = unavailable
    async with turns(index, source) as all_turns:
        report = await all_turns.deploy(ID, EVENT)
        assert report
        assert (report.reason, source.calls, index.written) == ("Busy", ["deploy"], [])
        index.writing = lambda _: None
        await all_turns.take(ID, TIMER)
        assert (source.calls, index.ready()) == (["deploy"], "False Busy")


async def test_p7_a_nudged_turn_that_finds_the_term_over_ends_it(turns: Turns) -> None:
    index = MemoryWorkloads(snapshot())
    index.writing = fenced
    with pytest.RaisesGroup(Fenced):
        async with turns(index) as all_turns:
            all_turns.nudge([ID], PASS)
            await asyncio.sleep(60)


async def test_only_a_few_turns_are_at_the_index_at_once(turns: Turns) -> None:
    ids = [f"default/w{number}" for number in range(50)]
    index = MemoryWorkloads(*map(snapshot, ids))
    at_once: list[int] = []
    under_way = 0
    read = index.snapshot

    async def slowly(workload: str) -> Any:
        nonlocal under_way
        under_way += 1
        at_once.append(under_way)
        await asyncio.sleep(0)
        under_way -= 1
        return await read(workload)

    index.snapshot = slowly  # type: ignore[method-assign] # the same with a moment in it
    async with turns(index) as all_turns:
        all_turns.nudge(ids, PASS)
    assert (len(at_once), max(at_once)) == (50, 2)


async def test_a_turn_ends_while_others_still_wait_for_their_beginning(turns: Turns) -> None:
    ids = [f"default/w{number}" for number in range(50)]
    index = MemoryWorkloads(*map(snapshot, ids))
    written_before: list[int] = []
    read = index.snapshot

    async def slowly(workload: str) -> Any:
        written_before.append(len(index.written))
        await asyncio.sleep(0)
        return await read(workload)

    index.snapshot = slowly  # type: ignore[method-assign] # the same with a moment in it
    async with turns(index) as all_turns:
        all_turns.nudge(ids, PASS)
    assert written_before[-1] > 25


class Held:
    """Holds a source's reconcile up until it is let go; tells when each began, and how many were under way at most at once."""

    def __init__(self, source: DeliberateSource, whom: Callable[[Seen[Any]], bool] = lambda _: True) -> None:
        self.began = asyncio.Semaphore(0)
        self.let_go = asyncio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self._whom = whom
        source.reconciles = self._reconcile

    async def _reconcile(self, seen: Seen[Any]) -> Unchanged:
        if self._whom(seen):
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            self.began.release()
            await self.let_go.wait()
            await asyncio.sleep(0)
            self.at_once -= 1
        return Unchanged()


def unavailable(_: str) -> None:
    raise IndexUnavailable("PostgreSQL is away")


def fenced(_: str) -> None:
    raise Fenced("deposed")
