"""What the index says, for people and scripts: read only, no leader needed."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg.rows import class_row, dict_row, kwargs_row

from tinyforge.index.database import Connection, Database
from tinyforge.index.leadership import Leader, read_leader
from tinyforge.index.schema import SchemaState, schema_state
from tinyforge.index.sql import queries
from tinyforge.index.texts import storable

_SQL = queries("reports")
Facts = list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerFilter:
    """Which containers to show; None: all."""

    workload: str | None = None
    host: str | None = None
    state: str | None = None


@dataclass(frozen=True, slots=True)
class Server:
    """What a PostgreSQL says of itself; `number` is its version as `server_version_num` has it."""

    number: int
    version: str
    encoding: str
    read_only: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standby:
    """A process that may lead, and does not: the name of its sessions, where it is (empty: on the server's machine), and since when."""

    session: str
    address: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Leadership:
    """Who leads, who could, and when somebody who led was last heard of: None if nobody ever was."""

    leader: Leader
    standbys: tuple[Standby, ...]
    last_sign_of_life: datetime | None


class Reports:
    """Reads facts as dictionaries, one a row, keyed by column."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def containers(self, wanted: ContainerFilter) -> Facts:
        """Return the rows of `container_status`, by workload and id."""
        return await self._read(_SQL["containers"], {"workload": wanted.workload, "host": wanted.host, "state": wanted.state})

    async def hosts(self) -> Facts:
        """Return the hosts, and removed ones that still have rows."""
        return await self._read(_SQL["hosts"], {})

    async def workloads(self) -> Facts:
        """Return the workloads with the effective states of their counted containers."""
        return await self._read(_SQL["workloads"], {})

    async def server(self) -> Server:
        """Return what the server is."""

        async def read(connection: Connection) -> Server:
            cursor = connection.cursor(row_factory=class_row(Server))
            await cursor.execute(_SQL["server"])
            return await cursor.fetchone() or Server(0, "", "", read_only=True)

        return await self._database.run(read)

    async def leader(self) -> Leader:
        """Return who leads."""
        return await self._database.run(read_leader)

    async def leadership(self) -> Leadership:
        """Return who leads and who could."""

        async def read(connection: Connection) -> Leadership:
            leader = await read_leader(connection)
            (last,) = await (await connection.execute(_SQL["last_sign_of_life"])).fetchone() or (None,)
            cursor = connection.cursor(row_factory=kwargs_row(Standby))
            standbys = await (await cursor.execute(_SQL["standbys"])).fetchall()
            return Leadership(leader=leader, standbys=tuple(standbys), last_sign_of_life=last)

        return await self._database.run(read)

    async def schema(self) -> SchemaState:
        """Return what the schema is."""
        return await self._database.run(schema_state)

    async def _read(self, query: Any, about: dict[str, str | None]) -> Facts:
        async def read(connection: Connection) -> Facts:
            async with connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(query, {name: value and storable(value) for name, value in about.items()})
                return await cursor.fetchall()

        return await self._database.run(read)
