"""What the tests of the index share: an index that is led, and a psql beside it."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from functools import partial
from typing import Any, LiteralString, Protocol

import psycopg
import pytest

from tests.index.examples import STALE_AFTER, declare, host
from tests.servers.postgres import Postgres
from tinyforge.index.database import Database
from tinyforge.index.led import LedIndex, lead


class Sql(Protocol):
    def __call__(self, statement: LiteralString, *parameters: object) -> list[tuple[Any, ...]]: ...


class Open(Protocol):
    async def __call__(self, url: str, *, session: str = ..., connect_timeout: float = ..., size: int = ...) -> Database: ...


@pytest.fixture
def sql(database_url: str, postgres_server: Postgres) -> Sql:
    """Run a statement as a person with psql would: in a session of its own, committed at once."""
    return partial(postgres_server.sql, url=database_url)


@pytest.fixture
def psql(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    """A psql that leaves its transactions open until it is told otherwise; it waits for nothing longer than five seconds."""
    with psycopg.connect(database_url, options="-c statement_timeout=5s") as connection:
        yield connection
        connection.rollback()


@pytest.fixture
async def index(database_url: str) -> AsyncIterator[LedIndex]:
    """The index of a database, led by this test, with one host declared."""
    async with lead(database_url) as led:
        await led.mirror.write(declare(host()), stale_after=STALE_AFTER)
        yield led


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Open databases as the product does; they are closed at the end."""
    async with AsyncExitStack() as stack:

        async def open_one(url: str, *, session: str = "tinyforge/test", connect_timeout: float = 5.0, size: int = 8) -> Database:
            database = Database(url, session=session, connect_timeout=connect_timeout, size=size)
            await database.open()
            stack.push_async_callback(database.close)
            return database

        yield open_one
