"""Migrations: plain SQL in `migrations/`, applied in the order of their names, forward only, each in a transaction of its own.

One at a time, under an advisory lock that ends with its session, so that a killed migration leaves nothing to break. A file that
was edited after it was applied is noticed by its hash. (No migration library does all of this and is kept: ARCHITECTURE.md has the
comparison.)

A program writes while the schema's `min_program` is not above its own number, whatever the schema's version is. A migration that
only adds leaves `min_program` alone, so that the previous release goes on during a rollout; one that takes something away raises
it, as its last statement: `UPDATE tinyforge.schema SET min_program = …`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

import psycopg
from psycopg import AsyncConnection

from tinyforge.index.database import PROGRAM
from tinyforge.index.errors import translate
from tinyforge.index.pooler import refuse_pooler
from tinyforge.index.sessions import Connection, bounded
from tinyforge.ports import IndexRefused

_LOCK = 8388357248642937446
_POOLER_SECONDS = 20.0  # through a pooler it may open as many connections as there are sessions
_SETUP = """
CREATE SCHEMA IF NOT EXISTS tinyforge;
CREATE TABLE IF NOT EXISTS tinyforge.migrations (id text PRIMARY KEY, sha256 text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS tinyforge.schema (
    version integer NOT NULL, min_program integer NOT NULL, single boolean NOT NULL DEFAULT true UNIQUE CHECK (single)
);
INSERT INTO tinyforge.schema (version, min_program) VALUES (0, 1) ON CONFLICT DO NOTHING;
"""
_LEADERS_ROW = "INSERT INTO tinyforge.leaders (name) VALUES ('main') ON CONFLICT DO NOTHING"


@dataclass(frozen=True, slots=True)
class Migration:
    """One migration file."""

    id: str
    sql: str

    @property
    def version(self) -> int:
        """The number the file's name begins with."""
        return int(self.id[:4])

    @property
    def sha256(self) -> str:
        """What tells an edited file from the one that was applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class SchemaState:
    """What the schema of a database is, and what this program makes of it."""

    version: int
    min_program: int
    pending: tuple[str, ...]

    @property
    def usable(self) -> bool:
        """Whether this program may write."""
        return not self.pending and self.min_program <= PROGRAM


def migrations() -> tuple[Migration, ...]:
    """Return the migrations this program knows, in order."""
    folder = files("tinyforge.index").joinpath("migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return tuple(Migration(name.removesuffix(".sql"), folder.joinpath(name).read_text("utf-8")) for name in names)


async def migrate(conninfo: str, known: Sequence[Migration] | None = None) -> list[str]:
    """Bring the schema of a database up to date and return the ids of the migrations that were applied.

    Args:
        conninfo: where the database is.
        known: the migrations, in order; those of this program by default.

    Raises:
        IndexRefused: an applied file was edited since, the schema asks for a newer program, or a pooler shares sessions out.
        IndexUnavailable: PostgreSQL does not answer, or refuses a statement.
    """
    wanted = migrations() if known is None else known
    try:
        async with await AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
            await bounded(connection, refuse_pooler(connection, conninfo), seconds=_POOLER_SECONDS)
            return await bounded(connection, _migrate(connection, wanted), seconds=None)
    except psycopg.Error as error:
        raise translate(error) from error


async def require_schema(conninfo: str) -> None:
    """Refuse a database that this program would have to migrate first, or may not write to.

    Raises:
        IndexRefused: its schema is older than this program, or asks for a newer one, and the text names both; or a pooler shares
            sessions out.
        IndexUnavailable: PostgreSQL does not answer.
    """
    try:
        async with await AsyncConnection.connect(conninfo, autocommit=True, connect_timeout=5) as connection:
            await bounded(connection, refuse_pooler(connection, conninfo), seconds=_POOLER_SECONDS)
            await bounded(connection, _require_schema(connection), seconds=5.0)
    except psycopg.Error as error:
        raise translate(error) from error


async def schema_state(connection: Connection) -> SchemaState:
    """Return what the schema is.

    Raises:
        psycopg.errors.UndefinedTable: there is none.
    """
    cursor = await connection.execute("SELECT version, min_program FROM tinyforge.schema")
    version, min_program = await cursor.fetchone() or (0, 1)
    applied = await _applied(connection)
    pending = tuple(migration.id for migration in migrations() if migration.id not in applied)
    return SchemaState(version=version, min_program=min_program, pending=pending)


async def _migrate(connection: Connection, wanted: Sequence[Migration]) -> list[str]:
    await connection.execute("SET lock_timeout = '60s'")
    await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    await connection.execute(_SETUP)
    applied = await _applied(connection)
    _refuse_edited(wanted, applied)
    await _refuse_newer(connection)
    todo = [migration for migration in wanted if migration.id not in applied]
    for migration in todo:
        await _apply(connection, migration)
    await connection.execute(_LEADERS_ROW)
    return [migration.id for migration in todo]


async def _require_schema(connection: Connection) -> None:
    state = await schema_state(connection)
    if state.pending:
        newest = migrations()[-1].version
        raise IndexRefused(f"the schema is at version {state.version} and this program needs {newest}; run `tinyforge migrate` first")
    await _refuse_newer(connection)


async def _applied(connection: Connection) -> dict[str, str]:
    cursor = await connection.execute("SELECT id, sha256 FROM tinyforge.migrations")
    return dict(await cursor.fetchall())


async def _apply(connection: Connection, migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(migration.sql.encode())
        await connection.execute("INSERT INTO tinyforge.migrations (id, sha256) VALUES (%s, %s)", (migration.id, migration.sha256))
        await connection.execute("UPDATE tinyforge.schema SET version = %s", (migration.version,))


def _refuse_edited(known: Sequence[Migration], applied: dict[str, str]) -> None:
    for migration in known:
        if applied.get(migration.id, migration.sha256) != migration.sha256:
            raise IndexRefused(f"migration {migration.id} was edited after it was applied; put the file back as it was, and add a new one")


async def _refuse_newer(connection: Connection) -> None:
    cursor = await connection.execute("SELECT version, min_program FROM tinyforge.schema")
    version, min_program = await cursor.fetchone() or (0, 1)
    if min_program > PROGRAM:
        raise IndexRefused(
            f"the schema is at version {version} and asks for program {min_program} or newer; this one is {PROGRAM}: update it"
        )
