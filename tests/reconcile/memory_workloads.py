"""The workloads in memory, for what a real index cannot be made to do on demand: fail between two steps of one turn, and be held up there.

That the real one is such a thing is proved in tests/index/test_workloads.py.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.reconcile.deliberate_plugins import KIND
from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.workload_status import HostFacts
from tinyforge.domain.workloads import Kind, Workload
from tinyforge.ports import CountedRow, WorkloadSnapshot

ID = "default/shop"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class MemoryWorkloads:
    """Some workloads by their id.

    `reading` and `writing` are called before each step and may raise; `written` are all statuses, in order.
    """

    def __init__(self, *snapshots: WorkloadSnapshot) -> None:
        self.has = {it.declared.key.id: it for it in snapshots}
        self.reading: Callable[[str], object] = lambda _: None
        self.writing: Callable[[str], object] = lambda _: None
        self.written: list[tuple[str, Mapping[str, Any]]] = []

    async def snapshot(self, workload: str) -> WorkloadSnapshot | None:
        self.reading(workload)
        return self.has.get(workload)

    async def write_status(self, workload: str, status: Mapping[str, Any]) -> None:
        self.writing(workload)
        stored = json.loads(json.dumps(status))
        self.written.append((workload, stored))
        self.change(workload, status=stored)

    def change(self, workload: str = ID, **changes: Any) -> None:
        """Let something about a workload be otherwise from now on."""
        self.has[workload] = replace(self.has[workload], **changes)

    def status(self, workload: str = ID) -> Mapping[str, Any]:
        """What its status says now."""
        return self.has[workload].status

    def ready(self, workload: str = ID) -> str:
        """Its condition Ready, with the reason: `False Drift`."""
        (ready,) = (it for it in self.status(workload)["conditions"] if it["type"] == "Ready")
        return f"{ready['status']} {ready['reason']}"


def declared(id_: str = ID, *, host: str = "local", compose_project: str = "", **changes: Any) -> DeclaredWorkload:
    """A workload that is dispatched."""
    about: dict[str, Any] = {"source_kind": KIND, "trigger_kind": KIND, "generation": 1} | changes
    project = compose_project or f"tinyforge-{id_.replace('/', '_')}"
    return DeclaredWorkload(key=Workload(id=id_, kind=Kind.STACK, host=host, compose_project=project), **about)


def away(reason: str = "HostUnreachable") -> HostFacts:
    """A host of which nobody can say now what it runs."""
    return HostFacts(name="local", why_unknown=reason, message="", as_of=NOW)


def snapshot(
    id_: str = ID, *, host: HostFacts | None = None, states: tuple[str, ...] = ("running",), **declaration: Any
) -> WorkloadSnapshot:
    """A workload on a host that answers, with a container in each of these states."""
    return WorkloadSnapshot(
        declared=declared(id_, **declaration),
        host=host or HostFacts(name="local", why_unknown="", message="", as_of=NOW),
        rows=tuple(
            CountedRow(row=f"{id_}:{n}", container_id=f"c{n}", role=f"role-{n}", image="image:1", state=state, port=80)
            for n, state in enumerate(states)
        ),
        status={},
        now=NOW,
    )
