"""The real Jaeger of the tests keeps what it promises to everybody else's tests."""

import socket

import pytest
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource  # noqa: TID251 - a sender of the test's own
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - a sender of the test's own
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - a sender of the test's own
from opentelemetry.trace import Link, SpanContext, SpanKind, StatusCode, TraceFlags, format_trace_id

from tests.servers.jaeger import Jaeger
from tests.servers.jaeger_api import Place

ELSEWHERE = SpanContext(0xABC, 0xDEF, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))


def sent(jaeger: Jaeger, service: str) -> str:
    """Send a root with a link and a child that failed, and return the id of their trace."""
    provider = TracerProvider(resource=Resource({"service.name": service}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{jaeger.otlp_http}/v1/traces")))
    tracer = provider.get_tracer("tests")
    linked = tracer.start_as_current_span("root", kind=SpanKind.SERVER, links=[Link(ELSEWHERE)], attributes={"number": 1, "true": True})
    with linked as root, tracer.start_as_current_span("child") as child:
        child.record_exception(ValueError("no"))
        child.set_status(StatusCode.ERROR, "why")
    provider.shutdown()
    return format_trace_id(root.get_span_context().trace_id)


def test_what_was_sent_can_be_asked_for(jaeger: Jaeger):
    trace_id = sent(jaeger, "one")
    root, child = sorted(jaeger.trace(trace_id), key=lambda span: span.parent)
    assert (root.name, root.kind, root.status, root.parent, root.resource["service.name"]) == ("root", "server", "unset", "", "one")
    assert (root.attributes["number"], root.attributes["true"]) == (1, True)
    assert root.links == [Place(trace_id=f"{0xABC:032x}", span_id=f"{0xDEF:016x}")]
    assert (child.name, child.status, child.message, child.parent) == ("child", "error", "why", root.place.span_id)
    assert [(it.name, it.attributes["exception.message"]) for it in child.events] == [("exception", "no")]
    assert root.began <= child.began <= child.events[0].at <= child.ended <= root.ended


def test_each_service_has_its_own_spans_and_nobody_has_none(jaeger: Jaeger):
    traces = {service: sent(jaeger, service) for service in ("two", "three")}
    for trace_id in traces.values():
        jaeger.trace(trace_id)
    assert {service: {span.trace_id for span in jaeger.api.spans(service)} for service in traces} == {
        service: {trace_id} for service, trace_id in traces.items()
    }
    assert set(traces) <= set(jaeger.api.services())
    assert jaeger.api.spans("nobody") == []
    assert jaeger.api.trace("1") == []


def test_one_of_a_tests_own_refuses_connections_until_it_is_started_and_runs_beside_another(jaeger: Jaeger, own_jaeger: Jaeger):
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((own_jaeger.address, 4318))
    own_jaeger.process.start()
    trace_id = sent(own_jaeger, "four")
    assert len(own_jaeger.trace(trace_id)) == 2
    assert jaeger.api.trace(trace_id) == []
    assert own_jaeger.api.services() == ["four"], "it does not trace itself"
