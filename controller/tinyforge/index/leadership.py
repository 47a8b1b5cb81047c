"""Who writes to this database: who a process is, the claims by which its term begins, and who leads now.

Without a Lease the claim in PostgreSQL is all there is, and the newest process of a driver wins (`claim`); a term that was won by a Lease
is claimed with the epoch that the Lease has (`EpochClaiming`).
"""

import asyncio
import hashlib
import os
import secrets
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from tinyforge.index.claiming import make_claim
from tinyforge.index.errors import ROW_IS_GONE, translate
from tinyforge.index.sessions import Connection, bounded, connect
from tinyforge.index.sql import queries
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable, Term

STANDALONE = "standalone"
OPERATOR = "operator"

_SQL = queries("leaders")
_PATIENCE_SECONDS = 15.0
_CONNECT_SECONDS = 2.0  # libpq takes no less
_PAUSE_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that may lead: `holder` is for people, `session` the application_name of its sessions (63 bytes at most)."""

    holder: str
    session: str

    @classmethod
    def draw(cls, prefix: str = "") -> "Identity":
        """Return an identity no other process has, were it this pid on this machine again.

        Args:
            prefix: what people know the process by, a pod's uid; by default the host's name and the pid.
        """
        holder = f"{prefix or f'{socket.gethostname()}/{os.getpid()}'}/{secrets.token_hex(4)}"
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
        IndexRefused: the database belongs to another driver or Lease, it asks for a newer program, or the row of `leaders` is gone.
        IndexUnavailable: PostgreSQL does not answer, or the previous holder could not be ended.
    """
    try:
        async with await connect(conninfo, session=identity.session) as connection:
            return await bounded(connection, _claim_next(connection, identity, driver=driver, take_over=take_over), seconds=None)
    except psycopg.Error as error:
        raise translate(error) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochClaiming:
    """Claims a database for a term that was won by a Lease (`tinyforge.ports.Claiming`).

    Args:
        conninfo: where the database is.
        identity: who claims.
        driver: for which driver.
        lease: under which Lease: the uid of its namespace, `/`, its name.
        take_over: claim it even if another driver or Lease leads it.
    """

    conninfo: str = field(repr=False)
    identity: Identity
    driver: str
    lease: str
    take_over: bool

    async def claim(self, epoch: int, *, give_up: Callable[[], bool]) -> Term:
        """See `tinyforge.ports.Claiming.claim`.

        Raises:
            Fenced: somebody has a newer epoch.
            IndexRefused: the database belongs to another driver or Lease, it asks for a newer program, or the row of `leaders` is gone.
            IndexUnavailable: it was given up; the text says what stood in the way.
        """
        session = self.identity.session
        term = Term(epoch=epoch, holder=self.identity.holder, session=session, driver=self.driver, lease=self.lease)
        while True:
            try:
                async with await connect(self.conninfo, session=session, connect_timeout=_CONNECT_SECONDS) as connection:
                    await make_claim(connection, term, take_over=self.take_over, give_up=give_up)
                    return term
            except psycopg.Error as error:
                reason = translate(error)
                if give_up() or not isinstance(reason, IndexUnavailable):
                    raise reason from error
            await asyncio.sleep(_PAUSE_SECONDS)


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
        raise IndexRefused(ROW_IS_GONE)
    epoch, holder, session, driver, lease, claimed_at, alive = row
    return Leader(epoch=epoch, holder=holder, session=session, driver=driver, lease=lease, claimed_at=claimed_at, alive=alive)


async def _claim_next(connection: Connection, identity: Identity, *, driver: str, take_over: bool) -> Term:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while True:
        leader = await read_leader(connection)
        term = Term(epoch=leader.epoch + 1, holder=identity.holder, session=identity.session, driver=driver)
        try:
            await make_claim(connection, term, take_over=take_over, give_up=lambda: loop.time() > deadline)
        except Fenced:
            continue  # another process has taken this epoch meanwhile: the newest wins, so the next one
        return term
