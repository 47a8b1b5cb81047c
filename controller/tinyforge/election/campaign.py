"""A campaign: the Lease is taken, so that all others wait, and then the database is claimed, which is what counts. Called by `elector`."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectMoved
from tinyforge.domain.candidacy import Campaign
from tinyforge.domain.complaints import Complaint
from tinyforge.domain.lease import Lease, LeaseTimes
from tinyforge.election import wording
from tinyforge.election.errors import CampaignFailed
from tinyforge.election.steps import Steps
from tinyforge.election.term_traces import TAKE, CampaignTrace, TermOutcome
from tinyforge.ports import Claiming, IndexRefused, IndexUnavailable, Leases, Term

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """The Lease as this process has it now, and when the write was sent by which it took it."""

    lease: Lease
    sent_at: float


class Campaigner:
    """Runs campaigns for one process.

    Args:
        holder: its identity, as it stands in the Lease.
        leases: the Lease.
        claiming: takes the database.
        times: those of the Lease.
        now: the clock.
        steps: where a test may stop it.
    """

    def __init__(
        self, *, holder: str, leases: Leases, claiming: Claiming, times: LeaseTimes, now: Callable[[], float], steps: Steps
    ) -> None:
        self._holder = holder
        self._leases = leases
        self._claiming = claiming
        self._times = times
        self._now = now
        self._steps = steps
        self._complaint = Complaint()

    async def take(self, campaign: Campaign, trace: CampaignTrace) -> Taken | None:
        """Take the Lease over exactly what was seen of it; None, after a while, if that was not done as far as anybody knows.

        A write that was not answered may still arrive. Then the Lease names this process, which leads nothing, with an epoch that nobody
        claims, and runs out as that of anybody who does not renew. The trace is ended with None, and goes on with the Lease.
        """
        wanted = wording.taken(holder=self._holder, epoch=campaign.epoch, times=self._times)
        await self._steps("before-put")
        sent_at = self._now()
        try:
            lease = await self._write(wanted, over=campaign.over)
        except (ClusterUnavailable, ClusterRefused) as error:
            found = await self._found(wanted, until=sent_at + self._times.renew_deadline)
            if found is None:
                await self._put_up_with(error, campaign.epoch, trace)
                return None
            lease = found
        trace.took(TAKE)
        with trace.current():
            extra = {"action": "lease_taken", "epoch": campaign.epoch, "failures": self._complaint.over()}
            logger.info("the Lease is taken with epoch %d: %s", campaign.epoch, campaign.reason, extra=extra)
        await self._steps("after-put")
        return Taken(lease=lease, sent_at=sent_at)

    async def claim(self, taken: Taken) -> Term:
        """Claim the database with the epoch of the Lease that was taken.

        Raises:
            CampaignFailed: it cannot be claimed, or could not in time.
        """
        deadline = taken.sent_at + self._times.renew_deadline
        epoch = taken.lease.transitions
        await self._steps("before-claim")
        try:
            term = await self._claiming.claim(epoch, give_up=lambda: self._now() >= deadline)
        except (IndexRefused, IndexUnavailable) as error:
            raise CampaignFailed(f"the Lease was taken with epoch {epoch}, and the database could not be claimed: {error}") from error
        await self._steps("after-claim")
        if (took := self._now() - taken.sent_at) >= self._times.renew_deadline:
            raise CampaignFailed(f"the campaign with epoch {epoch} took {took:.1f} s, and the Lease lasts {self._times.renew_deadline:g} s")
        return term

    async def _write(self, wanted: Lease, *, over: Lease | None) -> Lease:
        if over is None:
            return await self._leases.create(wanted)
        return await self._leases.replace(wanted, over=over.resource_version)

    async def _put_up_with(self, failure: ClusterUnavailable | ClusterRefused, epoch: int, trace: CampaignTrace) -> None:
        """Say why it failed when that is new, and leave the API server alone for a while unless somebody else was just quicker."""
        is_news = self._complaint.is_news(f"epoch {epoch}: {failure}")
        if isinstance(failure, ObjectMoved):
            if is_news:
                _tell_lost(failure, trace)
            return
        if is_news:
            _tell_refused(failure, trace)
        await asyncio.sleep(self._times.retry_period)

    async def _found(self, wanted: Lease, *, until: float) -> Lease | None:
        """Look whether a write was done that was refused or not answered; as long as nobody says, it is worth asking again."""
        while self._now() < until:
            try:
                found = await self._leases.read()
            except (ClusterUnavailable, ClusterRefused):
                await asyncio.sleep(self._times.retry_period)
            else:
                return found if found and found.same_spec(wanted) else None
        return None


def _tell_lost(failure: ObjectMoved, trace: CampaignTrace) -> None:
    trace.took(TAKE)
    with trace.current():
        logger.info("somebody else was quicker to take the Lease: %s", failure, extra={"action": "campaign_lost"})
    trace.end(TermOutcome.LOST)


def _tell_refused(failure: ClusterUnavailable | ClusterRefused, trace: CampaignTrace) -> None:
    trace.took(TAKE, failure)
    with trace.current():
        logger.warning("the Lease could not be taken: %s", failure, extra={"action": "campaign_refused"})
    trace.end(TermOutcome.FAILED, failure)
