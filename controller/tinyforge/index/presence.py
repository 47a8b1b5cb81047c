"""The session by which a process is known to be alive, sees who leads, and hears of requests: a standby's, and the same one when it leads.

It stands outside the pool. Four times a second it looks at the row of `leaders` and at the sessions of whoever holds it, and that look is
its own heartbeat too: by the `query_start` that it leaves in `pg_stat_activity`, on the server's clock, others see that this process lives.
(Not by `state_change`: that moves by itself when a timeout ends the last statement of a process that froze.)
A connection that listens can run nothing meanwhile (psycopg has one lock for both), so it does the two in turn.
"""

import asyncio
from contextlib import suppress
from typing import NoReturn

import psycopg

from tinyforge.domain.leaders import LeadersLook
from tinyforge.index.errors import ROW_IS_GONE, translate
from tinyforge.index.leadership import release
from tinyforge.index.sessions import Connection, bounded, connect
from tinyforge.index.sql import queries
from tinyforge.ports import Attendant, IndexRefused, Term

LEADERS = "tinyforge_leaders"
REQUESTS = "tinyforge_requests"

_SQL = queries("leaders")
_LOOK_SECONDS = 0.25  # two of them, at least half a second apart, see within a second that a leader is gone
_CONNECT_SECONDS = 2.0  # libpq takes no less
_TIMEOUT = 2.0  # then the link is taken for dead
_GRACE = 0.1
_REOPEN_SECONDS = 0.1
_RELEASE_SECONDS = 0.3


class Presence:
    """A process's presence, from its start to its end; one attendant after the other holds it (`tinyforge.ports.Presence`).

    Notifications that were missed are made up for: whenever it is held, and after every reopening, it looks and tells of requests.

    Args:
        conninfo: where the database is.
        session: the name of the process's sessions.
    """

    def __init__(self, conninfo: str, *, session: str) -> None:
        self._conninfo = conninfo
        self._session = session
        self._connection: Connection | None = None
        self.trouble = "not opened yet"
        """Why there is no working session now, for people; empty if there is one."""

    async def hold(self, attendant: Attendant) -> NoReturn:
        """See `tinyforge.ports.Presence.hold`."""
        while True:
            try:
                await self._attend(await self._opened(), attendant)
            except psycopg.Error as error:
                pause = _REOPEN_SECONDS if self.trouble else 0.0  # a session that worked is opened anew at once
                self.trouble = str(translate(error))
                await self.close()
                await attendant.lost()
                await asyncio.sleep(pause)

    async def release(self, term: Term) -> None:
        """See `tinyforge.ports.Presence.release`."""
        with suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(_RELEASE_SECONDS):
                connection = await self._opened()
                await bounded(connection, release(connection, term), seconds=None)

    async def close(self) -> None:
        """Close the session; idempotent, and whoever holds it again opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    async def _opened(self) -> Connection:
        if self._connection is None:
            self._connection = await connect(self._conninfo, session=self._session, connect_timeout=_CONNECT_SECONDS)
        return self._connection

    async def _attend(self, connection: Connection, attendant: Attendant) -> NoReturn:
        loop = asyncio.get_running_loop()
        attendant.looked(await self._look(connection))
        await bounded(connection, connection.execute(f"LISTEN {LEADERS}; LISTEN {REQUESTS}"), seconds=_TIMEOUT, grace=_GRACE)
        self.trouble = ""
        attendant.requested()
        due = loop.time()
        while True:
            heard = {notify.channel async for notify in connection.notifies(timeout=max(0.0, due - loop.time()), stop_after=1)}
            if REQUESTS in heard:
                attendant.requested()
            if LEADERS in heard or loop.time() >= due:
                attendant.looked(await self._look(connection))
                due = loop.time() + _LOOK_SECONDS

    async def _look(self, connection: Connection) -> LeadersLook:
        return await bounded(connection, _look(connection), seconds=_TIMEOUT, grace=_GRACE)


async def _look(connection: Connection) -> LeadersLook:
    row = await (await connection.execute(_SQL["look"])).fetchone()
    if row is None:
        raise IndexRefused(ROW_IS_GONE)
    epoch, holder, session, driver, lease, claimed_at, primary, server_up, sessions = row
    return LeadersLook(
        epoch=epoch,
        holder=holder,
        session=session,
        driver=driver,
        lease=lease,
        claimed_at=claimed_at,
        primary=primary,
        server_up=server_up,
        sessions={int(pid): began for pid, began in sessions.items()},
    )
