"""What the trace of a pass tells: one root with a child a step, when each of them was, and what went wrong in words of our own."""

import asyncio
import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from tests.domain.strategies import quick
from tests.index.examples import ENGINE, HOST, host
from tests.reconcile.conftest import Passes, Sql
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.pass_recording import Recorded, exceptions, facts, status
from tests.reconcile.raced_index import RacedIndex
from tests.reconcile.stand_ins import EmptyIndex, HeldEngine
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.passes import PassOutcome, PassReason, PassReport
from tinyforge.domain.traces import Traceparent
from tinyforge.index.led import LedIndex
from tinyforge.ports import EngineError, EngineReason, IndexUnavailable
from tinyforge.reconcile.pass_trace import PassTraces

STEPS = ["docker.containers.list", "index.plan", "index.write"]
CANARY = "canary-7f3a"
OF_HOSTS = {
    "db.system.name": "postgresql",
    "db.operation.name": "UPDATE",
    "db.collection.name": "tinyforge.hosts",
    "db.query.summary": "UPDATE tinyforge.hosts",
}
OF_ROWS = {
    "db.system.name": "postgresql",
    "db.operation.name": "INSERT",
    "db.collection.name": "tinyforge.containers",
    "db.query.summary": "INSERT tinyforge.containers UPDATE tinyforge.hosts",
}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


async def test_a_pass_is_one_root_with_a_child_a_step_and_its_report_names_it(passes: Passes, recorded: Recorded) -> None:
    report = await passes(MemoryEngine(service("web"), service("nobodys", project="other"))).run(PassReason.BOOT)
    root, steps = recorded.one()
    assert (root.name, [step.name for step in steps]) == ("index.pass", STEPS)
    assert facts(root) == {
        "tinyforge.host": HOST,
        "tinyforge.epoch": 1,
        "tinyforge.pass.reason": "boot",
        "tinyforge.pass.kept": "first",
        "tinyforge.pass.outcome": "changed",
        "tinyforge.pass.listed": 2,
        "tinyforge.pass.matched": 1,
        "tinyforge.pass.ignored": 1,
        "tinyforge.pass.written": 1,
        "tinyforge.pass.missing": 0,
    }
    listing = {"http.request.method": "GET", "http.response.status_code": 200, "server.address": "/var/run/docker.sock"}
    assert [facts(step) for step in steps] == [listing, {}, OF_ROWS]
    assert [step.kind for step in (root, *steps)] == [SpanKind.INTERNAL, SpanKind.CLIENT, SpanKind.INTERNAL, SpanKind.CLIENT]
    assert {status(span) for span in (root, *steps)} == {"UNSET"}
    assert [event.name for event in root.events] == ["rows read"]
    assert report.trace == Traceparent(f"{root.context.trace_id:032x}", f"{root.context.span_id:016x}")
    assert report.trace_id == f"{root.context.trace_id:032x}"


async def test_a_pass_is_a_root_also_within_somebody_elses_span(passes: Passes, recorded: Recorded) -> None:
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))):
        await passes(MemoryEngine()).run()
    assert len(recorded.traces()) == 1


async def test_a_pass_that_writes_no_rows_writes_to_the_hosts_only(passes: Passes, recorded: Recorded) -> None:
    await passes(MemoryEngine()).run()
    _, steps = recorded.one()
    assert facts(steps[-1]) == OF_HOSTS


@pytest.mark.parametrize(
    ("endpoint", "server"),
    [
        ("unix:///run/one.sock", {"server.address": "/run/one.sock"}),
        ("tcp://web1:2376", {"server.address": "web1", "server.port": 2376}),
        ("ssh://me@web1/run/one.sock", {"server.address": "web1", "server.port": 22}),
    ],
)
async def test_the_list_tells_where_it_was_asked_for(endpoint: str, server: dict[str, Any], passes: Passes, recorded: Recorded) -> None:
    await passes(MemoryEngine(), of=host(endpoint=endpoint)).run()
    _, steps = recorded.one()
    assert {name: value for name, value in facts(steps[0]).items() if name.startswith("server.")} == server


async def test_p4_a_list_that_fails_is_an_error_with_its_words_on_its_step_and_on_the_root(passes: Passes, recorded: Recorded) -> None:
    engine = MemoryEngine()
    engine.failure = EngineError(EngineReason.HTTP_ERROR, "the engine answered with HTTP status 500", http_status=500)
    report = await passes(engine).run()
    root, (listing, write) = recorded.one()
    assert [status(span) for span in (root, listing, write)] == ["ERROR HTTPError", "ERROR HTTPError", "UNSET"]
    assert (facts(root)["error.type"], facts(root)["tinyforge.pass.outcome"]) == ("HTTPError", "failed")
    assert (facts(listing)["error.type"], facts(listing)["http.response.status_code"]) == ("HTTPError", 500)
    told = {"exception.type": "tinyforge.ports.errors.EngineError", "exception.message": "the engine answered with HTTP status 500"}
    assert exceptions(root) == exceptions(listing) == [told]
    assert facts(write) == OF_HOSTS
    assert report.trace_id == f"{root.context.trace_id:032x}"


async def test_an_engine_that_does_not_answer_has_no_status(passes: Passes, recorded: Recorded) -> None:
    engine = MemoryEngine()
    engine.failure = EngineError(EngineReason.TIMEOUT, "no whole answer within 1 s")
    await passes(engine).run()
    _, (listing, _) = recorded.one()
    assert "http.response.status_code" not in facts(listing)


async def test_fault_26_another_engine_is_an_error_of_the_pass_and_of_no_step(passes: Passes, recorded: Recorded) -> None:
    await passes(MemoryEngine()).run()
    recorded.traces()
    await passes(MemoryEngine(identity=EngineIdentity(engine_id="engine-2", version="1", api_version="1"))).run()
    root, steps = recorded.one()
    assert [status(span) for span in (root, *steps)] == ["ERROR EngineChanged", "UNSET", "UNSET", "UNSET"]
    assert "spec.acknowledgedEngineID" in exceptions(root)[0]["exception.message"]
    assert ENGINE.engine_id in exceptions(root)[0]["exception.message"]


async def test_w7_a_write_that_is_tried_again_is_two_steps_and_names_no_row(
    declared: LedIndex, passes: Passes, recorded: Recorded, sql: Sql
) -> None:
    def moved() -> None:
        sql("UPDATE tinyforge.containers SET state = 'paused'")

    engine = MemoryEngine(service(CANARY))
    await passes(engine).run()
    recorded.traces()
    engine.has = [service(CANARY, id_="another")]
    report = await passes(engine, index=RacedIndex(declared.containers, moved)).run()
    root, steps = recorded.one()
    assert [step.name for step in steps] == ["docker.containers.list", *["index.plan", "index.write"] * 2]
    assert [status(span) for span in (root, *steps)] == ["UNSET", "UNSET", "UNSET", "ERROR RowsMoved", "UNSET", "UNSET"]
    assert facts(steps[2])["db.response.status_code"] == "TF002"
    assert [event.name for event in root.events] == ["rows read"] * 2
    assert report.outcome is PassOutcome.CHANGED
    assert CANARY not in "".join(span.to_json() for span in (root, *steps))


async def test_a_pass_that_postgresql_does_not_take_is_one_that_failed_and_raises_on(passes: Passes, recorded: Recorded) -> None:
    index = EmptyIndex()
    index.error = away()
    with pytest.raises(IndexUnavailable, match="shut down"):
        await passes(MemoryEngine(), index=index).run()
    root, steps = recorded.one()
    assert [status(span) for span in (root, *steps)] == ["ERROR IndexUnavailable", "UNSET", "UNSET", "ERROR IndexUnavailable"]
    assert (facts(root)["tinyforge.pass.outcome"], facts(root)["error.type"]) == ("failed", "IndexUnavailable")
    assert facts(steps[-1])["db.response.status_code"] == "57P01"
    assert [it["exception.message"] for it in exceptions(root)] == ["PostgreSQL: it is being shut down"]


async def test_an_engine_and_postgresql_that_are_both_away_are_told_by_what_came_last(passes: Passes, recorded: Recorded) -> None:
    class Away(EmptyIndex):
        async def fail(self, record: object) -> None:
            raise away()

    engine = MemoryEngine()
    engine.failure = EngineError(EngineReason.TIMEOUT, "no whole answer within 1 s")
    with pytest.raises(IndexUnavailable):
        await passes(engine, index=Away()).run()
    root, steps = recorded.one()
    assert [status(span) for span in (root, *steps)] == ["ERROR IndexUnavailable", "ERROR Timeout", "ERROR IndexUnavailable"]


async def test_p5_a_pass_that_is_given_up_is_one_that_failed_and_tells_where(passes: Passes, recorded: Recorded) -> None:
    engine: Any = HeldEngine()
    running = asyncio.create_task(passes(engine).run())
    await engine.asked.acquire()
    running.cancel()
    await asyncio.wait([running])
    root, steps = recorded.one()
    assert running.cancelled()
    assert [status(span) for span in (root, *steps)] == ["ERROR CancelledError"] * 2
    assert facts(root)["tinyforge.pass.outcome"] == "failed"


async def test_fault_44_no_text_but_our_own_is_in_a_trace(passes: Passes, recorded: Recorded) -> None:
    """Neither what a mistake of ours says, nor what an error of ours was made of."""
    engine, index = MemoryEngine(service(CANARY, image=CANARY, id_=CANARY, role=CANARY)), EmptyIndex()
    for error in (RuntimeError(CANARY), away(CANARY)):
        index.error = error
        with pytest.raises(type(error)):
            await passes(engine, index=index).run()
    await passes(engine).run()
    traces = recorded.traces()
    assert len(traces) == 3
    assert CANARY not in "".join(span.to_json() for root, steps in traces for span in (root, *steps))
    assert [it["exception.type"] for it in exceptions(traces[0][0])] == ["builtins.RuntimeError"]


async def test_what_is_logged_of_a_pass_is_logged_within_its_root(passes: Passes, recorded: Recorded) -> None:
    said: list[tuple[str, int]] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            span = trace.get_current_span()
            said.append((record.__dict__["action"], span.get_span_context().trace_id if span.is_recording() else 0))

    noting, logger = Noting(), logging.getLogger("tinyforge.reconcile.findings")
    logger.addHandler(noting)
    logger.setLevel(logging.INFO)
    try:
        await passes(MemoryEngine(service("web", workload_id="default/app", workload_kind="site"))).run()
    finally:
        logger.removeHandler(noting)
        logger.setLevel(logging.NOTSET)
    root, _ = recorded.one()
    assert said == [("container_refused", root.context.trace_id), ("pass_ended", root.context.trace_id)]
    assert not trace.get_current_span().is_recording()


@quick
@given(st.lists(st.integers(0, 10**10), min_size=9, max_size=9))
def test_every_step_lies_within_its_pass_whatever_the_clock_does(waits: list[int]) -> None:
    moments = iter([sum(waits[:number]) for number in range(len(waits))])
    with pytest.MonkeyPatch.context() as monkeypatch:
        recorded = Recorded(monkeypatch)
        traces = PassTraces(host(), epoch=7, clock=lambda: next(moments))
        steps = traces.begin(PassReason.TIMER)
        steps.read()
        for step in (steps.listing(), steps.planning(), steps.writing(rows=True)):
            with step:
                pass
        with traces.ended(steps, PassReport(host=HOST, outcome=PassOutcome.CHANGED)):
            pass
        root, taken = recorded.one()
    read = [event.timestamp for event in root.events]
    times = [it or 0 for it in (root.start_time, *read, *(at for step in taken for at in (step.start_time, step.end_time)), root.end_time)]
    assert times == sorted(times)
    assert times[-1] - times[0] == sum(waits[:8])


def away(*because: str) -> IndexUnavailable:
    """What the index adapter raises while PostgreSQL is told to stop, made of an error with its SQLSTATE."""
    cause = RuntimeError(*because)
    cause.sqlstate = "57P01"  # type: ignore[attr-defined] # as psycopg's errors have it
    error = IndexUnavailable("PostgreSQL: it is being shut down")
    error.__cause__ = cause
    return error
