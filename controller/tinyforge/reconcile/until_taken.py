"""Trying something for as long as PostgreSQL does not take it: what a timer and a mirror need, and nobody who waits for an answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tinyforge.domain.complaints import Complaint
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_SECONDS = 2.0


async def until_taken(what: str, attempt: Callable[[], Awaitable[T]], *, action: str, level: int = logging.WARNING, **about: str) -> T:
    """Return what `attempt` returns, trying it every 2 s; a complaint is logged when it is a new one, and how often when it is over.

    Args:
        what: what is not taken, for the log.
        attempt: what is tried.
        action: the log line's stable word.
        level: the log line's level.
        about: the log line's `host` or `workload`.

    Raises:
        Fenced: another process leads.
    """
    complaint = Complaint()
    while True:
        try:
            answer = await attempt()
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:
            if complaint.is_news(str(error)):
                logger.log(level, "%s: %s", what, error, extra={"action": action, **about})
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            _tell_end(what, complaint.over(), level=min(level, logging.INFO), **about)
            return answer


def _tell_end(what: str, failures: int, *, level: int, **about: str) -> None:
    if failures:
        logger.log(
            level, "%s: that is over (failures: %d)", what, failures, extra={"action": "written_again", "failures": failures, **about}
        )
