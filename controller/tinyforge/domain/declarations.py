"""What people declare, and what of it the index mirrors.

A *declaration* is a host or a workload as somebody wrote it, wherever it was written (`origin`: a file and line, or an object's
name). The mirror is the index's copy of it, which matching joins on. `plan_mirror` decides what the mirror becomes; the rules it
keeps are P10 (an incomplete reading removes nothing) and design.md's on conflicts (who holds a compose project or ref in the mirror
keeps it, else the older, else the smaller id).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from tinyforge.domain.hosts import Host
from tinyforge.domain.traces import Traceparent
from tinyforge.domain.workloads import Workload

Json = Mapping[str, Any]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredWorkload:
    """A workload with everything that its mirror row holds. `key` is what matching needs, the rest is its dispatch's and its readers'.

    `generation` counts the changes of what was written; 0 where nobody counts, as in a folder of manifests. It says nothing about what the
    workload is, so two workloads that differ in it alone are equal.
    """

    key: Workload
    group_id: str = ""
    parent_id: str = ""
    source_kind: str = ""
    source_config: Json = field(default_factory=dict)
    trigger_kind: str = ""
    trigger_config: Json = field(default_factory=dict)
    public_faces: tuple[Json, ...] = ()
    suspended: bool = False
    generation: int = field(default=0, compare=False)

    @property
    def dispatched(self) -> bool:
        """Whether it is dispatched to a source (rule D1)."""
        return bool(self.source_kind and self.trigger_kind) and not self.suspended


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared(Generic[T]):
    """A declaration and where it was written, for people: `site.yaml:12`. `since` is when it was first written, if anybody knows.

    `traceparent` is where whoever wrote it traces that, if it says so (annotation `tracing.k8s.io/traceparent`).
    """

    value: T
    origin: str
    since: datetime | None = None
    traceparent: Traceparent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One reading of everything that is declared.

    `complete` is false when some of it could not be read: what is missing from the reading is then no proof of a removal (rule P10).
    `held_hosts` and `held_workloads` are the ids of what is written but unusable (two objects of one name, an
    invalid spec): neither changed nor removed.
    `deleted` are the names of hosts and the ids of workloads that somebody deleted, as far as that is known and not only concluded.
    """

    hosts: tuple[Declared[Host], ...] = ()
    workloads: tuple[Declared[DeclaredWorkload], ...] = ()
    complete: bool = True
    held_hosts: frozenset[str] = frozenset()
    held_workloads: frozenset[str] = frozenset()
    deleted: frozenset[str] = frozenset()

    @property
    def traceparents(self) -> Mapping[str, Traceparent]:
        """Where workloads are traced by whoever declared them, by their id."""
        return {it.value.key.id: it.traceparent for it in self.workloads if it.traceparent}
