"""Each dispatch is one trace (rule D3): what was seen, decided and done, how it ended, when it is tried again, and what it is linked to."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: TID251 - as above

from tests.reconcile.deliberate_plugins import DeliberateSource, DeliberateTrigger
from tests.reconcile.dispatch_recording import attempt, dispatcher, exceptions, outcome, reconciled, recorded, said, spans, status
from tests.reconcile.memory_workloads import ID, away, snapshot
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReason, DispatchReport
from tinyforge.domain.traces import Traceparent
from tinyforge.plugin import Changed, DeploymentIntent, Failed, InboundEvent, Seen, Skipped
from tinyforge.reconcile import dispatch_trace

__all__ = ["recorded"]

INTENT = DeploymentIntent(id="i-1", reason="a new image")
EVENT = InboundEvent(id="request-7", kind="manual", sender="me@here")
UNCHANGED = DispatchReport(outcome=DispatchOutcome.UNCHANGED)
DRIFT = Failed(reason="Drift", message="look: it", retry_after=None)
BUSY = Failed(reason="Busy", message="it is busy: wait", retry_after=5.0)


async def test_d3_a_dispatch_is_one_root_with_a_child_a_step_and_says_what_was_seen(recorded: InMemorySpanExporter) -> None:
    report = await dispatcher().reconcile(snapshot(states=("running", "running", "missing", "paused")), DispatchReason.TIMER)
    root, *children = spans(recorded)
    assert root.parent is None
    assert said(root) == {
        "tinyforge.workload.id": ID,
        "tinyforge.workload.kind": "stack",
        "tinyforge.workload.generation": 1,
        "tinyforge.source.kind": "deliberate",
        "tinyforge.trigger.kind": "deliberate",
        "tinyforge.host": "local",
        "tinyforge.host.as_of": "2026-01-02T03:04:05.000Z",
        "tinyforge.containers.total": 4,
        "tinyforge.containers.running": 2,
        "tinyforge.containers.stopped": 0,
        "tinyforge.containers.missing": 1,
        "tinyforge.containers.unknown": 0,
        "tinyforge.containers.other": 1,
        "tinyforge.epoch": 7,
        "tinyforge.dispatch.reason": "timer",
        "tinyforge.dispatch.attempt": 1,
        "tinyforge.dispatch.outcome": "unchanged",
    }
    assert [(child.name, said(child)) for child in children] == [
        ("trigger.check", {"tinyforge.step.outcome": "nothing_wanted"}),
        ("source.reconcile", {"tinyforge.step.outcome": "unchanged"}),
    ]
    assert [child.parent for child in children] == [root.context] * 2
    assert {span.status.status_code.name for span in (root, *children)} == {"UNSET"}
    assert report.trace == Traceparent(f"{root.context.trace_id:032x}", f"{root.context.span_id:016x}")


async def test_d3_each_attempt_is_a_root_of_its_own_also_within_somebody_elses_span(recorded: InMemorySpanExporter) -> None:
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))):
        reports = [await reconciled() for _ in range(3)]
    roots = [span for span in recorded.get_finished_spans() if span.name == "workload.dispatch"]
    assert [root.parent for root in roots] == [None] * 3
    assert len({report.trace_id for report in reports}) == 3


async def test_d3_what_a_trigger_wants_and_why_is_told_and_shows_as_the_sources_step(recorded: InMemorySpanExporter) -> None:
    deaf = DeliberateTrigger(receives=Skipped(reason="NotForMe", message="it is another's"))
    wanting = dispatcher(trigger=DeliberateTrigger(checks=INTENT))
    asked = [
        (lambda: wanting.reconcile(snapshot(), DispatchReason.TIMER), "changed", ["deployment_wanted", "changed"]),
        (lambda: dispatcher().deploy(snapshot(), EVENT), "changed", ["deployment_wanted", "changed"]),
        (lambda: dispatcher(trigger=deaf).deploy(snapshot(), EVENT), "skipped", ["nothing_wanted"]),
        (lambda: dispatcher().teardown(snapshot()), "unchanged", ["unchanged"]),
    ]
    names, wanted = [], []
    for ask, ended, steps in asked:
        await ask()
        root, *children = spans(recorded)
        assert said(root)["tinyforge.dispatch.outcome"] == ended
        assert [said(child)["tinyforge.step.outcome"] for child in children] == steps
        names.append([child.name for child in children])
        wanted += [(event.name, dict(event.attributes or {})) for event in root.events]
        recorded.clear()
    assert names == [["trigger.check", "source.deploy"], ["trigger.receive", "source.deploy"], ["trigger.receive"], ["source.teardown"]]
    assert wanted[0] == ("deployment wanted", {"tinyforge.intent.id": "i-1", "tinyforge.intent.reason": "a new image"})
    assert [name for name, _ in wanted] == ["deployment wanted"] * 2


def raising(_: object) -> None:
    try:
        {"known": 1}["chained-canary"]
    except KeyError as error:
        raise ValueError("no such thing") from error


async def test_d3_a_plugin_that_raises_is_an_error_with_its_exception_on_its_step_and_on_the_root(recorded: InMemorySpanExporter) -> None:
    await reconciled(DeliberateSource(reconciles=raising))
    root, check, reconcile = spans(recorded)
    message = "source.reconcile: raised ValueError: no such thing"
    assert [status(it) for it in (root, check, reconcile)] == [f"ERROR PluginRaised: {message}", "UNSET", f"ERROR PluginRaised: {message}"]
    assert outcome(root) == "failed"
    for span in (root, reconcile):
        assert said(span)["error.type"] == "PluginRaised"
        (event,) = exceptions(span)
        assert (event["exception.type"], event["exception.message"]) == ("ValueError", message)
        assert "in raising" in event["exception.stacktrace"]
        assert "KeyError" in event["exception.stacktrace"]
        assert "canary" not in event["exception.stacktrace"]


async def test_d3_a_step_that_takes_too_long_or_answers_nonsense_is_the_one_that_is_red(recorded: InMemorySpanExporter) -> None:
    soon: Any = "soon"
    for source, word in (
        (DeliberateSource(reconciles=lambda _: asyncio.sleep(60)), "TimedOut"),
        (DeliberateSource(reconciles=5), "BadAnswer"),
        (DeliberateSource(reconciles=Failed(reason="Busy", message="wait", retry_after=soon)), "BadAnswer"),
    ):
        await dispatcher(source, seconds=0.02).reconcile(snapshot(), DispatchReason.TIMER)
        assert [said(it).get("error.type") for it in spans(recorded)] == [word, None, word]
        recorded.clear()


async def test_d3_a_failed_outcome_is_an_error_with_its_reason_on_its_step_and_on_the_root(recorded: InMemorySpanExporter) -> None:
    await reconciled(DeliberateSource(reconciles=DRIFT))
    root, check, reconcile = spans(recorded)
    assert [status(it) for it in (root, check, reconcile)] == ["ERROR Drift: look: it", "UNSET", "ERROR Drift: look: it"]
    assert (
        said(root).items()
        >= {
            "tinyforge.dispatch.outcome": "failed",
            "tinyforge.dispatch.outcome_reason": "Drift",
            "tinyforge.dispatch.message": "look: it",
            "error.type": "Drift",
        }.items()
    )
    assert exceptions(root) == exceptions(reconcile) == [{"exception.type": "Drift", "exception.message": "look: it"}]


async def test_d3_a_plugin_that_is_not_there_is_an_error_of_the_root(recorded: InMemorySpanExporter) -> None:
    await dispatcher().reconcile(snapshot(source_kind="gone"), DispatchReason.SPEC)
    (root,) = spans(recorded)
    assert (status(root).split(":")[0], outcome(root), len(exceptions(root))) == ("ERROR SourceNotFound", "failed", 1)


async def test_d3_a_failed_attempt_says_which_it_was_and_when_the_next_one_is(recorded: InMemorySpanExporter) -> None:
    before = datetime.now(UTC)
    await dispatcher(DeliberateSource(reconciles=BUSY)).reconcile(snapshot(), DispatchReason.TIMER, attempt(3, rest=120.0))
    (root, *_) = spans(recorded)
    at = said(root)["tinyforge.dispatch.retry_at"]
    assert timedelta(seconds=119) < datetime.fromisoformat(at) - before < timedelta(seconds=125)
    assert (said(root)["tinyforge.dispatch.attempt"], said(root)["tinyforge.dispatch.retry"]) == (3, "scheduled")
    assert [(event.name, dict(event.attributes or {})) for event in root.events if event.name != "exception"] == [
        ("retry scheduled", {"tinyforge.dispatch.retry_at": at, "tinyforge.dispatch.attempt": 4})
    ]


async def test_d3_a_failure_that_only_a_change_can_help_or_that_nobody_tries_again_says_that(recorded: InMemorySpanExporter) -> None:
    for answer, rest, says in ((DRIFT, 120.0, "after_change"), (BUSY, None, "none")):
        await dispatcher(DeliberateSource(reconciles=answer)).reconcile(snapshot(), DispatchReason.TIMER, attempt(1, rest=rest))
        root = spans(recorded)[0]
        assert said(root)["tinyforge.dispatch.retry"] == says
        assert "tinyforge.dispatch.retry_at" not in said(root)
        recorded.clear()


async def test_d3_a_dispatch_that_did_not_fail_says_nothing_of_another_attempt(recorded: InMemorySpanExporter) -> None:
    for answer in (Changed(message="one more"), Skipped(reason="Later", message="not now")):
        await dispatcher(DeliberateSource(reconciles=answer)).reconcile(snapshot(), DispatchReason.TIMER, attempt(2, rest=120.0))
        root = spans(recorded)[0]
        assert said(root)["tinyforge.dispatch.message"]
        assert (status(root), [name for name in said(root) if "retry" in name], list(root.events)) == ("UNSET", [], [])
        recorded.clear()


async def test_d3_a_skipped_dispatch_is_a_trace_without_an_error_that_says_why(recorded: InMemorySpanExporter) -> None:
    report = await dispatcher().deploy(snapshot(host=away()), EVENT)
    (root,) = spans(recorded)
    assert (status(root), outcome(root)) == ("UNSET", "skipped")
    assert said(root)["tinyforge.dispatch.outcome_reason"] == said(root)["tinyforge.host.why_unknown"] == "HostUnreachable"
    assert report.trace_id == f"{root.context.trace_id:032x}"


async def test_d3_a_dispatch_that_is_broken_off_has_failed_in_its_trace_and_ends_there(recorded: InMemorySpanExporter) -> None:
    began = asyncio.Event()

    def hanging(_: object) -> Any:
        began.set()
        return asyncio.sleep(60)

    task = asyncio.create_task(reconciled(DeliberateSource(reconciles=hanging)))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    root, _, step = spans(recorded)
    assert [said(it)["error.type"] for it in (root, step)] == ["Cancelled"] * 2
    assert outcome(root) == "failed"


async def test_d3_what_a_plugin_does_itself_is_part_of_its_step(recorded: InMemorySpanExporter) -> None:
    found: list[str] = []

    async def noting(_: Seen[Any]) -> None:
        await asyncio.sleep(0)
        found.append(format(trace.get_current_span().get_span_context().span_id, "016x"))

    await reconciled(DeliberateSource(reconciles=noting))
    _, _, step = spans(recorded)
    assert found == [format(step.context.span_id, "016x")]


async def test_d3_no_text_of_a_config_or_a_container_is_in_a_span(recorded: InMemorySpanExporter) -> None:
    hostile = snapshot(source_config={"words": ["canary"]}, states=("canary",))
    shown = replace(hostile, rows=tuple(replace(row, image="canary", role="canary", row=f"{ID}:canary") for row in hostile.rows))
    for source in (DeliberateSource(), DeliberateSource(reconciles=raising), DeliberateSource(reconciles=DRIFT)):
        await dispatcher(source).reconcile(shown, DispatchReason.TIMER)
    assert "canary" not in "".join(span.to_json() for span in recorded.get_finished_spans())


async def test_m10_what_a_plugin_says_is_printable_and_bounded_in_a_span_whatever_it_is(recorded: InMemorySpanExporter) -> None:
    class Unspeakable:
        def __str__(self) -> str:
            raise ValueError

    long: Any = "\x1b[31m" + "long " * 100_000
    for intent in (DeploymentIntent(id=long, reason=long), DeploymentIntent(id=Unspeakable(), reason=Unspeakable())):  # type: ignore[arg-type] # as a plugin may
        failing = DeliberateSource(deploys=Failed(reason=long, message=long, retry_after=None))
        await dispatcher(failing, DeliberateTrigger(checks=intent)).reconcile(snapshot(), DispatchReason.TIMER)
    for span in recorded.get_finished_spans():
        texts = [
            *said(span).values(),
            span.status.description,
            *(text for event in span.events for text in (event.attributes or {}).values()),
        ]
        assert all(text.isprintable() and len(text) <= 1200 for text in texts if isinstance(text, str))


async def test_d3_without_an_sdk_no_report_names_a_trace() -> None:
    assert (await reconciled()).trace is None
    assert (await reconciled(DeliberateSource(reconciles=raising))).trace is None


async def test_d3_no_report_names_a_trace_that_is_not_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    monkeypatch.setattr(dispatch_trace, "_tracer", provider.get_tracer("tests"))
    assert (await reconciled()).trace is None
