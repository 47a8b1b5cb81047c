"""One workload as its dispatch reads it, and the status that it leaves (`tinyforge.ports.WorkloadsIndex`)."""

from collections.abc import Mapping
from typing import Any

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from tinyforge.domain.workload_status import HostFacts
from tinyforge.index.database import Connection, Database
from tinyforge.index.mirror import declared_workload
from tinyforge.index.sql import queries
from tinyforge.index.texts import storable_json
from tinyforge.ports import CountedRow, Term, WorkloadSnapshot

_SQL = queries("workloads")


class PostgresWorkloadsIndex:
    """Reads a workload in one round trip, and writes its status fenced."""

    def __init__(self, *, database: Database, term: Term) -> None:
        self._database = database
        self._term = term

    async def snapshot(self, workload: str) -> WorkloadSnapshot | None:
        """See `tinyforge.ports.WorkloadsIndex.snapshot`."""

        async def read(connection: Connection) -> WorkloadSnapshot | None:
            about = {"id": workload}
            async with connection.pipeline():
                stored = await connection.cursor(row_factory=dict_row).execute(_SQL["read_workload"], about)
                rows = await connection.cursor(row_factory=class_row(CountedRow)).execute(_SQL["read_containers"], about)
                columns = await stored.fetchone()
                return None if columns is None else _snapshot(columns, tuple(await rows.fetchall()))

        return await self._database.run(read)

    async def write_status(self, workload: str, status: Mapping[str, Any]) -> None:
        """See `tinyforge.ports.WorkloadsIndex.write_status`."""

        async def write(connection: Connection) -> None:
            await connection.execute(_SQL["write_status"], {"id": workload, "status": Jsonb(storable_json(status))})

        await self._database.write(self._term, write)


def _snapshot(columns: Mapping[str, Any], rows: tuple[CountedRow, ...]) -> WorkloadSnapshot:
    host = HostFacts(name=columns["host"], why_unknown=columns["why_unknown"], message=columns["host_message"], as_of=columns["as_of"])
    return WorkloadSnapshot(declared=declared_workload(columns), host=host, rows=rows, status=columns["status"], now=columns["now"])
