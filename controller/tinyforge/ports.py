"""What the use cases need from the world: protocols, and the errors that may cross them.

The adapters (`tinyforge.engine`, `tinyforge.index`) implement these; `tinyforge.reconcile` knows nothing else of them. A foreign
exception stops at its adapter and is chained to one of these:

    TinyforgeError
    ├── EngineError              an engine gave no usable answer; `reason` is one of the constants of `EngineReason`
    ├── IndexUnavailable         PostgreSQL gave no usable answer: try again later
    │   └── RowsMoved            rows changed since they were read (rule W7): a pass reads and plans again at once
    └── IndexRefused             PostgreSQL answered, and the answer is no until somebody acts
        └── Fenced               somebody else leads: this process writes nothing any more
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, NoReturn, Protocol

from tinyforge.domain.containers import Container
from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.hosts import EngineIdentity, HostState
from tinyforge.domain.index_plan import Change
from tinyforge.domain.matching import HostView
from tinyforge.domain.mirror import Mirror, MirrorPlan
from tinyforge.domain.requests import Forgotten, Request
from tinyforge.domain.workload_status import HostFacts


class TinyforgeError(Exception):
    """The root of every error that Tinyforge raises on purpose. Its text is for people and holds no secret."""


class EngineReason(StrEnum):
    """Why an engine gave no usable answer: stable words for statuses, metrics and alerts."""

    ANSWER_TOO_LARGE = "AnswerTooLarge"
    ANSWER_UNREADABLE = "AnswerUnreadable"
    CERTIFICATE_EXPIRED = "CertificateExpired"
    CONNECT_FAILED = "ConnectFailed"
    HTTP_ERROR = "HTTPError"
    PERMISSION_DENIED = "PermissionDenied"
    SECRET_UNUSABLE = "SecretUnusable"  # noqa: S105 - a reason's name, no secret
    SSH_FAILED = "SSHFailed"
    TIMEOUT = "Timeout"
    TLS_FAILED = "TLSFailed"
    UNSUPPORTED_VERSION = "UnsupportedVersion"


class EngineError(TinyforgeError):
    """An engine gave no usable answer; the whole list counts as failed (rule P4)."""

    def __init__(self, reason: EngineReason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class IndexUnavailable(TinyforgeError):
    """PostgreSQL gave no usable answer; trying again later may work."""


class IndexRefused(TinyforgeError):
    """PostgreSQL answered, and the answer stays no until somebody acts; the text says how."""


class Fenced(IndexRefused):
    """Another process leads this database: the term is over, and nothing of it was written."""


class RowsMoved(IndexUnavailable):
    """Rows are not what was read any more (rule W7). `ids` names those that are known to have moved; nothing was written."""

    def __init__(self, ids: Collection[str]) -> None:
        super().__init__(f"rows changed since they were read: {', '.join(sorted(ids)[:5]) or 'by another transaction'}")
        self.ids = frozenset(ids)


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole, successful answer to one list.

    `asked_at` is the moment it was asked for, on this process's monotonic clock, in seconds.
    """

    containers: Sequence[Container]
    asked_at: float


class Engine(Protocol):
    """One Docker Engine, behind whatever endpoint it has. Every call ends within its total timeout and can be cancelled at once."""

    @property
    def generation(self) -> int:
        """A number that grows whenever the engine's credentials changed: another one may answer since.

        A call is what reads them, so this is to be looked at after it.
        """
        ...

    async def containers(self, ids: Collection[str] = ()) -> Listing:
        """List all containers, running and stopped; with `ids` (64 hex digits each) only these.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        ...

    async def labels(self, container_id: str) -> Mapping[str, str]:
        """Return every label of one container, for `explain`; empty if the engine no longer has it.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        ...

    async def identity(self) -> EngineIdentity:
        """Ask the engine who it is.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        ...

    async def close(self) -> None:
        """Give up the connections; idempotent."""
        ...


class Secrets(Protocol):
    """Where the credentials for engines are. What a Secret holds is never in a message, a log or a repr."""

    async def read(self, name: str, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return what a Secret holds now under each of some keys, which may be nothing.

        Args:
            name: a name as Kubernetes allows it.
            keys: the keys it must have; no other is returned.

        Raises:
            EngineError: SECRET_UNUSABLE: there is no such Secret, it lacks a key, or it cannot be read; the text says what to do.
        """
        ...

    def describe(self, name: str, key: str) -> str:
        """Return what a message calls a key of a Secret, so that its reader finds it."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One time of leading: what fences every write. `holder` is this process, for people; `session` names all its PostgreSQL sessions."""

    epoch: int
    holder: str
    session: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostSnapshot:
    """A host as the index knows it: what matching needs, and the engine pinned to its name (empty: none yet)."""

    view: HostView
    engine_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletePass:
    """What a pass that got a whole, full list writes.

    `elapsed` is the number of seconds since the list was asked for, `stale_after` the number of seconds for which the pass speaks.
    `identity` is set when the engine was asked who it is, and is pinned to the host.
    """

    host: str
    changes: tuple[Change, ...]
    listed: int
    matched: int
    elapsed: float
    stale_after: float
    identity: EngineIdentity | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedPass:
    """What a pass writes that could say nothing about the containers: the state that makes every row of the host read `unknown`."""

    host: str
    state: HostState
    reason: str
    message: str


class ContainersReader(Protocol):
    """The containers index, as it is read. Every method raises IndexUnavailable if PostgreSQL does not answer."""

    async def snapshot(self, host: str, *, also: Collection[str] = ()) -> HostSnapshot:
        """Read a host's workloads and rows; `also` names rows to read wherever they are."""
        ...

    async def elsewhere(self, host: str) -> Mapping[str, str]:
        """Return the host of every workload that is declared for another host, by id; for `explain`."""
        ...


class ContainersIndex(ContainersReader, Protocol):
    """The containers index, as a pass reads and writes it. Every write is one transaction fenced by this process's term.

    Every method raises IndexUnavailable if PostgreSQL does not answer, the writing ones Fenced if another process leads.
    """

    async def complete(self, record: CompletePass) -> None:
        """Write a pass over exactly what was read.

        Raises:
            RowsMoved: a row is not what it was; nothing was written.
        """
        ...

    async def fail(self, record: FailedPass) -> None:
        """Record that a pass could say nothing."""
        ...


class MirrorIndex(Protocol):
    """The mirror of the declared state. Raises as `ContainersIndex` does."""

    async def read(self) -> Mirror:
        """Return the mirror whole."""
        ...

    async def write(self, plan: MirrorPlan, *, stale_after: float) -> None:
        """Write a plan in one fenced transaction; `stale_after` is in seconds, for hosts that no pass has reached yet."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedRow:
    """A row that counts for its workload's status; `state` is its effective state, as the view `container_status` says it."""

    row: str
    container_id: str
    role: str
    image: str
    state: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadSnapshot:
    """A workload as the index knows it: declaration, host, rows, the status last written, and what time it is by PostgreSQL's clock."""

    declared: DeclaredWorkload
    host: HostFacts
    rows: tuple[CountedRow, ...]
    status: Mapping[str, Any]
    now: datetime


class WorkloadsIndex(Protocol):
    """The workloads that are in force, one at a time. Raises as `ContainersIndex` does."""

    async def snapshot(self, workload: str) -> WorkloadSnapshot | None:
        """Read one workload by its id; None if it is not in force."""
        ...

    async def write_status(self, workload: str, status: Mapping[str, Any]) -> None:
        """Write a workload's status, if it still is in force."""
        ...


class RequestQueue(Protocol):
    """What people ask the leader for, and its answers. Raises as `ContainersIndex` does."""

    async def open_requests(self) -> Sequence[Request]:
        """Return what has not been answered yet, oldest first."""
        ...

    async def answer(self, request: Request, outcome: Mapping[str, Any]) -> None:
        """Write the answer to a request; whoever asked is notified."""
        ...


class Housekeeping(Protocol):
    """What leaves the index. Raises as `ContainersIndex` does."""

    async def forget(self, workload: str, *, role: str | None = None) -> Forgotten:
        """Delete a workload's missing rows (only those of `role`, if one is given) that hold nothing of a deployer's."""
        ...

    async def prune(self, *, retention: float) -> Sequence[str]:
        """Delete what is older than `retention` seconds (0: nothing), and requests older than a day; return the ids of the deleted rows."""
        ...


class Presence(Protocol):
    """The session by which a leader is known to be alive, and by which it hears of requests and of its own end."""

    async def hold(self, on_request: Callable[[], None], on_lost: Callable[[], Awaitable[None]]) -> NoReturn:
        """Hold the session for as long as the term lasts.

        Args:
            on_request: called when there may be a new request.
            on_lost: awaited whenever the session was lost or could not be opened, before it is opened anew.

        Raises:
            Fenced: another process has claimed the database; the text names it.
        """
        ...


class LedIndex(Protocol):
    """The index as its leader has it: everything that writes, under one term."""

    @property
    def term(self) -> Term:
        """What fences every write."""
        ...

    @property
    def presence(self) -> Presence:
        """The leader's sign of life."""
        ...

    @property
    def containers(self) -> ContainersIndex:
        """The containers index."""
        ...

    @property
    def mirror(self) -> MirrorIndex:
        """The mirror of the declared state."""
        ...

    @property
    def workloads(self) -> WorkloadsIndex:
        """The workloads in force."""
        ...

    @property
    def requests(self) -> RequestQueue:
        """What people ask for."""
        ...

    @property
    def housekeeping(self) -> Housekeeping:
        """What leaves the index."""
        ...
