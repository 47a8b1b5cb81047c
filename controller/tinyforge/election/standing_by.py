"""A standby: it sees the Lease and whoever leads the database, and campaigns when `Candidacy` says so. Called by `elector`."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NoReturn

from tinyforge.domain.candidacy import Campaign, Candidacy, Wait
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import Lease, LeaseTimes
from tinyforge.election.sightings import Sightings
from tinyforge.election.waiting import ended, told
from tinyforge.ports import Leases, Presence

logger = logging.getLogger(__name__)


class StandingBy:
    """One replica that waits for its turn; the attendant of its own presence (`tinyforge.ports.Attendant`).

    Args:
        leases: the Lease, used by nobody else while this waits.
        presence: of this process.
        candidacy: takes in what is seen, and decides.
        times: those of the Lease.
        now: the clock.
        warm: called once, when both the Lease and whoever leads the database were seen.
    """

    def __init__(
        self,
        *,
        leases: Leases,
        presence: Presence,
        candidacy: Candidacy,
        times: LeaseTimes,
        now: Callable[[], float],
        warm: Callable[[], None],
    ) -> None:
        self._presence = presence
        self._candidacy = candidacy
        self._now = now
        self._warm = warm
        self._has_read = self._is_warm = False
        self._sightings = Sightings(leases=leases, period=times.retry_period, saw=self._saw, blind=self._was_blind)
        self._news = asyncio.Event()
        self._holding: asyncio.Task[NoReturn] | None = None
        self.waits = Wait(reason="it has only just started")
        """Why it does not campaign, as last decided."""
        self.leaders: LeadersLook | None = None
        """What PostgreSQL told last of whoever leads."""

    @asynccontextmanager
    async def present(self) -> AsyncIterator[None]:
        """Hold the presence for the length of a block, in which there may be campaigns."""
        self._holding = asyncio.create_task(self._presence.hold(self), name="presence of a standby")
        try:
            yield
        finally:
            await ended(self._holding)

    async def campaign_due(self) -> Campaign:
        """Wait until there is something to campaign for, within `present`.

        Raises:
            IndexRefused: nobody can lead this database until somebody acts.
        """
        assert self._holding  # noqa: S101 - for the type checker: it is set within `present`
        sighting = asyncio.create_task(self._sightings.run(), name="sightings of the Lease")
        deciding = asyncio.create_task(self._decided(), name="candidacy")
        try:
            await asyncio.wait({sighting, deciding, self._holding}, return_when=asyncio.FIRST_COMPLETED)
            for task in (self._holding, sighting):
                if task.done():
                    await task  # for its error
            return await deciding
        finally:
            await ended(sighting, deciding)

    def looked(self, look: LeadersLook) -> None:
        """Take note of who leads the database."""
        self.leaders = look
        self._candidacy.looked(look, at=self._now())
        self._news.set()

    def requested(self) -> None:
        """Leave requests to the leader."""

    async def lost(self) -> None:
        """Take note that PostgreSQL does not answer."""
        self._candidacy.deaf(at=self._now())
        self._news.set()

    def _saw(self, lease: Lease | None) -> None:
        self._has_read = True
        self._candidacy.saw(lease, at=self._now())
        self._news.set()

    def _was_blind(self) -> None:
        self._candidacy.blind(at=self._now())
        self._news.set()

    async def _decided(self) -> Campaign:
        while True:
            self._news.clear()
            now = self._now()
            decision = self._candidacy.decide(at=now)
            if isinstance(decision, Wait):
                self._wait_for(decision)
            if self._has_read and self.leaders and not self._is_warm:
                self._is_warm = True
                self._warm()
            if isinstance(decision, Campaign):
                return decision
            await told(self._news, within=None if decision.until is None else max(0.0, decision.until - now))

    def _wait_for(self, decision: Wait) -> None:
        if decision.alert and not self.waits.alert:
            logger.error("nobody can lead: %s", decision.reason, extra={"action": "election_impossible"})
        self.waits = decision
