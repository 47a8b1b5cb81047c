"""The index as its leader has it: everything that writes, under one term."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tinyforge.index.containers import PostgresContainersIndex
from tinyforge.index.database import Connection, Database
from tinyforge.index.housekeeping import Housekeeping
from tinyforge.index.leadership import STANDALONE, Identity, claim, release
from tinyforge.index.mirror import PostgresMirror
from tinyforge.index.presence import Presence
from tinyforge.index.requests import RequestQueue
from tinyforge.index.workloads import PostgresWorkloadsIndex
from tinyforge.ports import Term, TinyforgeError

_RELEASE_SECONDS = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class LedIndex:
    """What a leader works with."""

    term: Term
    presence: Presence
    containers: PostgresContainersIndex
    mirror: PostgresMirror
    workloads: PostgresWorkloadsIndex
    requests: RequestQueue
    housekeeping: Housekeeping


@asynccontextmanager
async def lead(conninfo: str, *, driver: str = STANDALONE, take_over: bool = False) -> AsyncIterator[LedIndex]:
    """Claim a database whose schema is up to date, and give it back at the end, whatever ends it.

    Args:
        conninfo: where the database is.
        driver: for which driver; a database belongs to one.
        take_over: claim it even if another driver or a Lease leads it.

    Raises:
        IndexRefused: the database belongs to somebody else.
        IndexUnavailable: PostgreSQL does not answer.
    """
    identity = Identity.draw()
    term = await claim(conninfo, identity, driver=driver, take_over=take_over)
    database = Database(conninfo, session=identity.session)
    await database.open()
    try:
        yield LedIndex(
            term=term,
            presence=Presence(conninfo, term),
            containers=PostgresContainersIndex(database=database, term=term),
            mirror=PostgresMirror(database=database, term=term),
            workloads=PostgresWorkloadsIndex(database=database, term=term),
            requests=RequestQueue(database=database, term=term),
            housekeeping=Housekeeping(database=database, term=term),
        )
    finally:
        await _release(database, term)
        await database.close()


async def _release(database: Database, term: Term) -> None:
    """Say that nobody leads, if PostgreSQL hears it in time; the session's end says the same."""

    async def write(connection: Connection) -> None:
        await release(connection, term)

    try:
        async with asyncio.timeout(_RELEASE_SECONDS):
            await database.write(term, write)
    except (TinyforgeError, TimeoutError):
        pass
