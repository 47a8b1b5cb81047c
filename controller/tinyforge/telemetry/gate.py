"""The way into the queue of spans: it says when there is no room, which the SDK's queue would not let anybody count."""

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, Span, SpanProcessor

from tinyforge.telemetry.statistics import TraceStatistics


class Gate(SpanProcessor):
    """Lets spans into a queue for as long as it has room; what ends when it has none, or after the end, is dropped and counted.

    Args:
        queue: takes what is let in.
        capacity: how many spans may be on their way to the collector.
        statistics: where they are counted.
    """

    def __init__(self, queue: SpanProcessor, *, capacity: int, statistics: TraceStatistics) -> None:
        self._queue = queue
        self._capacity = capacity
        self._statistics = statistics

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        """Nothing is done at a start."""

    def on_end(self, span: ReadableSpan) -> None:
        """Let a span in that ended, if it is to be kept."""
        if span.context and span.context.trace_flags.sampled and self._statistics.enter(self._capacity):
            self._queue.on_end(span)

    def shutdown(self) -> None:
        """Let nothing more in, and send what is there."""
        self._capacity = 0
        self._queue.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Send what is there; the SDK ignores the timeout."""
        return self._queue.force_flush(timeout_millis)
