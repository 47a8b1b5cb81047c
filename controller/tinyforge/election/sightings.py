"""What a standby sees of the Lease: by a watch, so that it learns of a release at once, and by reads, since a silent watch proves nothing.

Called by `standing_by`. It decides nothing: what was seen, and that nothing could be seen, goes to whoever asked.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import NoReturn

from tinyforge.cluster import ClusterRefused, ClusterUnavailable
from tinyforge.domain.complaints import Complaint
from tinyforge.domain.lease import Lease
from tinyforge.election.waiting import ended
from tinyforge.ports import Leases

logger = logging.getLogger(__name__)

_PATIENCE = 1.25
"""How many retry periods a watch may be silent until the Lease is read: a leader renews it once in each."""


class Sightings:
    """Looks at the Lease until cancelled.

    Args:
        leases: the Lease, which nobody else uses meanwhile.
        period: how often it is read while it cannot be watched, in seconds.
        saw: told of the Lease whenever it was read or a watch showed it; None: there is none.
        blind: told whenever it could not be read.
    """

    def __init__(self, *, leases: Leases, period: float, saw: Callable[[Lease | None], None], blind: Callable[[], None]) -> None:
        self._leases = leases
        self._period = period
        self._saw = saw
        self._blind = blind
        self._version = ""
        self._heard_at = 0.0
        self._complaints = {"read": Complaint(), "watched": Complaint()}

    async def run(self) -> NoReturn:
        """Look until cancelled. Whatever ends a watch, the next one begins, at most one in each period."""
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            watching = asyncio.create_task(self._watch(), name="watch of the Lease")
            try:
                await self._read_while(watching)
            finally:
                await ended(watching)
            await asyncio.sleep(began + self._period - loop.time())

    async def _read_while(self, watching: "asyncio.Task[None]") -> None:
        """Read the Lease whenever its watch is silent for too long, until that ends or turns out to be deaf."""
        await self._read()
        loop = asyncio.get_running_loop()
        while not watching.done():
            silent_until = self._heard_at + _PATIENCE * self._period
            await asyncio.wait({watching}, timeout=max(0.0, silent_until - loop.time()))
            if loop.time() >= self._heard_at + _PATIENCE * self._period:
                known = self._version
                await self._read()
                if self._version != known:
                    return  # the watch should have said so

    async def _watch(self) -> None:
        try:
            async with aclosing(self._leases.watch()) as watch:
                async for lease in watch:
                    self._hear(lease)
            self._tell_end("watched")
        except (ClusterUnavailable, ClusterRefused) as error:
            self._complain("watched", str(error))

    async def _read(self) -> None:
        try:
            lease = await self._leases.read()
        except (ClusterUnavailable, ClusterRefused) as error:
            self._heard_at = asyncio.get_running_loop().time()
            self._complain("read", str(error))
            self._blind()
        else:
            self._tell_end("read")
            self._hear(lease)

    def _hear(self, lease: Lease | None) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._version = lease.resource_version if lease else ""
        self._saw(lease)

    def _complain(self, done: str, complaint: str) -> None:
        if self._complaints[done].is_news(complaint):
            logger.warning("the Lease cannot be %s: %s", done, complaint, extra={"action": "lease_unreadable"})

    def _tell_end(self, done: str) -> None:
        if failures := self._complaints[done].over():
            logger.info(
                "the Lease can be %s again (failures: %d)", done, failures, extra={"action": "lease_readable", "failures": failures}
            )
