"""What dispatches leave of traces, looked at with the SDK's own exporter in memory.

Fixture (imported by the modules that use it): `recorded`.
"""

from collections.abc import Sequence
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above

from tests.reconcile.deliberate_plugins import DeliberateSource, DeliberateTrigger, plugins_of
from tests.reconcile.memory_workloads import snapshot
from tinyforge.domain.dispatch import Attempt, DispatchReason, DispatchReport, TraceUnchanged
from tinyforge.domain.traces import Traceparent
from tinyforge.reconcile import dispatch_trace
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.trace_links import TraceLinks


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What is recorded of traces, as if this process had an SDK: the real one can be set up once only, for all tests."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(dispatch_trace, "_tracer", provider.get_tracer("tests"))
    return exporter


def dispatcher(
    source: DeliberateSource | None = None,
    trigger: DeliberateTrigger | None = None,
    *,
    seconds: float = 5.0,
    links: TraceLinks | None = None,
    unchanged: TraceUnchanged = TraceUnchanged.ALL,
) -> Dispatcher:
    traces = DispatchTraces(epoch=7, links=links or TraceLinks(), unchanged=unchanged)
    return Dispatcher(plugins=plugins_of(source, trigger), timeout=seconds, traces=traces)


async def reconciled(source: DeliberateSource | None = None, trigger: DeliberateTrigger | None = None) -> DispatchReport:
    return await dispatcher(source, trigger).reconcile(snapshot(), DispatchReason.TIMER)


def attempt(number: int, *, rest: float | None = None) -> Attempt:
    return Attempt(number=number, rest=lambda _: rest)


def spans(recorded: InMemorySpanExporter) -> Sequence[ReadableSpan]:
    """The root of the one dispatch that was recorded, and its steps in order."""
    *steps, root = recorded.get_finished_spans()
    assert root.name == "workload.dispatch"
    return [root, *steps]


def said(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def outcome(root: ReadableSpan) -> object:
    return said(root)["tinyforge.dispatch.outcome"]


def status(span: ReadableSpan) -> str:
    """The status of a span: UNSET, or ERROR with what it says."""
    return " ".join(filter(None, (span.status.status_code.name, span.status.description)))


def exceptions(span: ReadableSpan) -> list[dict[str, Any]]:
    return [dict(event.attributes or {}) for event in span.events if event.name == "exception"]


def linked(span: ReadableSpan) -> dict[Any, Traceparent]:
    """What a span is linked to, by what it says that is."""
    return {
        (link.attributes or {})["tinyforge.link"]: Traceparent(
            f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}", sampled=link.context.trace_flags.sampled
        )
        for link in span.links
    }
