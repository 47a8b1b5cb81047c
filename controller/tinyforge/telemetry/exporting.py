"""From a batch of spans to the collector: the SDK's exporters, with what became of each batch counted and said.

The SDK's own log lines about a collector that is away would come every few seconds, and their texts may hold a header or a password. So
none of them is let through: the first export that fails is said here, then they are only counted, and their end is said again.
"""

import logging
import threading
from collections.abc import Sequence
from enum import Enum
from importlib import import_module

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from tinyforge.domain.texts import printable
from tinyforge.telemetry.environment import GRPC, TraceExport
from tinyforge.telemetry.statistics import TraceStatistics

logger = logging.getLogger(__name__)

_PHRASE_LENGTH = 60  # characters
_TALKATIVE = ("opentelemetry.exporter", "opentelemetry.util", "urllib3", "requests")
"""Loggers that tell of every request, of every attempt, and of headers that they cannot read."""


class Overheard(logging.Handler):
    """Hears what exporters say of an export that fails, in place of the log, and keeps what kind of failure it was: nobody's text."""

    def __init__(self) -> None:
        super().__init__(level=logging.WARNING)
        self._heard = threading.local()  # an exporter says it in the thread that exports
        for name in _TALKATIVE:
            talkative = logging.getLogger(name)
            talkative.handlers[:], talkative.propagate = [self], False

    def emit(self, record: logging.LogRecord) -> None:
        """Hear a line; of its arguments only the type of an error, or a status, counts."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        if arguments and isinstance(arguments[0], str) and record.msg.startswith("Transient error"):
            self.hear(f"it answered {printable(arguments[0], _PHRASE_LENGTH)}")  # what stands behind the number of an HTTP status
        else:
            self.hear(next(filter(None, map(_kind, arguments)), ""))

    def hear(self, cause: str) -> None:
        """Keep why an export of this thread fails, if anything says that."""
        self._heard.cause = cause or self._heard.__dict__.get("cause", "")

    def because(self) -> str:
        """Return why the export that just failed in this thread did, and forget it."""
        return self._heard.__dict__.pop("cause", "") or "not in time"


class CountedExporter(SpanExporter):
    """An exporter whose exports are counted.

    Args:
        exporter: the SDK's.
        place: where it exports to, as people are shown it.
        statistics: where its exports are counted.
        overheard: what it says of failures.
    """

    def __init__(self, exporter: SpanExporter, *, place: str, statistics: TraceStatistics, overheard: Overheard) -> None:
        self._exporter = exporter
        self._place = place
        self._statistics = statistics
        self._overheard = overheard
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Export a batch; called by the SDK, in a thread of its own."""
        try:
            is_taken = self._exporter.export(spans) is SpanExportResult.SUCCESS
        except Exception as error:  # noqa: BLE001 - a batch that no exporter can send is a batch that is lost, and the thread has to go on
            self._overheard.hear(type(error).__name__)
            is_taken = False
        cause = self._overheard.because()  # also of one that was taken at the second attempt: it is forgotten
        if is_taken:
            self._statistics.take(len(spans))
            self._say_sent()
        else:
            self._statistics.fail(len(spans))
            self._say_lost(len(spans), cause)
        return SpanExportResult.SUCCESS if is_taken else SpanExportResult.FAILURE

    def shutdown(self) -> None:
        """End it; called by the SDK."""
        self._exporter.shutdown()

    def _say_lost(self, spans: int, cause: str) -> None:
        if not self._lost:
            logger.warning(
                "%s takes no traces (%s): what cannot be sent is dropped and counted, and nothing waits for it",
                self._place,
                cause,
                extra={"action": "traces_not_sent", "reason": cause},
            )
        self._lost += spans

    def _say_sent(self) -> None:
        if self._lost:
            logger.info("%s takes traces again; %d spans were lost", self._place, self._lost, extra={"action": "traces_sent_again"})
        self._lost = 0


def exporter_of(export: TraceExport) -> SpanExporter:
    """Return the SDK's exporter for where traces go; what is not said here (headers, certificates, compression) it takes from `OTEL_*`."""
    if export.protocol == GRPC:
        optional = import_module("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")  # `trace_faults` has seen that it is there
        exporter: SpanExporter = optional.OTLPSpanExporter(endpoint=export.endpoint, timeout=export.seconds)
        return exporter
    return OTLPSpanExporter(endpoint=export.endpoint, timeout=export.seconds)


def _kind(argument: object) -> str:
    match argument:
        case BaseException():
            return type(argument).__name__
        case Enum():  # a status of gRPC
            return argument.name
        case int():
            return f"it answered {argument}"
        case _:
            return ""
