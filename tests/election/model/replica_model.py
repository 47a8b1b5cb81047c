"""One process: its tasks, each a row of steps, and what they share. The adversary pauses and ends it; see `standby_model`, `leader_model`.

A pause stops every task of the process at once (SIGSTOP, a long collection of garbage, a suspended machine). It comes between two rounds of
steps, or at the next of the named places that the adversary has chosen.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from tests.election.model.flaws import Flaw
from tests.election.model.host_model import Host
from tests.election.model.lease_model import ApiServer, Conflict, Link, Request
from tests.election.model.moments import Clock, Ready, Steps, always
from tests.election.model.postgresql_model import Session, Statement
from tests.election.model.statements import Sql
from tests.election.model.witness import Witness
from tinyforge.domain.lease import Lease, LeaseTimes

CAMPAIGN = ("before-put", "after-put", "before-claim", "claim-locked", "before-claim-commit", "after-claim")
TERM = ("before-renewal", "pass-read", "in-pipeline", "in-transaction", "mutation-checked")
STEPPING_DOWN = ("before-release", "after-fresh-read")
"""Where a process can be paused between two steps of the protocol."""

_STATEMENT_SECONDS = 5.0
_NOTICED_SECONDS = 10.0  # 5 s without a sign of life, and a campaign


class Lost(Exception):
    """The session to PostgreSQL is gone, or does not answer."""


class NoAnswer(Exception):
    """The API server did not answer in time; perhaps it is done."""


@dataclass
class World:
    """What all replicas meet."""

    clock: Clock
    witness: Witness
    api: ApiServer
    sql: Sql
    host: Host
    times: LeaseTimes
    flaw: Flaw | None
    intents: int = 0


@dataclass(eq=False)
class Task:
    """A row of steps, and what it waits for."""

    steps: Steps[None]
    ready: Ready = always


class Process:
    """What a standby and a leader have in common: time, requests, sessions, pauses."""

    def __init__(self, world: World, *, number: int, life: int) -> None:
        self.world = world
        self.number = number
        self.identity = f"replica-{number}/{life}"
        self.session_name = f"tinyforge/{number}/{life}"
        self.absent_at = self.now
        self.epoch = 0
        self.tasks: list[Task] = []
        self.paused = False
        self.pauses = 0
        self.stop_at = ""
        self.reached = False
        self.ended = ""
        self.cut = False
        """Whether nothing gets through between it and PostgreSQL."""

    @property
    def now(self) -> float:
        """The process's clock."""
        return self.world.clock.now

    def in_touch(self) -> bool:
        """Whether it runs, and has shown that in PostgreSQL for so long that nobody can have missed it."""
        return not self.ended and not self.paused and not self.cut and self.now - self.absent_at > _NOTICED_SECONDS

    def start(self, *rows: Steps[None]) -> tuple[Task, ...]:
        """Begin tasks, and return them."""
        tasks = tuple(Task(steps) for steps in rows)
        self.tasks.extend(tasks)
        return tasks

    def abandon(self, tasks: Collection[Task]) -> None:
        """Take no further step of these."""
        self.tasks = [task for task in self.tasks if task not in tasks]

    def pause(self) -> None:
        """Stop everything (SIGSTOP)."""
        self.paused, self.pauses = True, self.pauses + 1

    def wake(self) -> None:
        """Go on (SIGCONT), and let the backends that work for it go on too."""
        self.paused, self.absent_at = False, self.now
        for session in self._sessions():
            session.stalled = session.stalls_after_fence = False

    def end(self, reason: str) -> None:
        """End: nothing of it runs on, and its sessions are closed, which PostgreSQL learns unless it is cut off."""
        self.ended = self.ended or reason
        self.tasks.clear()
        for session in self._sessions():
            session.abandoned = True

    def step(self) -> bool:
        """Let every task that is ready take a step, the youngest first, and tell whether one was.

        That is the worst order for a process that wakes up: what it was about to do comes before whoever would keep it from that.
        """
        ready = [task for task in reversed(self.tasks) if not self.paused and task.ready()]
        for task in ready:
            if self._runs(task):
                self._step(task)
        return bool(ready)

    def _runs(self, task: Task) -> bool:
        return task in self.tasks and not self.paused

    def _step(self, task: Task) -> None:
        try:
            task.ready = next(task.steps)
        except StopIteration:
            self.abandon([task])

    def cut_off(self, cut: bool) -> None:
        """Cut or mend the link to PostgreSQL."""
        self.cut, self.absent_at = cut, self.now
        for session in self._sessions():
            session.cut_at = self.now if cut else None

    def point(self, name: str) -> Steps[None]:
        """Be paused here, if the adversary has chosen so."""
        if self.stop_at == name:
            self.stop_at, self.reached = "", True
            self.pause()
            yield always

    def stall_here(self, session: Session) -> None:
        """Be paused right after this step, and PostgreSQL right after the fence of the pipeline that it sends, if so chosen."""
        if self.stop_at == "in-pipeline":
            self.stop_at, self.reached, session.stalls_after_fence = "", True, True
            self.pause()

    def after(self, seconds: float) -> Ready:
        """Be ready in so many seconds."""
        then = self.now + seconds
        return lambda: self.now >= then

    def request(self, write: Lease | None = None, *, over: Lease | None = None) -> Steps[Lease | None]:
        """Read the Lease, or write it over what was read.

        Raises:
            NoAnswer: there was none in time.
            Conflict: the Lease is another, or gone, or there already.
        """
        timeout = self.world.times.request_timeout
        by = (self.identity, self.epoch)
        sent = Request(self.number, by, self.now, write=write, over=over.resource_version if over else "")
        self.world.api.under_way.append(sent)
        yield lambda: sent.answered or self.now >= sent.sent_at + timeout
        if not sent.answered:
            raise NoAnswer
        if isinstance(sent.answer, Conflict):
            raise sent.answer
        return sent.answer

    def connect(self) -> Session:
        """Open a session.

        Raises:
            Lost: PostgreSQL cannot be reached.
        """
        if self.cut:
            raise Lost
        return self.world.sql.postgres.connect(self.session_name)

    def ask(self, session: Session, *statements: Statement) -> Steps[list[object]]:
        """Send statements as one pipeline, and return what they returned.

        Raises:
            Lost: the session is gone, or silent; it is given up.
            SqlError: one of them raised it, and what was behind it was skipped.
        """
        reply, give_up = session.send(*statements), self.after(_STATEMENT_SECONDS)
        yield lambda: (reply.done and session.cut_at is None) or session.ended or give_up()
        if session.cut_at is None and reply.done:
            if reply.error:
                raise reply.error
            return reply.results
        session.abandoned = True
        raise Lost

    def hears_of_the_lease(self) -> Callable[[], bool]:
        """Return what is ready once a watch of the Lease tells of a change from now on."""
        api, seen = self.world.api, self.world.api.version
        return lambda: api.version != seen and api.link(self.number) is Link.UP

    def _sessions(self) -> list[Session]:
        return [it for it in self.world.sql.postgres.sessions if it.name == self.session_name]
