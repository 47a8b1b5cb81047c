"""Waiting for what only looking can tell."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import psycopg

LOOK_SECONDS = 30.0


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    """Look until it is true."""
    deadline = time.monotonic() + LOOK_SECONDS
    while True:
        answer = true()
        if answer is True or (not isinstance(answer, bool) and await answer):
            return
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.005)


async def until_blocked(url: str, sessions: int = 1) -> None:
    """Look until so many sessions of a database wait for a lock."""
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:

        async def blocked() -> bool:
            cursor = await connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            return await cursor.fetchone() == (sessions,)

        await until(blocked)
