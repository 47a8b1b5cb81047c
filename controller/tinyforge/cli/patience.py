"""Waiting for PostgreSQL, which `run` does as long as it has to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tinyforge.ports import IndexUnavailable

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def until_available(attempt: Callable[[], Awaitable[T]], *, pause: float = 2.0) -> T:
    """Try something until PostgreSQL answers, with a pause of so many seconds, and return what it returns.

    A complaint is logged when it is a new one, not every time.
    """
    complaint = ""
    while True:
        try:
            return await attempt()
        except IndexUnavailable as error:
            if str(error) != complaint:
                logger.warning("%s; trying again every %g s", error, pause, extra={"action": "database_awaited"})
            complaint = str(error)
            await asyncio.sleep(pause)
