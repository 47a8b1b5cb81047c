"""Trying something for as long as PostgreSQL does not take it: what a timer and a mirror need, and nobody who waits for an answer."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")

_RETRY_SECONDS = 2.0


async def until_taken(what: str, attempt: Callable[[], Awaitable[T]], *, action: str, level: int = logging.WARNING) -> T:
    """Return what `attempt` returns, trying it every 2 s; a complaint is logged when it is a new one, not every time.

    Args:
        what: what is not taken, for the log.
        attempt: what is tried.
        action: the log line's stable word.
        level: the log line's level.

    Raises:
        Fenced: another process leads.
    """
    complaint = ""
    while True:
        try:
            return await attempt()
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:
            if str(error) != complaint:
                logger.log(level, "%s: %s", what, error, extra={"action": action})
            complaint = str(error)
            await asyncio.sleep(_RETRY_SECONDS)
