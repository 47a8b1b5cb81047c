"""The containers index in PostgreSQL, as a pass reads and writes it (`tinyforge.ports.ContainersIndex`)."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from psycopg.rows import args_row

from tinyforge.domain.index_plan import Change
from tinyforge.domain.matching import HostView
from tinyforge.domain.rows import Row
from tinyforge.domain.workloads import Kind, Workload, Workloads
from tinyforge.index.database import Connection, Database
from tinyforge.index.sql import queries
from tinyforge.index.texts import storable
from tinyforge.ports import CompletePass, FailedPass, HostSnapshot, Term

_SQL = queries("containers")


class PostgresContainersIndex:
    """Reads a host in one round trip, writes a pass in one fenced pipeline."""

    def __init__(self, *, database: Database, term: Term) -> None:
        self._database = database
        self._term = term

    async def snapshot(self, host: str, *, also: Collection[str] = ()) -> HostSnapshot:
        """See `tinyforge.ports.ContainersIndex.snapshot`."""

        async def read(connection: Connection) -> HostSnapshot:
            about = {"host": host, "ids": list(also)}
            async with connection.pipeline():
                facts = await connection.execute(_SQL["read_host"], about)
                workloads = await connection.execute(_SQL["read_workloads"], about)
                rows = connection.cursor(binary=True, row_factory=args_row(Row))
                await rows.execute(_SQL["read_rows"], about)
                others = connection.cursor(binary=True, row_factory=args_row(Row))
                await others.execute(_SQL["read_rows_by_id"], about)
                installation, engine_id = await facts.fetchone() or ("", "")
                here = [_workload(*columns) for columns in await workloads.fetchall()]
                found = [*await rows.fetchall(), *await others.fetchall()]
            view = HostView(host=host, installation=installation, workloads=Workloads.of(host, here), rows={row.id: row for row in found})
            return HostSnapshot(view=view, engine_id=engine_id)

        return await self._database.run(read)

    async def elsewhere(self, host: str) -> Mapping[str, str]:
        """See `tinyforge.ports.ContainersIndex.elsewhere`."""

        async def read(connection: Connection) -> Mapping[str, str]:
            cursor = await connection.execute(_SQL["read_workloads_elsewhere"], {"host": host})
            return dict(await cursor.fetchall())

        return await self._database.run(read)

    async def complete(self, record: CompletePass) -> None:
        """See `tinyforge.ports.ContainersIndex.complete`."""
        identity = record.identity
        about = {
            "host": record.host,
            "elapsed": record.elapsed,
            "stale_after": record.stale_after,
            "listed": record.listed,
            "matched": record.matched,
            "engine_id": identity and identity.engine_id,
            "engine_version": identity and identity.version,
            "api_version": identity and identity.api_version,
        }

        async def write(connection: Connection) -> None:
            if record.changes:
                await connection.execute(
                    _SQL["expect_rows"], _columns([change.over or change.row for change in record.changes], record.changes)
                )
                await connection.execute(_SQL["write_rows"], about | _columns([change.row for change in record.changes], record.changes))
            await connection.execute(_SQL["complete_host"], about)

        await self._database.write(self._term, write)

    async def fail(self, record: FailedPass) -> None:
        """See `tinyforge.ports.ContainersIndex.fail`."""
        about = {"host": record.host, "state": record.state, "reason": record.reason, "message": storable(record.message)}

        async def write(connection: Connection) -> None:
            await connection.execute(_SQL["fail_host"], about)

        await self._database.write(self._term, write)


def _workload(id_: str, kind: str, host: str, ref: str, compose_project: str) -> Workload:
    return Workload(id=id_, kind=Kind(kind), host=host, ref=ref, compose_project=compose_project)


def _columns(rows: Sequence[Row], changes: Sequence[Change]) -> dict[str, list[Any]]:
    """Return rows as the arrays that `unnest` makes rows of again."""
    return {
        "ids": [row.id for row in rows],
        "known": [change.over is not None for change in changes],
        "workload_ids": [row.workload_id for row in rows],
        "workload_kinds": [row.workload_kind for row in rows],
        "roles": [row.role for row in rows],
        "container_ids": [row.container_id for row in rows],
        "image_refs": [row.image_ref for row in rows],
        "hosts": [row.host for row in rows],
        "states": [row.state for row in rows],
        "state_reasons": [row.state_reason for row in rows],
        "ports": [row.port for row in rows],
        "seens": [row.seen for row in rows],
    }
