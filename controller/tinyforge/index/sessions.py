"""Sessions to PostgreSQL, each with its name and its timeouts from the start, and a way to wait for one that may be dead.

The name (`application_name`) is the process's, so that a claim can find and end its sessions; the timeouts see to it that nothing of ours
holds a lock for long. They are set by a statement and not in the start-up packet, which PgBouncer refuses to carry in any mode.
"""

import asyncio
from collections.abc import Awaitable
from math import ceil
from typing import Any, TypeVar

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

T = TypeVar("T")
Connection = AsyncConnection[Any]

CONNECT_SECONDS = 5.0

_SETTINGS = """
SELECT set_config('default_transaction_isolation', 'read committed', false), -- in a stricter one the fence would look at the past
    set_config('statement_timeout', '5s', false),
    set_config('idle_in_transaction_session_timeout', '5s', false),
    set_config('lock_timeout', '2s', false),
    set_config('tcp_keepalives_idle', '5', false), -- these three so that the server, too, notices a dead link
    set_config('tcp_keepalives_interval', '2', false),
    set_config('tcp_keepalives_count', '2', false)
"""


def session_conninfo(conninfo: str, *, session: str, connect_timeout: float = CONNECT_SECONDS) -> str:
    """Return `conninfo` with the name of a session of ours, and a link that notices its own death.

    Args:
        conninfo: where the database is.
        session: the name.
        connect_timeout: how many seconds connecting to each host may take, if `conninfo` does not say.

    Raises:
        psycopg.ProgrammingError: `conninfo` is not one.
    """
    return make_conninfo(
        conninfo,
        application_name=session,
        connect_timeout=conninfo_to_dict(conninfo).get("connect_timeout") or ceil(connect_timeout),
        tcp_user_timeout=10_000,
        keepalives_idle=5,
        keepalives_interval=2,
        keepalives_count=2,
    )


def is_conninfo(text: str) -> bool:
    """Tell whether `text` is a URI or connection string that libpq can read. Its own error repeats parts of it, a password perhaps."""
    try:
        conninfo_to_dict(text)
    except psycopg.ProgrammingError:
        return False
    return True


async def connect(conninfo: str, *, session: str, connect_timeout: float = CONNECT_SECONDS) -> Connection:
    """Open a session of ours.

    Args:
        conninfo: where the database is.
        session: its name.
        connect_timeout: how many seconds connecting to each host may take, if `conninfo` does not say.

    Raises:
        psycopg.Error: there is none to be had.
    """
    given = session_conninfo(conninfo, session=session, connect_timeout=connect_timeout)
    connection = await AsyncConnection.connect(given, autocommit=True)
    try:
        await bounded(connection, set_up(connection), seconds=connect_timeout)
    except BaseException:
        await connection.close()
        raise
    return connection


async def set_up(connection: Connection) -> None:
    """Give a new session what every session of ours has.

    Raises:
        psycopg.Error: PostgreSQL did not take it.
    """
    await connection.execute(_SETTINGS)


async def bounded(connection: Connection, work: Awaitable[T], *, seconds: float | None, grace: float = 0.0) -> T:
    """Return what `work` on a connection returns; the connection is closed if that takes longer, or if the caller is cancelled.

    Args:
        connection: what `work` works on.
        work: what is waited for.
        seconds: how long it may take; with None, as long as it does.
        grace: how many seconds more it gets to end by itself, and leave the connection open, when the caller is cancelled.

    Raises:
        psycopg.OperationalError: it took longer.
    """
    task = asyncio.ensure_future(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    except asyncio.CancelledError:
        await asyncio.wait({task}, timeout=grace)
        raise
    finally:
        if not task.done():
            await connection.close()
            await asyncio.gather(task, return_exceptions=True)
    return task.result()


async def refuse_standby(connection: Connection) -> None:
    """Refuse a connection to a server that cannot be written to; psycopg's own check passes on a demoted one.

    Raises:
        psycopg.errors.ReadOnlySqlTransaction: the server is a standby.
    """
    cursor = await connection.execute("SELECT pg_is_in_recovery()")
    if await cursor.fetchone() == (True,):
        await connection.close()  # the pool would keep it: it is healthy, only useless
        raise psycopg.errors.ReadOnlySqlTransaction("the server is a standby")
