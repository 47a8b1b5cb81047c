"""Log lines: for people on a terminal, one JSON object a line otherwise.

Every line has a stable `action` (in JSON), so that a search for it survives a change of wording.
"""

import logging
import sys
from typing import Literal, TextIO

from pythonjsonlogger.json import JsonFormatter

_TEXT = "%(asctime)s %(levelname)-7s %(message)s"


class _PrintableFormatter(logging.Formatter):
    """Writes out what would not print as itself: names and messages come from files, containers and engines."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - logging's own name
        line = super().formatMessage(record)
        return line if line.isprintable() else "".join(char if char.isprintable() else ascii(char)[1:-1] for char in line)


def configure_logs(*, form: Literal["auto", "text", "json"], level: str, stream: TextIO = sys.stderr) -> None:
    """Send the process's log lines to `stream`; `form` auto means text if that is a terminal."""
    handler = logging.StreamHandler(stream)
    if form == "text" or (form == "auto" and stream.isatty()):
        handler.setFormatter(_PrintableFormatter(_TEXT, datefmt="%H:%M:%S"))
    else:
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
                datefmt="%Y-%m-%dT%H:%M:%S%z",
            )
        )
    for each in ("httpcore2", "httpx2"):
        logging.getLogger(each).setLevel(logging.WARNING)  # they tell of every request
    logging.getLogger("psycopg").setLevel(logging.ERROR)  # it warns of what follows from an error, which is told where it matters
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
