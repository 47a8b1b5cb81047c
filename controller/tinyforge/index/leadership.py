"""Who writes to this database: the claim of a term, and the session that hears of the next one.

The claim in PostgreSQL is all there is, and the newest process of a driver wins. A claim takes the fence's
lock alone, so it waits for fenced transactions under way; if the previous holder's sessions hold it up, they are ended, which needs
no privilege beyond its own role.
"""

import hashlib
import os
import secrets
import socket
from dataclasses import dataclass
from datetime import datetime

import psycopg
from psycopg import AsyncConnection

from tinyforge.index.database import Connection, bounded, session_conninfo
from tinyforge.index.errors import translate
from tinyforge.index.sql import queries
from tinyforge.ports import IndexRefused, Term

STANDALONE = "standalone"
OPERATOR = "operator"

_SQL = queries("leaders")
_LOCK = 8388357248642937447  # the one that tinyforge.fence() takes shared
_SLICE_SECONDS = 1
_SLICES = 15


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that may lead: `holder` is for people, `session` the application_name of its sessions (63 bytes at most)."""

    holder: str
    session: str

    @classmethod
    def draw(cls) -> "Identity":
        """Return an identity no other process has, were it this pid on this machine again."""
        holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"
        return cls(holder, f"tinyforge/{hashlib.sha256(holder.encode()).hexdigest()[:32]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """The row of `leaders`, and whether its session is there now."""

    epoch: int
    holder: str
    session: str
    driver: str
    lease: str
    claimed_at: datetime | None
    alive: bool


async def claim(conninfo: str, identity: Identity, *, driver: str = STANDALONE, take_over: bool = False) -> Term:
    """Claim the next epoch of a database and return the term.

    Args:
        conninfo: where the database is.
        identity: who claims.
        driver: for which driver, STANDALONE or OPERATOR.
        take_over: claim it even if another driver or a Lease leads it.

    Raises:
        IndexRefused: the database belongs to another driver or Lease, or the row of `leaders` is gone.
        IndexUnavailable: PostgreSQL does not answer, or the previous holder could not be ended.
    """
    try:
        async with await AsyncConnection.connect(session_conninfo(conninfo, session=identity.session), autocommit=True) as connection:
            return await bounded(connection, _claim_in_slices(connection, identity, driver=driver, take_over=take_over), seconds=None)
    except psycopg.Error as error:
        raise translate(error) from error


async def release(connection: Connection, term: Term) -> None:
    """Leave the row without a holder, if it is still this term's; the epoch stays."""
    await connection.execute(_SQL["release"], {"epoch": term.epoch, "holder": term.holder})


async def read_leader(connection: Connection) -> Leader:
    """Return who leads.

    Raises:
        IndexRefused: the row is gone.
    """
    cursor = await connection.execute(_SQL["read_leader"])
    row = await cursor.fetchone()
    if row is None:
        raise IndexRefused("the row of tinyforge.leaders is gone; `tinyforge migrate` restores it")
    epoch, holder, session, driver, lease, claimed_at, alive = row
    return Leader(epoch=epoch, holder=holder, session=session, driver=driver, lease=lease, claimed_at=claimed_at, alive=alive)


async def _refuse_foreign(connection: Connection, *, driver: str, take_over: bool) -> None:
    leader = await read_leader(connection)
    if leader.driver in ("", driver) and not leader.lease:
        return
    if not take_over:
        by = f"driver {leader.driver}" + (f" under Lease {leader.lease}" if leader.lease else "")
        who = leader.holder or "nobody just now"
        raise IndexRefused(f"this database is led by {who} ({by}); use another database, or claim this one with `--take-over`")


async def _claim_in_slices(connection: Connection, identity: Identity, *, driver: str, take_over: bool) -> Term:
    await _refuse_foreign(connection, driver=driver, take_over=take_over)
    for _ in range(_SLICES):
        try:
            return await _claim(connection, identity, driver=driver, take_over=take_over)
        except psycopg.errors.LockNotAvailable:
            await connection.execute(_SQL["end_holders_sessions"])
    return await _claim(connection, identity, driver=driver, take_over=take_over)


async def _claim(connection: Connection, identity: Identity, *, driver: str, take_over: bool) -> Term:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_SLICE_SECONDS}s'")
        await connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        await _refuse_foreign(connection, driver=driver, take_over=take_over)
        cursor = await connection.execute(
            _SQL["claim"], {"holder": identity.holder, "session": identity.session, "driver": driver, "lease": ""}
        )
        row = await cursor.fetchone()
    if row is None:
        raise IndexRefused("the row of tinyforge.leaders is gone; `tinyforge migrate` restores it")
    return Term(epoch=row[0], holder=identity.holder, session=identity.session)
