"""A trace as JSON: its spans, each with everything that Jaeger knows of it."""

from typing import Any

from tinyforge.jaeger.spans import Span, Trace


def document(trace: Trace) -> list[dict[str, Any]]:
    """Return the spans in the order in which they began."""
    return [_span(span) for span in trace.spans]


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceID": span.trace_id,
        "spanID": span.span_id,
        "parentSpanID": span.parent_id,
        "service": span.service,
        "name": span.name,
        "startTime": span.began,
        "durationSeconds": span.seconds,
        "failed": span.failure is not None,
        "message": span.failure or "",
        "attributes": span.attributes,
        "events": [{"name": event.name, "time": event.at, "attributes": event.attributes} for event in span.events],
        "links": [{"traceID": link.trace_id, "spanID": link.span_id, "attributes": link.attributes} for link in span.links],
    }
