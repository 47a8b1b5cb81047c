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

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from tinyforge.domain.containers import Container
from tinyforge.domain.hosts import EngineIdentity, HostState
from tinyforge.domain.index_plan import Change
from tinyforge.domain.matching import HostView
from tinyforge.domain.mirror import Mirror, MirrorPlan


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
