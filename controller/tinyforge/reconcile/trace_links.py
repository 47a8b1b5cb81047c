"""What a dispatch is linked to: the last recorded pass of its host, its workload's previous dispatch, and what the object says of a trace.

Links and never parents: each of them is a trace of its own, which ended or is somebody else's.
"""

from collections.abc import Collection, Mapping

from opentelemetry import trace
from opentelemetry.trace import Span

from tinyforge.domain.traces import Traceparent


class TraceLinks:
    """The places in traces that a term knows of."""

    def __init__(self) -> None:
        self._passes: dict[str, Traceparent] = {}
        self._dispatches: dict[str, Traceparent] = {}
        self._objects: Mapping[str, Traceparent] = {}

    def passed(self, host: str, trace: Traceparent | None) -> None:
        """Remember a pass of a host, if it was recorded."""
        if trace:
            self._passes[host] = trace

    def dispatched(self, workload: str, trace: Traceparent | None) -> None:
        """Remember a dispatch of a workload, if it was recorded."""
        if trace:
            self._dispatches[workload] = trace

    def declared(self, hosts: Collection[str], workloads: Collection[str], objects: Mapping[str, Traceparent]) -> None:
        """Keep what concerns these hosts and workloads, and take over what objects say (annotation `tracing.k8s.io/traceparent`)."""
        self._passes = {host: trace for host, trace in self._passes.items() if host in hosts}
        self._dispatches = {workload: trace for workload, trace in self._dispatches.items() if workload in workloads}
        self._objects = objects

    def of(self, workload: str, host: str) -> Mapping[str, Traceparent]:
        """Return what a dispatch is linked to, by what it is: `pass`, `previous_dispatch`, `object`."""
        found = {"pass": self._passes.get(host), "previous_dispatch": self._dispatches.get(workload), "object": self._objects.get(workload)}
        return {what: trace for what, trace in found.items() if trace}


def place_of(span: Span) -> Traceparent | None:
    """Return where a span is, if it is recorded."""
    if not span.is_recording():
        return None
    at = span.get_span_context()
    return Traceparent(trace.format_trace_id(at.trace_id), trace.format_span_id(at.span_id), sampled=at.trace_flags.sampled)
