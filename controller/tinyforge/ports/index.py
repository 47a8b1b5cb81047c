"""What the use cases need of the index: what they read, what they write, and all of it under one term."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.hosts import EngineIdentity, HostState
from tinyforge.domain.index_plan import Change
from tinyforge.domain.matching import HostView
from tinyforge.domain.mirror import Mirror, MirrorPlan
from tinyforge.domain.requests import Forgotten, Request
from tinyforge.domain.workload_status import HostFacts
from tinyforge.ports.leadership import Claim, Presence, Term
from tinyforge.ports.mutations import Intents


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


class LedIndex(Protocol):
    """The index as its leader has it: everything that writes, under one term."""

    @property
    def term(self) -> Term:
        """What fences every write."""
        ...

    @property
    def claim(self) -> Claim:
        """What PostgreSQL has of the term."""
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
    def intents(self) -> Intents:
        """What is about to be changed on engines."""
        ...

    @property
    def housekeeping(self) -> Housekeeping:
        """What leaves the index."""
        ...
