"""What passes leave of traces, looked at with the SDK's own exporter in memory."""

from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler  # noqa: TID251 - as above

from tinyforge.domain.hosts import Host
from tinyforge.reconcile import pass_trace
from tinyforge.reconcile.pass_trace import PassTraces

SECOND = 1_000_000_000


class Recorded:
    """The traces of passes, or of what `module` records, since they were asked for last."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, sampler: Sampler = ALWAYS_ON, module: ModuleType = pass_trace) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        monkeypatch.setattr(module, "_tracer", provider.get_tracer("tests"))

    def traces(self) -> list[tuple[ReadableSpan, Sequence[ReadableSpan]]]:
        """Return each root with its children in order."""
        spans = self._exporter.get_finished_spans()
        self._exporter.clear()
        roots = [span for span in spans if span.parent is None]
        within = {root.context.span_id: [span for span in spans if span.parent == root.context] for root in roots}
        assert len(spans) == len(roots) + sum(map(len, within.values())), "a child is nobody's"
        return [(root, within[root.context.span_id]) for root in roots]

    def one(self) -> tuple[ReadableSpan, Sequence[ReadableSpan]]:
        """Return the one trace that there is."""
        (found,) = self.traces()
        return found

    def kept(self) -> list[object]:
        """Return why each was kept."""
        return [facts(root)["tinyforge.pass.kept"] for root, _ in self.traces()]

    def reasons(self) -> list[object]:
        """Return why each ran."""
        return [facts(root)["tinyforge.pass.reason"] for root, _ in self.traces()]


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        return self.now

    def on(self, seconds: float) -> None:
        """Move it on."""
        self.now += round(seconds * SECOND)


def facts(span: ReadableSpan) -> Mapping[str, Any]:
    """The attributes of a span."""
    return dict(span.attributes or {})


def status(span: ReadableSpan) -> str:
    """The status of a span: UNSET, or ERROR with what it says."""
    return " ".join(filter(None, (span.status.status_code.name, span.status.description)))


def exceptions(span: ReadableSpan) -> list[Mapping[str, Any]]:
    """The exceptions that a span has recorded."""
    return [dict(event.attributes or {}) for event in span.events if event.name == "exception"]


def traces_of(host: Host, clock: Clock) -> PassTraces:
    """Traces by a clock that a test moves."""
    return PassTraces(host, epoch=7, clock=clock)
