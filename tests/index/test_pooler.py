"""A pooler that shares sessions out is refused at the start, with its reason and the way out; one that does not is as good as none."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import psycopg
import pytest

from tests.index.attending import Notes, held
from tests.index.conftest import Open, Sql
from tests.index.examples import STALE_AFTER, declare, host
from tests.index.link import link
from tests.index.pgbouncer import numbers, pgbouncer
from tests.index.test_sessions import SETTINGS, show
from tests.index.waiting import until
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.led import lead
from tinyforge.index.schema import migrate, migrations, require_schema
from tinyforge.ports import IndexRefused, IndexUnavailable

REFUSED = r"pooler before PostgreSQL that gives each transaction a session as it likes .*connect to PostgreSQL itself, or .* = session"
STARTS: list[Callable[[str], Coroutine[Any, Any, object]]] = [migrate, require_schema]


@asynccontextmanager
async def busy(url: str, number: int) -> AsyncIterator[None]:
    """So many others that run one short transaction after the other, for the length of a block."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None))
            for _ in range(number)
        ]
        ended = asyncio.Event()

        async def work(connection: psycopg.AsyncConnection[Any]) -> None:
            while not ended.is_set():
                await connection.execute("SELECT pg_sleep(0.002)")

        working = [asyncio.create_task(work(connection)) for connection in connections]
        try:
            yield
        finally:
            ended.set()
            await asyncio.gather(*working)


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("mode", ["transaction", "statement"])
async def test_fault_20_a_pooler_that_shares_sessions_out_is_refused_and_nothing_is_done_through_it(
    mode: str, start: Callable[[str], Coroutine[Any, Any, object]], empty_database_url: str, opened: Open
) -> None:
    with pgbouncer(empty_database_url, pool_mode=mode) as through, pytest.raises(IndexRefused, match=REFUSED):
        await start(through)
    schemas = await (await opened(empty_database_url)).run(
        lambda connection: connection.execute("SELECT FROM pg_namespace WHERE nspname = 'tinyforge'")
    )
    assert schemas.rowcount == 0


@pytest.mark.parametrize("round_robin", [0, 1])
async def test_fault_20_it_is_found_out_however_many_sessions_lie_idle_in_it(round_robin: int, database_url: str) -> None:
    with pgbouncer(database_url, pool_mode="transaction", server_round_robin=round_robin) as through:
        assert len(numbers(through, 5)) == 5
        for _ in range(5):
            with pytest.raises(IndexRefused, match=REFUSED):
                await require_schema(through)


@pytest.mark.parametrize(("size", "others"), [(3, 1), (3, 4), (20, 8)])
async def test_fault_20_it_is_found_out_while_others_work_through_it(size: int, others: int, database_url: str) -> None:
    with pgbouncer(database_url, pool_mode="transaction", default_pool_size=size) as through:
        async with busy(through, others):
            for _ in range(10):
                with pytest.raises(IndexRefused, match=REFUSED):
                    await require_schema(through)


async def test_fault_20_one_in_session_mode_is_not_taken_for_another_while_others_work_through_it(database_url: str) -> None:
    with pgbouncer(database_url, pool_mode="session", default_pool_size=6) as through:
        async with busy(through, 4):
            for _ in range(3):
                await require_schema(through)


async def test_fault_20_with_a_single_session_to_share_it_is_found_out_too(database_url: str) -> None:
    with pgbouncer(database_url, pool_mode="transaction", default_pool_size=1) as through, pytest.raises(IndexRefused, match=REFUSED):
        await require_schema(through)


@pytest.mark.parametrize("size", [1, 20])
async def test_fault_20_a_pooler_in_session_mode_is_not(size: int, database_url: str) -> None:
    with pgbouncer(database_url, pool_mode="session", default_pool_size=size) as through:
        await require_schema(through)


async def test_fault_20_through_one_in_session_mode_everything_goes_as_without(
    empty_database_url: str, opened: Open, postgres_server: Any
) -> None:
    sql: Sql = partial(postgres_server.sql, url=empty_database_url)
    with pgbouncer(empty_database_url, pool_mode="session") as through:
        assert await migrate(through) == [it.id for it in migrations()]
        notes = Notes()
        async with lead(through) as index, held(index.presence, notes):
            await index.mirror.write(declare(host()), stale_after=STALE_AFTER)
            sql("INSERT INTO tinyforge.sync_requests (kind) VALUES ('sync')")
            await asyncio.wait_for(notes.requests.acquire(), 1)
            ((pid,),) = sql(
                "SELECT pid FROM pg_stat_activity WHERE application_name = %s AND query LIKE '%%pg_postmaster%%'", index.term.session
            )
            assert (await notes.next_look()).sessions.keys() >= {pid}
            database = await opened(through, session="tinyforge/me")
            for name, value in SETTINGS.items():
                assert await database.run(partial(show, name=name)) == value
            successor = await claim(through, Identity.draw())
            with pytest.raises(IndexRefused, match=successor.holder):
                await index.mirror.write(declare(host()), stale_after=STALE_AFTER)
        named = "SELECT FROM pg_stat_activity WHERE application_name = '{}'"
        await until(lambda: sql(named.format(index.term.session)) == [])


async def test_a_connection_without_a_pooler_costs_no_other_one(database_url: str) -> None:
    async with link(database_url) as between:
        await require_schema(between.url)
        assert between.opened == 1


async def test_a_pooler_whose_server_is_away_is_unavailable_and_no_more_is_said(own_postgres: Any) -> None:
    with pgbouncer(own_postgres.url, pool_mode="transaction", server_login_retry=1, query_wait_timeout=1) as through:
        own_postgres.stop()
        with pytest.raises(IndexUnavailable):
            await require_schema(through)
