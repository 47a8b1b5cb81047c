"""The mirror of the declared state, which matching joins on: tables `hosts` and `workloads`."""

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Mirror, MirrorPlan, StoredWorkload
from tinyforge.domain.workloads import Kind, Workload
from tinyforge.index.database import Connection, Database
from tinyforge.index.sql import queries
from tinyforge.ports import Term

_SQL = queries("mirror")
_HOST_FIELDS = frozenset(field.name for field in fields(Host))


class PostgresMirror:
    """Reads the mirror whole, and writes a plan in one fenced transaction (`tinyforge.ports.MirrorIndex`)."""

    def __init__(self, *, database: Database, term: Term) -> None:
        self._database = database
        self._term = term

    async def read(self) -> Mirror:
        """See `tinyforge.ports.MirrorIndex.read`."""
        return await self._database.run(read_mirror)

    async def write(self, plan: MirrorPlan, *, stale_after: float) -> None:
        """See `tinyforge.ports.MirrorIndex.write`."""

        async def write(connection: Connection) -> None:
            for host in plan.hosts:
                await connection.execute(_SQL["write_host"], _host_columns(host) | {"stale_after": stale_after})
            await connection.execute(_SQL["remove_hosts"], {"names": list(plan.removed_hosts)})
            await connection.execute(_SQL["remove_workloads"], {"ids": list(plan.removed_workloads)})
            if plan.workloads:
                await connection.execute(_SQL["write_workloads"], _workload_columns(plan.workloads))
            await connection.execute(_SQL["suspend_hosts"])

        await self._database.write(self._term, write)


async def read_mirror(connection: Connection) -> Mirror:
    """Return the mirror whole; nobody need lead for that."""
    hosts = await (await connection.execute(_SQL["read_hosts"])).fetchall()
    workloads = await connection.cursor(row_factory=dict_row).execute(_SQL["read_workloads"])
    return Mirror(
        hosts={name: _host(name, endpoint, spec) for name, endpoint, spec in hosts},
        workloads={
            columns["id"]: StoredWorkload(value=declared_workload(columns), created_at=columns["created_at"])
            for columns in await workloads.fetchall()
        },
    )


def declared_workload(columns: Mapping[str, Any]) -> DeclaredWorkload:
    """Return what was declared, from the columns of `workloads`."""
    key = Workload(
        id=columns["id"],
        kind=Kind(columns["kind"]),
        host=columns["host"],
        ref=columns["ref"],
        compose_project=columns["compose_project"],
    )
    return DeclaredWorkload(
        key=key,
        group_id=columns["group_id"],
        parent_id=columns["parent_id"],
        source_kind=columns["source_kind"],
        source_config=columns["source_config"],
        trigger_kind=columns["trigger_kind"],
        trigger_config=columns["trigger_config"],
        public_faces=tuple(columns["public_faces"]),
        suspended=columns["suspended"],
        generation=columns["generation"],
    )


def _host(name: str, endpoint: str, spec: dict[str, Any]) -> Host:
    known = {field: spec[field] for field in _HOST_FIELDS & spec.keys()}  # a newer program may have written more
    return Host(name=name, endpoint=endpoint, **(known | {"allowed_namespaces": tuple(spec.get("allowed_namespaces", ()))}))


def _host_columns(host: Host) -> dict[str, Any]:
    spec = asdict(host)
    return {"name": spec.pop("name"), "endpoint": spec.pop("endpoint"), "spec": Jsonb(spec)}


def _workload_columns(workloads: tuple[DeclaredWorkload, ...]) -> dict[str, list[Any]]:
    return {
        "ids": [workload.key.id for workload in workloads],
        "kinds": [workload.key.kind.value for workload in workloads],
        "hosts": [workload.key.host for workload in workloads],
        "refs": [workload.key.ref for workload in workloads],
        "compose_projects": [workload.key.compose_project for workload in workloads],
        "group_ids": [workload.group_id for workload in workloads],
        "parent_ids": [workload.parent_id for workload in workloads],
        "source_kinds": [workload.source_kind for workload in workloads],
        "source_configs": [Jsonb(workload.source_config) for workload in workloads],
        "trigger_kinds": [workload.trigger_kind for workload in workloads],
        "trigger_configs": [Jsonb(workload.trigger_config) for workload in workloads],
        "public_faces": [Jsonb(list(workload.public_faces)) for workload in workloads],
        "suspended": [workload.suspended for workload in workloads],
        "generations": [workload.generation for workload in workloads],
        "counted": [workload.key.id for workload in workloads if workload.generation],
    }
