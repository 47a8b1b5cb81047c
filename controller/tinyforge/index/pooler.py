"""Whether a pooler hands our transactions to sessions as it likes: such a one is refused before anything is done through it (fault 20).

The fence needs sessions of our own: their timeouts, their name, what they listen to, the lock of a migration, and the claim that each is
seen to have at its first use. PgBouncer gives a client one session in its session mode only; in the others any transaction may get any.
"""

import asyncio
from contextlib import AsyncExitStack

import psycopg
from psycopg import AsyncConnection

from tinyforge.index.sessions import Connection
from tinyforge.ports import IndexRefused

_WAIT_SECONDS = 1.0
_OTHERS = 20  # PgBouncer's default_pool_size: with so many sessions taken it seldom has another one to give
_ASKED = 10


async def refuse_pooler(connection: Connection, conninfo: str) -> None:
    """Refuse a connection whose transactions need not all run in one session, or whose session is not its own.

    Args:
        connection: a connection in autocommit, with no transaction under way.
        conninfo: where it leads; more connections are opened there if it leads through a pooler.

    Raises:
        IndexRefused: a pooler shares sessions out; the text says what to do.
        psycopg.Error: PostgreSQL does not answer.
    """
    pid = await _pid(connection)
    if pid == connection.info.backend_pid:
        return  # a server tells each client its own number when it connects; a pooler makes one up
    if await _shares(connection, conninfo, pid):
        raise IndexRefused(
            "there is a pooler before PostgreSQL that gives each transaction a session as it likes (PgBouncer: pool_mode = transaction or "
            "statement), and the fence that keeps deposed leaders out needs sessions of its own; "
            "connect to PostgreSQL itself, or to a pool with pool_mode = session"
        )


async def _shares(connection: Connection, conninfo: str, pid: int) -> bool:
    """Begin transactions until a connection has lost the session that it had just now, or it turns out that none takes it away.

    Whoever shares sessions out has that session free, and gives each transaction a free one: it is its turn when the others that are free
    have been taken. Whoever does not share lets a transaction wait rather than give it that one, and the connection still has it.
    """
    async with AsyncExitStack() as stack:
        for _ in range(_OTHERS):
            other = await AsyncConnection.connect(conninfo, connect_timeout=5)  # not in autocommit: what it begins it keeps
            stack.push_async_callback(other.close)
            try:
                theirs = await _answer(other, stack)
            except psycopg.Error as error:
                if "statement pooling" in str(error):  # that mode takes no transaction
                    return True
                raise
            if not await _keeps(connection, pid, stack):
                return True
            if theirs is None:
                return False
    return False


async def _keeps(connection: Connection, pid: int, stack: AsyncExitStack) -> bool:
    """Tell whether a connection has its session whenever it asks: among others at work it may come back to it once, by chance."""
    for _ in range(_ASKED):
        if await _answer(connection, stack) != pid:
            return False
    return True


async def _answer(connection: Connection, stack: AsyncExitStack) -> int | None:
    """Return the number of a connection's session; None if it has to wait for one, which it then does until `stack` ends."""
    asking = asyncio.ensure_future(_pid(connection))
    await asyncio.wait({asking}, timeout=_WAIT_SECONDS)
    if asking.done():
        return asking.result()

    async def end() -> None:
        await connection.close()
        await asyncio.gather(asking, return_exceptions=True)

    stack.push_async_callback(end)
    return None


async def _pid(connection: Connection) -> int:
    cursor = await connection.execute("SELECT pg_backend_pid()", prepare=False)
    (pid,) = await cursor.fetchone() or (0,)
    return int(pid)
