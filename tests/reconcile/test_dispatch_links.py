"""What a dispatch is linked to (rule D3), and what of those that find nothing new is kept."""

from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above
from opentelemetry.sdk.trace.sampling import Decision, Sampler, SamplingResult  # noqa: TID251 - as above

from tests.reconcile.dispatch_recording import attempt, dispatcher, linked, recorded, said
from tests.reconcile.memory_workloads import ID, snapshot
from tinyforge.domain.dispatch import DispatchReason, TraceUnchanged
from tinyforge.domain.traces import Traceparent
from tinyforge.reconcile import dispatch_trace
from tinyforge.reconcile.trace_links import TraceLinks

__all__ = ["recorded"]

PASS, OBJECT = Traceparent("1" * 32, "1" * 16), Traceparent("2" * 32, "2" * 16, sampled=False)


async def test_d3_a_dispatch_is_linked_to_its_hosts_pass_to_the_one_before_it_and_to_its_objects_trace(
    recorded: InMemorySpanExporter,
) -> None:
    links = TraceLinks()
    one = dispatcher(links=links)
    links.passed("local", PASS)
    links.passed("other", OBJECT)
    links.declared({"local", "other"}, {ID}, {ID: OBJECT})
    first, _ = [await one.reconcile(snapshot(), DispatchReason.TIMER) for _ in range(2)]
    roots = [span for span in recorded.get_finished_spans() if span.name == "workload.dispatch"]
    assert linked(roots[0]) == {"pass": PASS, "object": OBJECT}
    assert linked(roots[1]) == {"pass": PASS, "object": OBJECT, "previous_dispatch": first.trace}
    assert all(link.context.is_remote for link in roots[0].links)


class LinksSeen(Sampler):
    """A sampler that keeps what it is shown."""

    def __init__(self) -> None:
        self.shown: list[tuple[str, int, Any]] = []

    def should_sample(self, parent_context: Any, trace_id: int, name: str, *args: Any, **kwargs: Any) -> SamplingResult:
        _, attributes, links = (*args, *kwargs.values())[:3]
        self.shown.append((name, len(links or ()), attributes))
        return SamplingResult(Decision.DROP)

    def get_description(self) -> str:
        return "keeps what it is shown"


async def test_d3_a_sampler_sees_the_links_and_what_was_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    sampler = LinksSeen()
    monkeypatch.setattr(dispatch_trace, "_tracer", TracerProvider(sampler=sampler, shutdown_on_exit=False).get_tracer("tests"))
    links = TraceLinks()
    links.passed("local", PASS)
    await dispatcher(links=links).reconcile(snapshot(), DispatchReason.TIMER)
    (root,) = [shown for shown in sampler.shown if shown[0] == "workload.dispatch"]
    assert (root[1], root[2]["tinyforge.containers.total"]) == (1, 1)


async def test_d3_one_that_is_not_kept_says_so_and_nothing_names_it_nor_is_linked_to_it(recorded: InMemorySpanExporter) -> None:
    links = TraceLinks()
    one = dispatcher(links=links, unchanged=TraceUnchanged.NONE)
    kept = await one.reconcile(snapshot(), DispatchReason.TIMER)
    again = replace(attempt(1), before=kept)
    assert (await one.reconcile(snapshot(), DispatchReason.TIMER, again)).trace is None
    await one.reconcile(snapshot(), DispatchReason.SPEC, again)
    roots = [span for span in recorded.get_finished_spans() if span.name == "workload.dispatch"]
    assert [said(root).get("tinyforge.dispatch.dropped") for root in roots] == [None, True, None]
    assert linked(roots[2])["previous_dispatch"] == kept.trace
