"""A standby: it watches the Lease and looks at PostgreSQL, campaigns when `Candidacy` says so, and leads when it has claimed.

Steps 1 to 5 of "Campaign" in leadership.md. What it decides is the product's own decision; what it does between the decisions is here.
"""

from contextlib import suppress
from dataclasses import replace

from tests.election.model.flaws import Flaw
from tests.election.model.lease_model import Conflict
from tests.election.model.moments import Steps, either
from tests.election.model.postgresql_model import LOCK_NOT_AVAILABLE, Session, SqlError
from tests.election.model.replica_model import Lost, NoAnswer, Process, World
from tinyforge.domain.candidacy import Campaign, Candidacy
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import Lease

_SLICE_SECONDS = 1.0


class Standby(Process):
    """A process from its start until it leads or ends."""

    def __init__(self, world: World, *, number: int, life: int) -> None:
        super().__init__(world, number=number, life=life)
        self.candidacy = Candidacy(holder=self.identity, times=world.times, started_at=self.now)
        self.leading = False
        self.start(self._presence(), self._watching(), self._standing_by())

    def look_at_leader(self, look: LeadersLook) -> None:
        """Do what a leader does about a look."""
        raise NotImplementedError

    def lead(self, held: Lease, *, sent_at: float) -> None:
        """Begin to lead."""
        raise NotImplementedError

    def _presence(self) -> Steps[None]:
        """Look at every tick over a session of its own, for as long as the process lives."""
        while True:
            try:
                session = self.connect()
                while True:
                    (look,) = yield from self.ask(session, self.world.sql.look)
                    assert isinstance(look, LeadersLook)
                    self._looked(look)
                    yield self.after(self.world.clock.tick)
            except Lost:
                self.candidacy.deaf(at=self.now)
                self.absent_at = self.now
                yield self.after(self.world.clock.tick)

    def _looked(self, look: LeadersLook) -> None:
        if self.leading:
            self.look_at_leader(look)
        else:
            self.candidacy.looked(look, at=self.now)

    def _watching(self) -> Steps[None]:
        """Read the Lease whenever the watch tells of a change, and every retry period."""
        while not self.leading:
            changed, poll = self.hears_of_the_lease(), self.after(self.world.times.retry_period)
            try:
                self.candidacy.saw((yield from self.request()), at=self.now)
            except NoAnswer:
                self.candidacy.blind(at=self.now)
            yield either(changed, poll)

    def _standing_by(self) -> Steps[None]:
        while not self.leading:
            decision = self.candidacy.decide(at=self.now)
            if isinstance(decision, Campaign):
                yield from self._campaign(decision)
            yield self.after(self.world.clock.tick)

    def _campaign(self, campaign: Campaign) -> Steps[None]:
        self.epoch = campaign.epoch
        sent_at = self.now
        yield from self.point("before-put")
        wanted = self.lease_of(self.epoch)
        held = yield from self._put(wanted, over=campaign.over)
        if held is None:
            self.epoch = 0
            return
        yield from self.point("after-put")
        claimed = yield from self._claim(give_up_at=sent_at + self.world.times.renew_deadline)
        yield from self.point("after-claim")
        if not claimed or self.now >= sent_at + self.world.times.renew_deadline:
            self.end("the campaign failed after its PUT")
        else:
            self.leading = True
            self.world.witness.leads(self.epoch)
            self.lead(held, sent_at=sent_at)

    def lease_of(self, epoch: int) -> Lease:
        """Return what this process writes now; what it writes twice in one moment has the same text."""
        duration = self.world.times.duration
        return Lease(holder=self.identity, duration=duration, transitions=epoch, renewed_at=f"{self.now}")

    def _put(self, wanted: Lease, *, over: Lease | None) -> Steps[Lease | None]:
        """Write the Lease; on 409 or without an answer, it is ours only if it is exactly what was written."""
        try:
            return (yield from self.request(wanted, over=over))
        except (Conflict, NoAnswer) as failure:
            if isinstance(failure, NoAnswer) and self.world.flaw is Flaw.LOST_ANSWER_IS_SUCCESS:
                return wanted
        try:
            found = yield from self.request()
        except NoAnswer:
            return None
        return found if found and found.same_spec(wanted) else None

    def _claim(self, *, give_up_at: float) -> Steps[bool]:
        """Claim, in slices, and end the previous holder's sessions between them."""
        while True:
            try:
                return (yield from self._claim_once())
            except SqlError as error:
                if error.sqlstate != LOCK_NOT_AVAILABLE:
                    return False
                yield from self._end_holders_sessions()
            except Lost:
                yield self.after(self.world.clock.tick)
            if self.now >= give_up_at:
                return False

    def _claim_once(self) -> Steps[bool]:
        session = self.connect()
        try:
            yield from self.point("before-claim")
            return (yield from self.claim_over(session))
        finally:
            session.abandoned = True

    def claim_over(self, session: Session) -> Steps[bool]:
        """Claim this process's epoch over a session, statement by statement, and tell whether the row is this process's.

        Raises:
            SqlError: the lock was not to be had in time.
            Lost: the session was.
        """
        sql = self.world.sql
        yield from self.ask(session, sql.begin, sql.lock_alone(seconds=_SLICE_SECONDS))
        yield from self.point("claim-locked")
        (rows,) = yield from self.ask(session, sql.claim(self.epoch, self.identity, self.session_name))
        yield from self.point("before-claim-commit")
        yield from self.ask(session, sql.commit)
        return bool(rows)

    def _end_holders_sessions(self) -> Steps[None]:
        with suppress(Lost):
            session = self.connect()
            yield from self.ask(session, self.world.sql.end_holders_sessions)
            session.abandoned = True


def cleared(lease: Lease) -> Lease:
    """Return a Lease without a holder, as it is to be written."""
    return replace(lease, holder="")
