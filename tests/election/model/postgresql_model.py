"""PostgreSQL as the fence meets it: sessions that run what they were sent, one step at a time, and what is committed.

A statement is one step; one that waits for the lock is a generator, and goes on when it has it. The rules, and where they are from:

- READ COMMITTED: each statement sees what was committed when it began, and so does each inside a VOLATILE function; inside a STABLE one all
  see what the calling statement sees (PostgreSQL: "Transaction Isolation", "Function Volatility Categories").
- Advisory locks queue: who waits to hold one alone keeps later sharers waiting (measured, leadership.md). They end with the transaction.
- What raises ends the transaction and its locks at once, and the rest of the pipeline is skipped ("Pipeline Mode" of libpq).
- `idle_in_transaction_session_timeout`, `lock_timeout` and the end of a dead link's session: the session settings of leadership.md.
- A failover to an asynchronous standby loses the last commits and every session.
"""

from collections import deque
from collections.abc import Callable, Generator
from dataclasses import dataclass, field

from tests.election.model.flaws import Flaw
from tests.election.model.moments import Clock, Ready, Steps, always
from tests.election.model.witness import State, Witness

LOCK_NOT_AVAILABLE = "55P03"
_IDLE_SECONDS = 5.0
_KEEPALIVE_SECONDS = 9.0  # idle 5, then 2 probes 2 s apart


class SqlError(Exception):
    """What a statement raised."""

    def __init__(self, sqlstate: str) -> None:
        super().__init__(sqlstate)
        self.sqlstate = sqlstate


@dataclass(frozen=True)
class Write:
    """What a transaction does at its commit: to the newest state, in the commit of that number; and the epoch of the row, if it has one."""

    apply: Callable[[State, int], State]
    epoch: int | None = None


Statement = Callable[["Session"], object]
"""What a session does for it: a generator if it waits, or what it returns at once."""


@dataclass
class Reply:
    """Statements sent in one go, and what came of them."""

    statements: deque[Statement]
    results: list[object] = field(default_factory=list)
    error: SqlError | None = None
    done: bool = False


@dataclass(eq=False)
class Session:
    """One session; since `cut_at` nothing gets through between it and its client; its backend gets no processor while it is `stalled`."""

    pid: int
    name: str
    since: float
    transaction: list[Write] | None = None
    wire: deque[Reply] = field(default_factory=deque)
    inbox: deque[Reply] = field(default_factory=deque)
    running: Steps[object] | None = None
    waits: Ready = always
    state_change: float = 0.0
    cut_at: float | None = None
    stalled: bool = False
    stalls_after_fence: bool = False
    abandoned: bool = False
    ended: bool = False

    def send(self, *statements: Statement) -> Reply:
        """Send statements as one pipeline."""
        reply = Reply(deque(statements))
        self.wire.append(reply)
        return reply


class Postgres:
    """The server at one address, whichever machine that is at the moment."""

    def __init__(self, *, clock: Clock, witness: Witness, flaw: Flaw | None) -> None:
        self.clock = clock
        self.witness = witness
        self.flaw = flaw
        self.versions = [State()]
        self.started_at = clock.now
        self.sessions: list[Session] = []
        self.queue: list[tuple[Session, bool]] = []
        """Who holds or waits for the advisory lock, in the order of asking; True: alone."""
        self._pids = 0

    @property
    def state(self) -> State:
        """What is committed now."""
        return self.versions[-1]

    def connect(self, name: str) -> Session:
        """Open a session of that `application_name`."""
        self._pids += 1
        session = Session(self._pids, name, self.clock.now, state_change=self.clock.now)
        self.sessions.append(session)
        return session

    def end(self, session: Session) -> None:
        """End a session, and roll back what it had begun."""
        self._roll_back(session)
        session.ended, session.running = True, None
        if session in self.sessions:
            self.sessions.remove(session)

    def terminate(self, name: str) -> None:
        """End all sessions of a name (`pg_terminate_backend`)."""
        for session in [it for it in self.sessions if it.name == name]:
            self.end(session)

    def fail_over(self, *, lost: int) -> None:
        """Go on as a standby that the last `lost` commits had not reached."""
        del self.versions[max(1, len(self.versions) - lost) :]
        self.started_at = self.clock.now
        for session in list(self.sessions):
            self.end(session)
        self.witness.failed_over(lost=lost)

    def serve(self) -> bool:
        """Let each session take a step; tell whether one did."""
        moved = [self._step(session) for session in list(self.sessions)]
        return any(moved)

    def granted(self, session: Session) -> bool:
        """Whether a session has the advisory lock that it asked for."""
        place = next(place for place, (holder, _) in enumerate(self.queue) if holder is session)
        ahead = [alone for _, alone in self.queue[: place + 1]]
        return place == 0 or not any(ahead)

    def seen_by(self, session: Session) -> State:
        """What a statement that begins now sees: what is committed, and its own transaction's writes."""
        state = self.state
        for write in session.transaction or ():
            state = write.apply(state, len(self.versions))
        return state

    def commit(self, session: Session) -> None:
        """Make a transaction's writes durable, and let go of its locks."""
        writes, before = session.transaction or [], self.state
        if writes:
            after = self.seen_by(session)
            self.versions.append(after)
            self.witness.committed(before, after, epochs=[it.epoch for it in writes if it.epoch is not None])
        self._roll_back(session)

    def _roll_back(self, session: Session) -> None:
        session.transaction = None
        self.queue = [entry for entry in self.queue if entry[0] is not session]

    def _step(self, session: Session) -> bool:
        if session.ended or session.stalled:
            return False
        if session.cut_at is None:
            session.inbox.extend(session.wire)
            session.wire.clear()
        if not session.inbox:
            return self._idle(session)
        if session.running and not session.waits():
            return False
        self._run(session, session.inbox[0])
        return True

    def _run(self, session: Session, reply: Reply) -> None:
        try:
            if session.running is None:
                started = reply.statements.popleft()(session)
                if not isinstance(started, Generator):
                    self._answer(session, reply, started)
                    return
                session.running = started
            session.waits = next(session.running)
        except StopIteration as end:
            self._answer(session, reply, end.value)
        except SqlError as error:
            self._roll_back(session)
            reply.error = error
            reply.statements.clear()
            self._answer(session, reply, None)

    def _answer(self, session: Session, reply: Reply, result: object) -> None:
        session.running, session.state_change = None, self.clock.now
        reply.results.append(result)
        if not reply.statements:
            reply.done = True
            session.inbox.popleft()

    def _idle(self, session: Session) -> bool:
        gone = session.abandoned and session.cut_at is None
        silent = session.cut_at is not None and self.clock.now - session.cut_at >= _KEEPALIVE_SECONDS
        idle = session.transaction is not None and self.clock.now - session.state_change >= _IDLE_SECONDS
        if gone or silent or idle:
            self.end(session)
        return session.ended
