"""Sessions to PostgreSQL: a pool that lets no doubtful connection live, and a way to run work on it that a stop can end at once.

Every session has its timeouts from the start, so that nothing of ours holds a lock for long, and the name of its process
(`application_name`), so that a claim can find and end it. Cancelling a task inside a statement on a dead link takes psycopg 11 s,
so nobody does: `run` shields its work, gives it a moment, and then closes the connection under it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from tinyforge.index.errors import LOSES_POOL, translate
from tinyforge.ports import Term

PROGRAM = 1
"""This program's number: it writes where the schema's `min_program` is not above it."""

T = TypeVar("T")
Connection = AsyncConnection[Any]

_SETTINGS = (
    r"-c default_transaction_isolation=read\ committed"  # in a stricter one the fence would look at the past
    " -c statement_timeout=5s -c idle_in_transaction_session_timeout=5s -c lock_timeout=2s"
)
_GRACE = 0.15
_TURNS = 10
_FENCE = "SELECT tinyforge.fence(%s, %s, %s)"


def session_conninfo(conninfo: str, *, session: str) -> str:
    """Return `conninfo` with what every session of ours has: name, timeouts and a link that notices its own death.

    Raises:
        psycopg.ProgrammingError: `conninfo` is not one.
    """
    given = psycopg.conninfo.conninfo_to_dict(conninfo)
    return make_conninfo(
        conninfo,
        application_name=session,
        options=f"{given.get('options') or ''} {_SETTINGS}".strip(),
        connect_timeout=given.get("connect_timeout") or 5,
        tcp_user_timeout=10_000,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=2,
    )


def is_conninfo(text: str) -> bool:
    """Tell whether `text` is a URI or connection string that libpq can read. Its own error repeats parts of it, a password perhaps."""
    try:
        psycopg.conninfo.conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        return False
    return True


@dataclass(slots=True)
class _Work:
    """One piece of work under way, and the connection it has if it has one."""

    connection: Connection | None = None


class Database:
    """A pool of sessions to one database. Every method raises IndexUnavailable or IndexRefused where PostgreSQL does."""

    def __init__(self, conninfo: str, *, session: str, connect_timeout: float = 5.0, size: int = 8) -> None:
        self._conninfo = session_conninfo(conninfo, session=session)
        self._connect_timeout = connect_timeout
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            self._conninfo,
            kwargs={"autocommit": True},
            min_size=0,
            max_size=size,
            reconnect_timeout=0.0,  # its back-off would outlast the outage: `_take` asks it again instead
            check=self._check,
            open=False,
        )

    async def probe(self) -> None:
        """Connect once beside the pool: what keeps it from connecting is then known at once, and not after its patience.

        Raises:
            IndexUnavailable: PostgreSQL does not answer as a writable primary, and why.
            IndexRefused: it refuses this role or database.
        """
        error = await self._ask_why()
        if error is not None:
            raise translate(error) from error

    async def open(self) -> None:
        """Be ready to connect; nothing is connected yet."""
        await self._pool.open()

    async def close(self) -> None:
        """Close every connection; idempotent."""
        await self._pool.close(timeout=_GRACE)

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` on a connection of its own and return what it returns.

        If the caller is cancelled, the work gets a moment to end by itself; then its connection is closed under it.
        """
        under_way = _Work()
        task = asyncio.ensure_future(self._run(work, under_way))
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            await asyncio.wait({task}, timeout=_GRACE)
            if under_way.connection is not None and not task.done():
                await under_way.connection.close()
            task.cancel()
            await asyncio.wait({task}, timeout=_GRACE)
            if task.done() and not task.cancelled():
                task.exception()  # nobody is left to be told
            raise

    async def write(self, term: Term, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run `work` in one transaction fenced by `term`, in one pipeline unless it fetches.

        What raises on the server stops what is behind it.

        Raises:
            Fenced: another process leads; nothing was written.
            RowsMoved: rows changed since they were read; nothing was written.
        """

        async def fenced(connection: Connection) -> T:
            async with connection.pipeline(), connection.transaction():
                await connection.execute(_FENCE, (term.epoch, term.holder, PROGRAM))
                return await work(connection)

        return await self.run(fenced)

    async def _run(self, work: Callable[[Connection], Awaitable[T]], under_way: _Work) -> T:
        try:
            async with AsyncExitStack() as stack:
                under_way.connection = connection = await self._take(stack)
                try:
                    return await work(connection)
                except psycopg.Error as error:
                    if connection.closed or error.sqlstate in LOSES_POOL:
                        await self._pool.drain()
                    raise
                finally:
                    under_way.connection = None
        except PoolTimeout as error:
            raise translate(await self._ask_why() or error) from error
        except (psycopg.Error, PoolClosed) as error:
            raise translate(error) from error

    async def _take(self, stack: AsyncExitStack) -> Connection:
        """Wait for a connection; the pool gives up connecting without telling those who wait, so it is asked again and again."""
        patience = self._connect_timeout / _TURNS
        for _ in range(_TURNS - 1):
            with suppress(PoolTimeout):
                return await stack.enter_async_context(self._pool.connection(patience))
        return await stack.enter_async_context(self._pool.connection(patience))

    async def _check(self, connection: Connection) -> None:
        """Refuse a connection that does not soon say it can be written to, and all idle ones with it: they are of the same age."""
        try:
            await bounded(connection, _refuse_standby(connection), seconds=self._connect_timeout / 2)
        except psycopg.Error:
            await self._pool.drain()
            raise

    async def _ask_why(self) -> Exception | None:
        """Return the error that keeps the pool from connecting, which it does not tell."""
        try:
            connection = await AsyncConnection.connect(self._conninfo, autocommit=True)
            try:
                await bounded(connection, _refuse_standby(connection), seconds=self._connect_timeout)
            finally:
                await connection.close()
        except psycopg.Error as error:
            return error
        return None


async def bounded(connection: Connection, work: Awaitable[T], *, seconds: float | None) -> T:
    """Return what `work` on a connection returns; the connection is closed if that takes longer, or if the caller is cancelled.

    With None it may take as long as it does, and only the cancellation is bounded.

    Raises:
        psycopg.OperationalError: it took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        if not task.done():
            await connection.close()
            await asyncio.gather(task, return_exceptions=True)
    return task.result()


async def _refuse_standby(connection: Connection) -> None:
    """Refuse a connection to a server that cannot be written to; psycopg's own check passes on a demoted one.

    Raises:
        psycopg.errors.ReadOnlySqlTransaction: the server is a standby.
    """
    cursor = await connection.execute("SELECT pg_is_in_recovery()")
    if await cursor.fetchone() == (True,):
        await connection.close()  # the pool would keep it: it is healthy, only useless
        raise psycopg.errors.ReadOnlySqlTransaction("the server is a standby")
