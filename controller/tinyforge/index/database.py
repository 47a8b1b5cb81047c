"""A pool of sessions to PostgreSQL that lets no doubtful connection live, and a way to run work on it that a stop can end at once.

Cancelling a task inside a statement on a dead link takes psycopg 11 s, so nobody does: `run` shields its work, gives it a moment, and then
closes the connection under it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakSet

import psycopg
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout

from tinyforge.index.errors import FENCED, LOSES_POOL, translate
from tinyforge.index.sessions import CONNECT_SECONDS, Connection, bounded, connect, refuse_standby, session_conninfo, set_up
from tinyforge.ports import Term

__all__ = ["PROGRAM", "Connection", "Database"]

PROGRAM = 1
"""This program's number: it writes where the schema's `min_program` is not above it."""

T = TypeVar("T")

_GRACE = 0.15
_TURNS = 10
_FENCE = "SELECT tinyforge.fence(%s, %s, %s)"


@dataclass(slots=True)
class _Work:
    """One piece of work under way, and the connection it has if it has one."""

    connection: Connection | None = None


class Database:
    """A pool of sessions to one database. Every method raises IndexUnavailable or IndexRefused where PostgreSQL does.

    Args:
        conninfo: where the database is.
        session: the name of the sessions.
        connect_timeout: how many seconds a connection is waited for.
        size: how many there may be.
        first_use: awaited before the first work on each new connection; what it raises, the work raises.
    """

    def __init__(
        self,
        conninfo: str,
        *,
        session: str,
        connect_timeout: float = CONNECT_SECONDS,
        size: int = 8,
        first_use: Callable[[Connection], Awaitable[None]] | None = None,
    ) -> None:
        self._conninfo = conninfo
        self._session = session
        self._connect_timeout = connect_timeout
        self._first_use = first_use or _nothing
        self._used: WeakSet[Connection] = WeakSet()
        self.fenced_writes = 0
        """How many writes the fence has refused, those included that went through once the claim was made again."""
        self._pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            session_conninfo(conninfo, session=session),
            kwargs={"autocommit": True},
            min_size=0,
            max_size=size,
            reconnect_timeout=0.0,  # its back-off would outlast the outage: `_take` asks it again instead
            configure=self._set_up,
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

        What raises on the server stops what is behind it. If the fence refuses, what is done at a connection's first use is done once
        more, and then everything else: so `work` may be called twice.

        Raises:
            Fenced: another process leads; nothing was written.
            RowsMoved: rows changed since they were read; nothing was written.
        """

        async def fenced(connection: Connection) -> T:
            async with connection.pipeline(), connection.transaction():
                await connection.execute(_FENCE, (term.epoch, term.holder, PROGRAM))
                return await work(connection)

        async def fenced_or_again(connection: Connection) -> T:
            try:
                return await fenced(connection)
            except psycopg.DatabaseError as error:
                if error.sqlstate != FENCED:
                    raise
                self.fenced_writes += 1
            await self._first_use(connection)
            return await fenced(connection)

        return await self.run(fenced_or_again)

    async def _run(self, work: Callable[[Connection], Awaitable[T]], under_way: _Work) -> T:
        try:
            async with AsyncExitStack() as stack:
                under_way.connection = connection = await self._take(stack)
                try:
                    await self._prepare(connection)
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

    async def _prepare(self, connection: Connection) -> None:
        if connection not in self._used:
            await self._first_use(connection)
            self._used.add(connection)

    async def _set_up(self, connection: Connection) -> None:
        await bounded(connection, set_up(connection), seconds=self._connect_timeout)

    async def _check(self, connection: Connection) -> None:
        """Refuse a connection that does not soon say it can be written to, and all idle ones with it: they are of the same age."""
        try:
            await bounded(connection, refuse_standby(connection), seconds=self._connect_timeout / 2)
        except psycopg.Error:
            await self._pool.drain()
            raise

    async def _ask_why(self) -> Exception | None:
        """Return the error that keeps the pool from connecting, which it does not tell."""
        try:
            connection = await connect(self._conninfo, session=self._session)
            try:
                await bounded(connection, refuse_standby(connection), seconds=self._connect_timeout)
            finally:
                await connection.close()
        except psycopg.Error as error:
            return error
        return None


async def _nothing(_: Connection) -> None:
    """Take a connection as it is."""
