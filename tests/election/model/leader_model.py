"""A leader: it renews, writes the index, mutates behind intents, re-asserts its claim, and steps down.

"Lead", "Observe-only", "Step down" and "Take over" of leadership.md. What an answer about the Lease means, and until when it may mutate,
is decided by the product's `Tenure`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import count

from tests.election.model.flaws import Flaw
from tests.election.model.host_model import Call
from tests.election.model.lease_model import Conflict
from tests.election.model.moments import Steps
from tests.election.model.postgresql_model import Session, SqlError, Statement
from tests.election.model.replica_model import Lost, NoAnswer, Task
from tests.election.model.standby_model import Standby, cleared
from tests.election.model.statements import FENCED
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import Lease
from tinyforge.domain.tenure import Lost as LeaseLost
from tinyforge.domain.tenure import Renewed, Tenure, Unreadable, WriteAgain

_MUTATION_SECONDS = 4.0
_LULL_SECONDS = 2.0  # between two mutations
_ENDING_SECONDS = 2.0  # after the end of the validity, the watchdog ends a process that still mutates
_DRAIN_SECONDS = 20.0
_PASS_SECONDS = 1.0  # between two passes


class Fenced(Exception):
    """Another process leads: the term is over."""


class Replica(Standby):
    """One process through all of its life."""

    tenure: Tenure
    held: Lease | None = None
    draining = False
    mutates = False
    work: tuple[Task, ...] = ()
    renewals: tuple[Task, ...] = ()

    def look_at_leader(self, look: LeadersLook) -> None:
        """End where a newer epoch is seen; an older one is the pool's to claim again."""
        if look.epoch > self.epoch:
            self.end("a newer epoch leads")

    def lead(self, held: Lease, *, sent_at: float) -> None:
        """Begin everything that a term consists of."""
        self.held = held
        self.pool: dict[str, Session] = {}
        self.tenure = Tenure(holder=self.identity, epoch=self.epoch, times=self.world.times, sent_at=sent_at)
        self.start(self._watchdog())
        self.renewals = self.start(self._renewing())
        self.work = self.start(self._passing(), self._mutating())

    def stop(self) -> None:
        """Be asked to end (SIGTERM)."""
        if not self.leading:
            self.end("asked to")
        elif not self.draining:
            self.draining = True
            self.start(self._stepping_down())

    def _watchdog(self) -> Steps[None]:
        yield lambda: self.mutates and self.now >= self.tenure.valid_until + _ENDING_SECONDS
        self.end("the watchdog: a mutation goes on after the validity")

    # The Lease -----------------------------------------------------------------------------------

    def _renewing(self) -> Steps[None]:
        while True:
            yield self.after(self.world.times.retry_period)
            yield from self.point("before-renewal")
            yield from self._renew()

    def _renew(self) -> Steps[None]:
        wanted, sent_at = self.lease_of(self.epoch), self.now
        self.tenure.sending(wanted, at=sent_at)
        try:
            self.held = yield from self.request(wanted, over=self.held)
            self.tenure.renewed(sent_at=sent_at)
        except (Conflict, NoAnswer) as failure:
            if isinstance(failure, NoAnswer) and self.world.flaw is Flaw.LOST_ANSWER_IS_SUCCESS:
                self.tenure.renewed(sent_at=sent_at)
            else:
                yield from self._read_again()

    def _read_again(self) -> Steps[None]:
        found: Lease | Unreadable | None = Unreadable()
        with suppress(NoAnswer):
            found = yield from self.request()
        reaction = self.tenure.after_failure(found)
        if isinstance(reaction, LeaseLost):
            self.end(reaction.reason)
        elif isinstance(reaction, WriteAgain):
            self.held = reaction.over
            yield from self._renew()
        elif isinstance(reaction, Renewed) and isinstance(found, Lease):
            self.held = found

    def _stepping_down(self) -> Steps[None]:
        drained = self.after(_DRAIN_SECONDS)
        yield lambda: drained() or not any(task in self.tasks for task in self.work)
        self.abandon(self.renewals)
        yield from self.point("before-release")
        try:
            yield from self._release()
            yield from self._fenced("release", self.world.sql.clear(self.epoch, self.identity))
        except (Conflict, NoAnswer, Lost, Fenced, SqlError):
            pass
        self.end("stepped down")

    def _release(self) -> Steps[None]:
        """Clear the Lease, if a fresh read shows that it is ours, over exactly what was read.

        client-go reads afresh too, but for the resourceVersion alone; whose the Lease is, it takes from memory.
        """
        found = yield from self.request()
        yield from self.point("after-fresh-read")
        if found and (self.world.flaw is Flaw.RELEASE_FROM_MEMORY or self.tenure.may_release(found)):
            yield from self.request(cleared(found), over=found)

    # The index -----------------------------------------------------------------------------------

    def _passing(self) -> Steps[None]:
        """Read, and write in every third pass; the reading has no fence."""
        for number in count():
            if self.draining:
                return
            yield self.after(_PASS_SECONDS)
            try:
                session = yield from self._take("passes")
                yield from self.ask(session, self.world.sql.read_rows(self.epoch))
                yield from self.point("pass-read")
                if number % 3 == 2:
                    yield from self._fenced("passes", self.world.sql.write_row(self.epoch))
            except Fenced:
                self.end("fenced")
            except (Lost, SqlError):
                pass

    def _take(self, name: str) -> Steps[Session]:
        """Return a connection of the pool; a new one re-asserts the claim at its first use."""
        session = self.pool.get(name)
        if session is None or session.ended or session.abandoned:
            session = self.connect()
            if self.world.flaw is not Flaw.NO_REASSERT:
                yield from self._reassert(session)
            self.pool[name] = session
        return session

    def _reassert(self, session: Session) -> Steps[None]:
        (look,) = yield from self.ask(session, self.world.sql.look)
        assert isinstance(look, LeadersLook)
        if (look.epoch, look.holder) == (self.epoch, self.identity):
            return
        if look.epoch >= self.epoch or not (yield from self.claim_over(session)):
            raise Fenced

    def _fenced(self, name: str, *statements: Statement) -> Steps[None]:
        """Write in one pipeline; refused, re-assert once and write again."""
        sql = self.world.sql

        def write(session: Session) -> Steps[None]:
            self.stall_here(session)
            yield from self._ask_fenced(session, *statements, sql.commit)

        yield from self._twice(name, write)

    def _fetching(self, name: str, statement: Statement) -> Steps[None]:
        """Write, and go on in the same transaction only when the answer is there."""

        def write(session: Session) -> Steps[None]:
            yield from self._ask_fenced(session, statement)
            yield from self.point("in-transaction")
            yield from self.ask(session, self.world.sql.commit)

        yield from self._twice(name, write)

    def _ask_fenced(self, session: Session, *statements: Statement) -> Steps[None]:
        sql = self.world.sql
        answers = yield from self.ask(session, sql.begin, sql.fence(self.epoch, self.identity), *statements)
        if answers[1] is not None:  # only a fence that does not raise answers with a row
            session.abandoned = True
            raise SqlError(FENCED)

    def _twice(self, name: str, write: Callable[[Session], Steps[None]]) -> Steps[None]:
        try:
            yield from write((yield from self._take(name)))
        except SqlError as error:
            if error.sqlstate != FENCED:
                raise
            session = yield from self._take(name)
            yield from self._reassert(session)
            try:
                yield from write(session)
            except SqlError as again:
                raise Fenced from again

    # The host ------------------------------------------------------------------------------------

    def _mutating(self) -> Steps[None]:
        while not self.draining:
            yield self.after(_LULL_SECONDS)
            try:
                yield from self._supersede()
                yield from self._mutate()
            except Fenced:
                self.end("fenced")
            except (Lost, SqlError):
                pass
            self.mutates = False

    def _supersede(self) -> Steps[None]:
        """Wait for what earlier terms may still do, and close it."""
        session = yield from self._take("intents")
        (found,) = yield from self.ask(session, self.world.sql.open_of_lower_epochs(self.epoch))
        assert isinstance(found, Mapping)
        if found:
            yield lambda: self.now >= max(found.values())
            yield from self._fenced("intents", self.world.sql.close_intents(frozenset(found)))

    def _mutate(self) -> Steps[None]:
        """Commit an intent, look at the validity, call the engine again and again until the deadline, and close the intent."""
        sql, deadline = self.world.sql, self.now + _MUTATION_SECONDS
        self.world.intents += 1
        intent = self.world.intents
        if self.world.flaw is Flaw.CALL_BEFORE_COMMIT:
            self._call(intent, steady=True)
        yield from self._fetching("intents", sql.open_intent(intent, epoch=self.epoch, deadline=deadline))
        if self.tenure.valid(self.now):
            self.mutates, pauses = True, self.pauses
            yield from self.point("mutation-checked")
            while self.now < deadline:
                self._call(intent, steady=self.pauses == pauses)
                yield self.after(self.world.clock.tick)
            self.mutates = False
        yield from self._fenced("intents", sql.close_intents(frozenset({intent})))

    def _call(self, intent: int, *, steady: bool) -> None:
        self.world.host.under_way.append(Call(self.epoch, intent, self.now, steady, self.in_touch))
