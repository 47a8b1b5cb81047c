"""Waiting for PostgreSQL, and for the API server, which a controller does as long as it has to."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from tinyforge.cli.database import UsedDatabase
from tinyforge.cluster import ClusterRefused, ClusterUnavailable
from tinyforge.domain.complaints import Complaint
from tinyforge.ports import IndexUnavailable, TinyforgeError

logger = logging.getLogger(__name__)

T = TypeVar("T")


async def until_available(attempt: Callable[[], Awaitable[T]], *, pause: float = 2.0, told: Callable[[str], None] = lambda _: None) -> T:
    """Try something until PostgreSQL, or the API server, does what is asked of it, and return what it returns.

    What an API server refuses is worth another try too: rights and definitions are given to a cluster while the program runs. A complaint
    is logged when it is a new one, and how often when it is over.

    Args:
        attempt: what is tried.
        pause: the seconds between two tries.
        told: called with every complaint.
    """
    complaint = Complaint()
    while True:
        try:
            answer = await attempt()
        except (IndexUnavailable, ClusterUnavailable, ClusterRefused) as error:
            if complaint.is_news(str(error)):
                _tell(error, pause)
            told(str(error))
            await asyncio.sleep(pause)
        else:
            if failures := complaint.over():
                logger.info(
                    "what was waited for is there (failures: %d)", failures, extra={"action": "awaited_no_more", "failures": failures}
                )
            return answer


def _tell(error: IndexUnavailable | ClusterUnavailable | ClusterRefused, pause: float) -> None:
    if isinstance(error, IndexUnavailable):
        logger.warning("%s; trying again every %g s", error, pause, extra={"action": "database_awaited"})
    else:
        logger.warning("%s; trying again every %g s", error, pause, extra={"action": "cluster_awaited"})


class Reviving:
    """Starts a server that is ours and has ended. What keeps it from starting is said when it is new, not every time."""

    def __init__(self, used: UsedDatabase, *, pause: float = 2.0) -> None:
        self._used = used
        self._pause = pause
        self._complaint = Complaint()

    async def revive(self) -> None:
        """Start it again if it has ended; after a failure there is a pause of so many seconds."""
        try:
            await asyncio.to_thread(self._used.revive)
        except TinyforgeError as error:
            complaint, *_ = str(error).splitlines()  # what follows is the server's own log, with its times
            if self._complaint.is_news(complaint):
                logger.warning("%s", error, extra={"action": "database_not_revived"})
            await asyncio.sleep(self._pause)
        else:
            self._complaint.over()
