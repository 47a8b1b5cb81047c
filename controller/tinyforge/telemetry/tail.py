"""Leaves out traces of which only the end tells that nobody needs them: dispatches that found nothing new (`TINYFORGE_TRACE_UNCHANGED`).

A step ends before its root does, so the steps of a dispatch are held back until that.
"""

from collections import deque

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

_ROOT = "workload.dispatch"
_DROPPED = "tinyforge.dispatch.dropped"
_MOST_HELD = 256
"""Of one trace. Ours has three at most, a plugin may make any number; further ones are let through, and may be left without a root."""
_REMEMBERED = 256


class TailFilter(SpanProcessor):
    """Holds back the spans of a dispatch until its root ends, and lets them through unless the root says that it is dropped.

    Args:
        behind: takes what is let through.
    """

    def __init__(self, behind: SpanProcessor) -> None:
        self._behind = behind
        self._held: dict[int, list[ReadableSpan]] = {}
        self._dropped: deque[int] = deque(maxlen=_REMEMBERED)  # for what a plugin left behind ends later than its dispatch

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Begin to hold back a trace."""
        if _is_root(span) and span.context:
            self._held[span.context.trace_id] = []
        self._behind.on_start(span, parent_context)

    def on_end(self, span: ReadableSpan) -> None:
        """Hold a span back, or let it through with those that waited for it."""
        if span.context is None:
            return
        trace_id = span.context.trace_id
        if _is_root(span):
            self._settle(trace_id, span)
        elif len(self._held.get(trace_id, ())) < _MOST_HELD and trace_id in self._held:
            self._held[trace_id].append(span)
        elif trace_id not in self._dropped:
            self._behind.on_end(span)

    def shutdown(self) -> None:
        """End it; what waits for its root has none that will end."""
        self._held.clear()
        self._behind.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what was let through."""
        return self._behind.force_flush(timeout_millis)

    def _settle(self, trace_id: int, root: ReadableSpan) -> None:
        steps = self._held.pop(trace_id, [])
        if root.attributes and root.attributes.get(_DROPPED):
            self._dropped.append(trace_id)
            return
        for span in (*steps, root):
            self._behind.on_end(span)


def _is_root(span: ReadableSpan) -> bool:
    return span.parent is None and span.name == _ROOT
