"""Traces of which only the end tells that nobody needs them leave nothing behind, and all others everything."""

import pytest
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what is recorded with it is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above

from tinyforge.telemetry.tail import TailFilter

DROPPED = {"tinyforge.dispatch.dropped": True}


class Filtered:
    """Spans behind a filter."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.filter = TailFilter(SimpleSpanProcessor(self._exporter))
        self.provider.add_span_processor(self.filter)
        self.tracer = self.provider.get_tracer("tests")

    @property
    def names(self) -> list[str]:
        """Those that were let through, in order."""
        return [span.name for span in self._exporter.get_finished_spans()]

    def root(self, name: str = "workload.dispatch") -> trace.Span:
        return self.tracer.start_span(name, context=Context())

    def step(self, root: trace.Span, name: str) -> trace.Span:
        return self.tracer.start_span(name, context=trace.set_span_in_context(root, Context()))


@pytest.fixture
def spans() -> Filtered:
    return Filtered()


def test_a_dispatch_that_is_dropped_leaves_nothing_and_one_that_is_kept_everything_in_order(spans: Filtered) -> None:
    kept, dropped = spans.root(), spans.root()
    for root in (kept, dropped):
        for name in ("trigger.check", "source.reconcile"):
            spans.step(root, name).end()
    assert spans.names == [], "nobody knows yet"
    dropped.set_attributes(DROPPED)
    dropped.end()
    assert spans.names == []
    kept.end()
    assert spans.names == ["trigger.check", "source.reconcile", "workload.dispatch"]


@pytest.mark.parametrize("name", ["index.pass", "leader.term"])
def test_other_traces_are_not_held_back_nor_dropped_whatever_they_say(spans: Filtered, name: str) -> None:
    root = spans.root(name)
    spans.step(root, "step").end()
    assert spans.names == ["step"]
    root.set_attributes(DROPPED)
    root.end()
    assert spans.names == ["step", name]


def test_what_a_plugin_left_behind_follows_its_dispatch(spans: Filtered) -> None:
    kept, dropped = spans.root(), spans.root()
    late = [spans.step(root, name) for root, name in ((kept, "late"), (dropped, "late and dropped"))]
    dropped.set_attributes(DROPPED)
    for span in (kept, dropped, *late):
        span.end()
    assert spans.names == ["workload.dispatch", "late"]


def test_m10_a_plugin_that_makes_any_number_of_spans_fills_no_memory(spans: Filtered) -> None:
    root = spans.root()
    for _ in range(1000):
        spans.step(root, "step").end()
    assert sum(map(len, spans.filter._held.values())) == 256
    root.end()
    assert len(spans.names) == 1001
    assert spans.filter._held == {}


def test_nothing_is_remembered_of_traces_that_have_ended(spans: Filtered) -> None:
    for _ in range(2000):
        root = spans.root()
        spans.step(root, "step").end()
        root.set_attributes(DROPPED)
        root.end()
    assert (spans.filter._held, len(spans.filter._dropped), spans.names) == ({}, 256, [])


def test_at_the_end_what_waits_for_its_root_is_gone(spans: Filtered) -> None:
    root = spans.root()
    spans.step(root, "step").end()
    spans.provider.shutdown()
    assert spans.filter._held == {}
