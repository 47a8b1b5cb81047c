"""The SQL of the election, statement by statement: migrations 0001 (`fence`, `keep_leaders`) and 0003 (`keep_intents`) and leadership.md.

Each is done in one step of its session, but for those that take the lock.
"""

from collections.abc import Mapping
from dataclasses import replace

from tests.election.model.flaws import Flaw
from tests.election.model.moments import Steps
from tests.election.model.postgresql_model import LOCK_NOT_AVAILABLE, Postgres, Session, SqlError, Statement, Write
from tests.election.model.witness import IntentRow, LeadersRow, State
from tinyforge.domain.leaders import LeadersLook

FENCED = "TF001"
_LOCK_SECONDS = 2.0


class Sql:
    """Statements for one server."""

    def __init__(self, postgres: Postgres) -> None:
        self.postgres = postgres

    @staticmethod
    def begin(session: Session) -> None:
        """BEGIN."""
        session.transaction = []

    def commit(self, session: Session) -> None:
        """COMMIT."""
        self.postgres.commit(session)

    def fence(self, epoch: int, holder: str) -> Statement:
        """`SELECT tinyforge.fence(epoch, holder)`: the shared lock, then the look, in statements of their own."""

        def run(session: Session) -> Steps[object]:
            calling = self.postgres.seen_by(session)
            if self.postgres.flaw is not Flaw.NO_SHARED_LOCK:
                yield from self._lock(session, alone=False, seconds=_LOCK_SECONDS)
            seen = calling if self.postgres.flaw is Flaw.STABLE_FENCE else self.postgres.seen_by(session)
            if (seen.leaders.epoch, seen.leaders.holder) != (epoch, holder):
                if self.postgres.flaw is Flaw.FENCE_RETURNS_A_ROW:
                    return seen.leaders
                raise SqlError(FENCED)
            session.stalled = session.stalls_after_fence
            return None

        return run

    def lock_alone(self, *, seconds: float) -> Statement:
        """`SELECT pg_advisory_xact_lock(k)` under a `lock_timeout` of so many seconds."""
        return lambda session: self._lock(session, alone=True, seconds=seconds)

    def claim(self, epoch: int, holder: str, session_name: str) -> Statement:
        """`UPDATE tinyforge.leaders SET ... WHERE epoch < e OR (epoch = e AND holder = me)`; returns how many rows."""
        flaw = self.postgres.flaw
        guarded = flaw not in (Flaw.UNGUARDED_CLAIM, Flaw.UNGUARDED_ROW)

        def apply(state: State, version: int) -> State:
            claims = {**state.claims, epoch: (holder, version)}
            return replace(state, leaders=LeadersRow(epoch, holder, session_name), claims=claims)

        def run(session: Session) -> int:
            row = self.postgres.seen_by(session).leaders
            if guarded and not (row.epoch < epoch or (row.epoch, row.holder) == (epoch, holder)):
                return 0
            if row.epoch > epoch and flaw is not Flaw.UNGUARDED_ROW:
                raise SqlError("TF004")
            if (row.epoch, row.holder) != (epoch, holder):
                _transaction(session).append(Write(apply))
            return 1

        return run

    def clear(self, epoch: int, holder: str) -> Statement:
        """`UPDATE tinyforge.leaders SET holder = '' WHERE epoch = e AND holder = me`, behind the fence."""

        def apply(state: State, _version: int) -> State:
            ours = (state.leaders.epoch, state.leaders.holder) == (epoch, holder)
            return replace(state, leaders=replace(state.leaders, holder="")) if ours else state

        return _writing(Write(apply))

    def write_row(self, epoch: int) -> Statement:
        """A row of the index, written by the leader of that epoch."""
        return _writing(Write(lambda state, _version: state, epoch=epoch))

    def open_intent(self, identifier: int, *, epoch: int, deadline: float) -> Statement:
        """INSERT an intent; refused while one of an earlier term is open (`keep_intents`)."""

        def apply(state: State, version: int) -> State:
            return replace(state, intents={**state.intents, identifier: IntentRow(epoch, deadline, version)})

        def run(session: Session) -> None:
            intents = self.postgres.seen_by(session).intents.values()
            if any(it.open and it.epoch < epoch for it in intents):
                raise SqlError("TF006")
            _transaction(session).append(Write(apply, epoch=epoch))

        return run

    @staticmethod
    def close_intents(identifiers: frozenset[int]) -> Statement:
        """Close intents: as done, or as superseded."""

        def apply(state: State, _version: int) -> State:
            closed = {key: replace(it, open=it.open and key not in identifiers) for key, it in state.intents.items()}
            return replace(state, intents=closed)

        return _writing(Write(apply))

    def open_of_lower_epochs(self, epoch: int) -> Statement:
        """SELECT what earlier terms left open: id to deadline."""

        def run(session: Session) -> Mapping[int, float]:
            seen = self.postgres.seen_by(session).intents
            return {key: it.deadline for key, it in seen.items() if it.open and it.epoch < epoch}

        return run

    def read_rows(self, epoch: int) -> Statement:
        """SELECT what a pass compares with, in the pool of the leader of that epoch."""

        return lambda _session: self.postgres.witness.used_its_pool(epoch)

    def look(self, session: Session) -> LeadersLook:
        """The look of a presence: the row of `leaders`, and `pg_stat_activity` of its session."""
        row = self.postgres.seen_by(session).leaders
        sessions = {it.pid: f"{it.state_change}" for it in self.postgres.sessions if it.name == row.session and row.session}
        return LeadersLook(
            epoch=row.epoch,
            holder=row.holder,
            session=row.session,
            driver="operator",
            lease="uid/tinyforge",
            server_up=self.postgres.clock.now - self.postgres.started_at,
            sessions=sessions,
        )

    def end_holders_sessions(self, session: Session) -> None:
        """`pg_terminate_backend` on every session of the holder's but this one."""
        row = self.postgres.seen_by(session).leaders
        if row.session != session.name:
            self.postgres.terminate(row.session)

    def _lock(self, session: Session, *, alone: bool, seconds: float) -> Steps[None]:
        asked_at, clock = self.postgres.clock.now, self.postgres.clock
        self.postgres.queue.append((session, alone))
        yield lambda: self.postgres.granted(session) or clock.now - asked_at >= seconds
        if not self.postgres.granted(session):
            raise SqlError(LOCK_NOT_AVAILABLE)


def _transaction(session: Session) -> list[Write]:
    assert session.transaction is not None, "a write outside a transaction"
    return session.transaction


def _writing(write: Write) -> Statement:
    return lambda session: _transaction(session).append(write)
