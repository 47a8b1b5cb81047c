"""The session by which a leader is known to be alive, and by which it hears of requests and of its own end.

It stands outside the pool: it listens, and it runs a trivial statement every second, so that its `state_change` in
`pg_stat_activity` is a heartbeat by the server's clock. A connection that listens can run nothing meanwhile (psycopg has one lock
for both), so it does the two in turn.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import NoReturn

import psycopg
from psycopg import AsyncConnection

from tinyforge.index.database import Connection, bounded, session_conninfo
from tinyforge.index.leadership import read_leader
from tinyforge.ports import Fenced, Term

LEADERS = "tinyforge_leaders"
REQUESTS = "tinyforge_requests"

_BEAT_SECONDS = 1.0
_TIMEOUT = 2.0  # then the link is taken for dead
_REOPEN_SECONDS = 0.1


class Presence:
    """One leader's presence. Missed notifications are made up for: after every reopening both rows are looked at."""

    def __init__(self, conninfo: str, term: Term) -> None:
        self._conninfo = session_conninfo(conninfo, session=term.session)
        self._term = term

    async def hold(self, on_request: Callable[[], None], on_lost: Callable[[], Awaitable[None]]) -> NoReturn:
        """Hold the session for as long as this term lasts.

        Args:
            on_request: called when there may be a new request.
            on_lost: awaited whenever the session was lost or could not be opened, before it is opened anew.

        Raises:
            Fenced: another process has claimed the database; the text names it.
        """
        while True:
            try:
                async with await AsyncConnection.connect(self._conninfo, autocommit=True, connect_timeout=2) as connection:
                    await self._listen(connection, on_request)
            except psycopg.Error:
                await on_lost()
                await asyncio.sleep(_REOPEN_SECONDS)

    async def _listen(self, connection: Connection, on_request: Callable[[], None]) -> NoReturn:
        await bounded(connection, connection.execute(f"LISTEN {LEADERS}; LISTEN {REQUESTS}"), seconds=_TIMEOUT)
        await self._check(connection)
        on_request()
        while True:
            heard = {notify.channel async for notify in connection.notifies(timeout=_BEAT_SECONDS, stop_after=1)}
            if REQUESTS in heard:
                on_request()
            await bounded(connection, connection.execute("SELECT 1"), seconds=_TIMEOUT)
            if LEADERS in heard:
                await self._check(connection)

    async def _check(self, connection: Connection) -> None:
        leader = await bounded(connection, read_leader(connection), seconds=_TIMEOUT)
        if leader.holder != self._term.holder or leader.epoch != self._term.epoch:
            raise Fenced(
                f"{leader.holder or 'another process'} took over with epoch {leader.epoch}; this process had epoch {self._term.epoch}"
            )
