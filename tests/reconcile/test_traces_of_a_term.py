"""The traces of a term find each other: a dispatch is linked to the pass that it saw, to the one before it, and to its object's trace."""

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above

from tests.index.examples import host
from tests.index.waiting import until
from tests.reconcile.declaring import reading
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.memory_workloads import ID, declared
from tests.reconcile.terms import Term
from tinyforge.domain.traces import Traceparent
from tinyforge.index.led import LedIndex
from tinyforge.reconcile import dispatch_trace, pass_trace

OBJECT = Traceparent("a" * 32, "b" * 16)


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    for module in (dispatch_trace, pass_trace):
        monkeypatch.setattr(module, "_tracer", provider.get_tracer("tests"))
    return exporter


async def test_d3_a_dispatch_is_linked_to_its_hosts_pass_to_the_one_before_it_and_to_where_its_object_is_traced(
    index: LedIndex, recorded: InMemorySpanExporter
) -> None:
    local = host("local", allowed_namespaces=("*",))
    term = Term(index, local, declared())
    term.engines["local"] = MemoryEngine(service("web", project="tinyforge-default_shop"))
    term.declarer.reading = reading([local, declared()], traced={ID: OBJECT})
    async with term.led():
        await term.until_ready(ID, "True Running")
        await term.leading.timed_turn(ID)
        await until(lambda: len(roots(recorded, "workload.dispatch")) >= 2)
    passes = {place(root) for root in roots(recorded, "index.pass")}
    first, second = roots(recorded, "workload.dispatch")[:2]
    assert linked(first)["pass"] in passes
    assert (linked(first)["object"], linked(first).get("previous_dispatch")) == (OBJECT, None)
    assert (linked(second)["pass"], linked(second)["previous_dispatch"]) == (linked(first)["pass"], place(first))
    statuses = [dispatch.trace for _, _, dispatch in term.notes.statuses if dispatch]
    assert statuses[0] == place(first)


def roots(recorded: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in recorded.get_finished_spans() if span.name == name]


def place(span: ReadableSpan) -> Traceparent:
    return Traceparent(f"{span.context.trace_id:032x}", f"{span.context.span_id:016x}")


def linked(span: ReadableSpan) -> dict[Any, Traceparent]:
    return {
        (link.attributes or {})["tinyforge.link"]: Traceparent(f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}")
        for link in span.links
    }
