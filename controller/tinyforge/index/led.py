"""The index as its leader has it: everything that writes, under one term."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from tinyforge.index.assertion import Assertion, PostgresClaim
from tinyforge.index.containers import PostgresContainersIndex
from tinyforge.index.database import Database
from tinyforge.index.housekeeping import Housekeeping
from tinyforge.index.intents import PostgresIntents
from tinyforge.index.leadership import STANDALONE, Identity, claim
from tinyforge.index.mirror import PostgresMirror
from tinyforge.index.presence import Presence
from tinyforge.index.requests import RequestQueue
from tinyforge.index.workloads import PostgresWorkloadsIndex
from tinyforge.ports import Term


@dataclass(frozen=True, slots=True, kw_only=True)
class LedIndex:
    """What a leader works with."""

    term: Term
    claim: PostgresClaim
    presence: Presence
    containers: PostgresContainersIndex
    mirror: PostgresMirror
    workloads: PostgresWorkloadsIndex
    requests: RequestQueue
    housekeeping: Housekeeping
    intents: PostgresIntents
    database: Database

    @property
    def fenced_writes(self) -> int:
        """How many writes the fence has refused."""
        return self.database.fenced_writes


@asynccontextmanager
async def lead(
    conninfo: str, *, identity: Identity | None = None, driver: str = STANDALONE, take_over: bool = False
) -> AsyncIterator[LedIndex]:
    """Claim a database whose schema is up to date, and give it back at the end, whatever ends it.

    Args:
        conninfo: where the database is.
        identity: who leads; one that is drawn now by default.
        driver: for which driver; a database belongs to one.
        take_over: claim it even if another driver or a Lease leads it.

    Raises:
        IndexRefused: the database belongs to somebody else.
        IndexUnavailable: PostgreSQL does not answer.
    """
    identity = identity or Identity.draw()
    term = await claim(conninfo, identity, driver=driver, take_over=take_over)
    presence = Presence(conninfo, session=identity.session)
    try:
        async with led(conninfo, term, presence) as index:
            yield index
    finally:
        await presence.release(term)
        await presence.close()


@asynccontextmanager
async def led(conninfo: str, term: Term, presence: Presence) -> AsyncIterator[LedIndex]:
    """Work under a term that has been claimed; nothing is given back at the end, and the presence stays as it is.

    Args:
        conninfo: where the database is.
        term: what was claimed.
        presence: that of the process.
    """
    assertion = Assertion(term)
    database = Database(conninfo, session=term.session, first_use=assertion.stand)
    await database.open()
    try:
        yield LedIndex(
            term=term,
            claim=PostgresClaim(database=database, assertion=assertion),
            presence=presence,
            containers=PostgresContainersIndex(database=database, term=term),
            mirror=PostgresMirror(database=database, term=term),
            workloads=PostgresWorkloadsIndex(database=database, term=term),
            requests=RequestQueue(database=database, term=term),
            housekeeping=Housekeeping(database=database, term=term),
            intents=PostgresIntents(database=database, term=term),
            database=database,
        )
    finally:
        await database.close()
