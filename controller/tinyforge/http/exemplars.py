"""From a number in a histogram to the trace behind it: OpenMetrics' exemplars, which no other format shows (`exposition`)."""


def exemplar(trace_id: str) -> dict[str, str] | None:
    """Return an exemplar's labels, named as OpenTelemetry's "Prometheus and OpenMetrics Compatibility" has it; None without a trace."""
    return {"trace_id": trace_id} if trace_id else None
