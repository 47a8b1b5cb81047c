"""One replica's part in the election: it stands by, campaigns, leads while its Lease is renewed, and steps down."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass

from tinyforge.cluster import ClusterLeases
from tinyforge.domain.candidacy import Campaign, Candidacy
from tinyforge.domain.complaints import Complaint
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import LeaseTimes
from tinyforge.domain.tenure import Tenure
from tinyforge.election.alarms import overdue_end
from tinyforge.election.announcing import announce, elected_event, stepped_down_event
from tinyforge.election.boottime import boottime
from tinyforge.election.campaign import Campaigner, Taken
from tinyforge.election.errors import LeaseLost
from tinyforge.election.renewing import Renewer
from tinyforge.election.standing_by import StandingBy
from tinyforge.election.stepping_down import step_down
from tinyforge.election.steps import Steps, no_stop
from tinyforge.election.term_traces import RELEASE, Attributes, CampaignTrace, EndTrace, TermOutcome, why_it_ends
from tinyforge.election.waiting import ended
from tinyforge.election.watchdog import Watchdog
from tinyforge.ports import Claiming, Fenced, Presence, Term

logger = logging.getLogger(__name__)

_LAST_WORDS_SECONDS = 0.5
"""How long the end of the process waits for the Event that it stepped down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Won:
    """A term that was won: `renewer` says for how long its Lease is valid, `reason` why nobody led any more. `ending` traces its end."""

    term: Term
    renewer: Renewer
    reason: str
    ending: EndTrace


class Elector:
    """Stands for election once: a process leads at most one term.

    Args:
        holder: the identity of this process.
        connect: makes the Lease over an HTTP client of its own, which takes `times.request_timeout` for a request.
        presence: of this process; held by this until it is elected.
        claiming: takes the database.
        times: those of the Lease, without a fault.
        watchdog: of this process.
        warm: called once, when it has seen both the Lease and whoever leads the database.
        now: the clock.
        steps: where a test may stop it.

    Raises:
        NoCluster: `connect` did.
    """

    def __init__(  # noqa: PLR0913 - the program's wiring, made in one place
        self,
        *,
        holder: str,
        connect: Callable[[], ClusterLeases],
        presence: Presence,
        claiming: Claiming,
        times: LeaseTimes,
        watchdog: Watchdog,
        warm: Callable[[], None] = lambda: None,
        now: Callable[[], float] = boottime,
        steps: Steps = no_stop,
    ) -> None:
        self._holder = holder
        self._times = times
        self._watchdog = watchdog
        self._now = now
        self._steps = steps
        self._leases, self._renewed_leases = connect(), connect()
        candidacy = Candidacy(holder=holder, times=times, started_at=now())
        self._standing_by = StandingBy(leases=self._leases, presence=presence, candidacy=candidacy, times=times, now=now, warm=warm)
        self._campaigner = Campaigner(holder=holder, leases=self._leases, claiming=claiming, times=times, now=now, steps=steps)

    @property
    def waits(self) -> str:
        """Why this standby does not campaign, for people."""
        return self._standing_by.waits.reason

    @property
    def leaders(self) -> LeadersLook | None:
        """What PostgreSQL told this standby last of whoever leads; None: nothing yet."""
        return self._standing_by.leaders

    @asynccontextmanager
    async def elected(self) -> AsyncIterator[Won]:
        """Wait to be elected, and lead for the length of the block, which is cancelled when the Lease is lost. At its end step down.

        Raises:
            CampaignFailed: the Lease was taken, and the database could not be claimed.
            LeaseLost: somebody else's word stands in the Lease.
            IndexRefused: nobody can lead this database until somebody acts.
        """
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._leases.close)
            async with self._standing_by.present():
                campaign, taken, trace = await self._take()
                tenure = Tenure(holder=self._holder, epoch=campaign.epoch, times=self._times, sent_at=taken.sent_at)
                ending = EndTrace(self._about(campaign.epoch))
                await stack.enter_async_context(self._given_back_after(tenure, ending, epoch=campaign.epoch))
                term = await self._claim(taken, trace)
            renewer = Renewer(
                leases=self._renewed_leases, held=taken.lease, tenure=tenure, times=self._times, now=self._now, steps=self._steps
            )
            await stack.enter_async_context(self._renewed_by(renewer))
            await stack.enter_async_context(self._announced(campaign))
            yield Won(term=term, renewer=renewer, reason=campaign.reason, ending=ending)

    def _about(self, epoch: int) -> Attributes:
        return {"tinyforge.epoch": epoch, "tinyforge.lease.name": self._leases.name, "k8s.namespace.name": self._leases.namespace}

    async def _take(self) -> tuple[Campaign, Taken, CampaignTrace]:
        while True:
            campaign = await self._standing_by.campaign_due()
            trace = CampaignTrace(reason=campaign.reason, about=self._about(campaign.epoch))
            if taken := await self._campaigner.take(campaign, trace):
                return campaign, taken, trace

    async def _claim(self, taken: Taken, trace: CampaignTrace) -> Term:
        with trace.claiming(Complaint()):
            term = await self._campaigner.claim(taken)
        with trace.current():
            logger.info("%s is elected with epoch %d", self._holder, term.epoch, extra={"action": "elected", "epoch": term.epoch})
        trace.won(term.epoch)
        return term

    @asynccontextmanager
    async def _given_back_after(self, tenure: Tenure, ending: EndTrace, *, epoch: int) -> AsyncIterator[None]:
        try:
            yield
        except (LeaseLost, Fenced) as error:  # it is not ours to give back
            ending.begin(str(error))
            ending.end(TermOutcome.DEPOSED, error)
            raise
        except BaseException as error:
            await self._step_down(tenure, ending, epoch=epoch, error=error)
            raise
        await self._step_down(tenure, ending, epoch=epoch)

    async def _step_down(self, tenure: Tenure, ending: EndTrace, *, epoch: int, error: BaseException | None = None) -> None:
        ending.begin(why_it_ends(error))
        outcome = TermOutcome.LEFT
        try:
            with ending.step(RELEASE):
                if await step_down(self._leases, tenure, within=self._times.request_timeout, steps=self._steps):
                    outcome = TermOutcome.RELEASED
        finally:
            ending.end(outcome, error)
        if outcome is TermOutcome.RELEASED:
            await announce(self._leases, stepped_down_event(holder=self._holder, epoch=epoch), within=_LAST_WORDS_SECONDS)

    @asynccontextmanager
    async def _renewed_by(self, renewer: Renewer) -> AsyncIterator[None]:
        loop, scope = asyncio.get_running_loop(), asyncio.timeout(None)

        def end() -> None:
            with suppress(RuntimeError):  # it has ended by itself
                scope.reschedule(loop.time())

        self._watchdog.heed(overdue_end(renewer, now=self._now))  # until the process ends, which is what it is about
        renewer.start(on_lost=end)
        try:
            async with scope:
                yield
        except TimeoutError as error:
            if scope.expired():
                raise LeaseLost(renewer.lost) from error
            raise
        finally:
            await renewer.stop()

    @asynccontextmanager
    async def _announced(self, campaign: Campaign) -> AsyncIterator[None]:
        event = elected_event(holder=self._holder, epoch=campaign.epoch, reason=campaign.reason)
        announcing = asyncio.create_task(announce(self._leases, event, within=self._times.request_timeout), name="event of the election")
        try:
            yield
        finally:
            await ended(announcing)
