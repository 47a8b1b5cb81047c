"""What kopf says in the log, less what helps nobody: each tick, each stop, and each of a thousand attempts while the API server is away.

That the API server is away is said once by whoever of ours misses it (`declared_objects`, `status_complaints`).
"""

import logging
import re

_LEVELS = {
    "kopf": logging.WARNING,  # it tells of every tick
    "kopf._core.reactor.queueing": logging.ERROR,  # and at its end of every handler that waits
    "kopf._core.reactor.running": logging.ERROR,  # and that signals are not its own, which is meant
}
_ASKING = ("kopf._cogs.clients.watching", "kopf._core.reactor.observation", "kopf.objects")
_ATTEMPT = re.compile(r"Request attempt #(\d+).* failed; will retry")


def quieten() -> None:
    """Set kopf's loggers; idempotent."""
    for name, level in _LEVELS.items():
        logging.getLogger(name).setLevel(level)
    for name in _ASKING:
        logging.getLogger(name).addFilter(is_news)


def is_news(record: logging.LogRecord) -> bool:
    """Whether a line is none of those on the second and later attempts of a request."""
    attempt = _ATTEMPT.match(record.getMessage())
    return attempt is None or attempt[1] == "1"
