"""Log lines: for people on a terminal, one JSON object a line otherwise.

Every line has a stable `action` (in JSON), so that a search for it survives a change of wording; `docs/logs.md` lists them. What is said
while a span is recorded names its trace, so that a line leads to the trace and a trace to its lines; and what a leader says has its epoch.
"""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TextIO

from opentelemetry import trace
from pythonjsonlogger.json import JsonFormatter

_TEXT = "%(asctime)s %(levelname)-7s %(message)s"


class _PrintableFormatter(logging.Formatter):
    """Writes out what would not print as itself: names and messages come from files, containers and engines.

    A warning or an error ends with the trace that shows more; other lines stay short.
    """

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        line = super().formatMessage(record)
        if record.levelno >= logging.WARNING and (trace_id := getattr(record, "trace_id", "")):
            line = f"{line} (trace {trace_id})"
        return line if line.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def configure_logs(*, form: Literal["auto", "text", "json"], level: str, stream: TextIO = sys.stderr) -> None:
    """Send the process's log lines to `stream`; `form` auto means text if that is a terminal."""
    handler = logging.StreamHandler(stream)
    handler.addFilter(_add_action)
    handler.addFilter(_add_trace)
    if form == "text" or (form == "auto" and stream.isatty()):
        handler.setFormatter(_PrintableFormatter(_TEXT, datefmt="%H:%M:%S"))
    else:
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(action)s %(name)s %(message)s",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
                datefmt="%Y-%m-%dT%H:%M:%S%z",
            )
        )
    for each in ("httpcore2", "httpx2"):
        logging.getLogger(each).setLevel(logging.WARNING)  # they tell of every request
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of what follows from an error, which is told where it matters
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)


@contextmanager
def lines_of_epoch(epoch: int) -> Iterator[None]:
    """Add the epoch of a term that was won to every line of this process, in whichever thread, for the length of a block."""

    def add_epoch(record: logging.LogRecord) -> bool:
        record.__dict__.setdefault("epoch", epoch)
        return True

    handlers = list(logging.getLogger().handlers)
    for handler in handlers:
        handler.addFilter(add_epoch)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(add_epoch)


def _add_action(record: logging.LogRecord) -> bool:
    """Give a line without an action, which is a library's, the name of the library."""
    record.__dict__.setdefault("action", record.name.partition(".")[0])
    return True


def _add_trace(record: logging.LogRecord) -> bool:
    """Name the span that is recorded now, unless the line says itself which trace it is about; an empty trace id: about none."""
    fields = record.__dict__
    if "trace_id" not in fields:
        fields.update(_recorded())
    elif not fields["trace_id"]:
        del fields["trace_id"]
    return True


def _recorded() -> dict[str, str]:
    span = trace.get_current_span()
    if not span.is_recording():
        return {}
    context = span.get_span_context()
    return {"trace_id": trace.format_trace_id(context.trace_id), "span_id": trace.format_span_id(context.span_id)}
