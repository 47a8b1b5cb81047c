"""What a person deploys, as far as matching needs to know it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self


class Kind(StrEnum):
    """What sort of thing a workload is; it never changes."""

    PROJECT = "project"
    SITE = "site"
    STACK = "stack"


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A workload as stored in the index. `ref` is set for sites only, `compose_project` for stacks only."""

    id: str
    kind: Kind
    host: str
    ref: str = ""
    compose_project: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workloads:
    """The workloads of one host, found by what a label may say.

    `elsewhere` maps the ids of other hosts' workloads to their host. A pass leaves it empty, since it costs what exists and not
    what changed; `explain` fills it, to tell a forged label from a container on the wrong host. Either way such a container is
    ignored.
    """

    by_id: Mapping[str, Workload] = field(default_factory=dict)
    by_ref: Mapping[str, Workload] = field(default_factory=dict)
    by_project: Mapping[str, Workload] = field(default_factory=dict)
    elsewhere: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, host: str, workloads: Iterable[Workload]) -> Self:
        """Return the look-up tables for the workloads of `host` among `workloads`."""
        everywhere = tuple(workloads)
        here = [workload for workload in everywhere if workload.host == host]
        return cls(
            by_id={workload.id: workload for workload in here},
            by_ref={workload.ref: workload for workload in here if workload.kind is Kind.SITE and workload.ref},
            by_project={
                workload.compose_project: workload for workload in here if workload.kind is Kind.STACK and workload.compose_project
            },
            elsewhere={workload.id: workload.host for workload in everywhere if workload.host != host},
        )
