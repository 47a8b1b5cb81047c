"""Each dispatch is one trace (rule D3): what was asked of whom, and how it ended; a report names it only if it is kept anywhere."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: TID251 - as above

from tests.reconcile.deliberate_plugins import DeliberateSource, DeliberateTrigger, plugins_of
from tests.reconcile.memory_workloads import ID, away, snapshot
from tinyforge.domain.dispatch import DispatchReason, DispatchReport
from tinyforge.plugin import DeploymentIntent, Failed, InboundEvent, Seen
from tinyforge.reconcile.dispatch import Dispatcher

INTENT = DeploymentIntent(id="i-1", reason="a new image")
EVENT = InboundEvent(id="request-7", kind="manual", sender="me@here")


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is recorded of traces, as if this process had an SDK: the real one can be set up once only, for all tests."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("tinyforge.reconcile.dispatch._tracer", provider.get_tracer("tests"))
    return exporter


async def test_d3_a_dispatch_is_one_root_with_a_child_a_step(recorded: InMemorySpanExporter) -> None:
    report = await reconciled()
    root, *children = spans(recorded)
    assert root.parent is None
    assert dict(root.attributes or {}) == {
        "tinyforge.workload.id": ID,
        "tinyforge.workload.kind": "stack",
        "tinyforge.source.kind": "deliberate",
        "tinyforge.trigger.kind": "deliberate",
        "tinyforge.host": "local",
        "tinyforge.epoch": 7,
        "tinyforge.dispatch.reason": "timer",
        "tinyforge.dispatch.outcome": "unchanged",
    }
    assert [child.name for child in children] == ["trigger.check", "source.reconcile"]
    assert [child.parent for child in children] == [root.context] * 2
    assert {span.status.status_code.name for span in (root, *children)} == {"UNSET"}
    assert report.trace_id == f"{root.context.trace_id:032x}"


async def test_d3_each_attempt_is_a_root_of_its_own_also_within_somebody_elses_span(recorded: InMemorySpanExporter) -> None:
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))):
        reports = [await reconciled() for _ in range(3)]
    roots = [span for span in recorded.get_finished_spans() if span.name == "workload.dispatch"]
    assert [root.parent for root in roots] == [None] * 3
    assert len({report.trace_id for report in reports}) == 3


async def test_d3_what_a_trigger_wants_shows_as_the_sources_step(recorded: InMemorySpanExporter) -> None:
    await reconciled(trigger=DeliberateTrigger(checks=INTENT))
    await dispatcher().deploy(snapshot(), EVENT)
    await dispatcher().teardown(snapshot())
    names = [span.name for span in recorded.get_finished_spans()]
    assert names == [
        *("trigger.check", "source.deploy", "workload.dispatch"),
        *("trigger.receive", "source.deploy", "workload.dispatch"),
        *("source.teardown", "workload.dispatch"),
    ]


def raising(_: object) -> None:
    raise ValueError("no such thing")


async def test_d3_a_plugin_that_raises_is_an_error_with_its_exception_on_its_step_and_on_the_root(recorded: InMemorySpanExporter) -> None:
    await reconciled(DeliberateSource(reconciles=raising))
    root, check, reconcile = spans(recorded)
    assert [it.status.status_code.name for it in (root, check, reconcile)] == ["ERROR", "UNSET", "ERROR"]
    assert (root.status.description, outcome(root)) == ("PluginRaised", "failed")
    for span in (root, reconcile):
        (event,) = span.events
        assert event.name == "exception"
        assert "ValueError: no such thing" in str((event.attributes or {})["exception.stacktrace"])


async def test_d3_a_failed_outcome_and_a_plugin_that_is_not_there_are_errors_of_the_root(recorded: InMemorySpanExporter) -> None:
    await reconciled(DeliberateSource(reconciles=Failed(reason="Drift", message="look: it", retry_after=None)))
    root, *steps = spans(recorded)
    assert (root.status.status_code.name, root.status.description, outcome(root)) == ("ERROR", "Drift", "failed")
    assert {it.status.status_code.name for it in steps} == {"UNSET"}
    recorded.clear()
    await dispatcher().reconcile(snapshot(source_kind="gone"), DispatchReason.SPEC)
    (root,) = spans(recorded)
    assert (root.status.status_code.name, root.status.description, outcome(root)) == ("ERROR", "SourceNotFound", "failed")


async def test_d3_a_skipped_dispatch_is_a_trace_without_an_error(recorded: InMemorySpanExporter) -> None:
    report = await dispatcher().deploy(snapshot(host=away()), EVENT)
    (root,) = spans(recorded)
    assert (root.status.status_code.name, outcome(root)) == ("UNSET", "skipped")
    assert report.trace_id == f"{root.context.trace_id:032x}"


async def test_d3_what_a_plugin_does_itself_is_part_of_its_step(recorded: InMemorySpanExporter) -> None:
    found: list[str] = []

    async def noting(_: Seen[Any]) -> None:
        await asyncio.sleep(0)
        found.append(format(trace.get_current_span().get_span_context().span_id, "016x"))

    await reconciled(DeliberateSource(reconciles=noting))
    _, _, step = spans(recorded)
    assert found == [format(step.context.span_id, "016x")]


async def test_d3_no_text_of_a_config_or_a_container_is_in_an_attribute(recorded: InMemorySpanExporter) -> None:
    await dispatcher().reconcile(snapshot(source_config={"words": ["canary"]}, states=("canary",)), DispatchReason.TIMER)
    assert "canary" not in "".join(span.to_json() for span in recorded.get_finished_spans())


async def test_d3_without_an_sdk_no_report_names_a_trace() -> None:
    assert (await reconciled()).trace_id == ""


async def test_d3_no_report_names_a_trace_that_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False)
    monkeypatch.setattr("tinyforge.reconcile.dispatch._tracer", provider.get_tracer("tests"))
    assert (await reconciled()).trace_id == ""


def dispatcher(source: DeliberateSource | None = None, trigger: DeliberateTrigger | None = None) -> Dispatcher:
    return Dispatcher(plugins=plugins_of(source, trigger), timeout=5, epoch=7)


async def reconciled(source: DeliberateSource | None = None, trigger: DeliberateTrigger | None = None) -> DispatchReport:
    return await dispatcher(source, trigger).reconcile(snapshot(), DispatchReason.TIMER)


def spans(recorded: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    """The root of the one dispatch that was recorded, and its steps in order."""
    *steps, root = recorded.get_finished_spans()
    assert root.name == "workload.dispatch"
    return [root, *steps]


def outcome(root: ReadableSpan) -> object:
    return (root.attributes or {})["tinyforge.dispatch.outcome"]
