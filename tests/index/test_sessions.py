"""Sessions of our own: what every one of them has, and that nothing about them keeps a process from ending."""

import asyncio
import gc
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL

from tests.index.attending import Notes
from tests.index.conftest import Open, Sql
from tests.index.link import Link, link
from tests.index.waiting import until, until_blocked
from tests.servers.postgres import OwnPostgres, Postgres
from tinyforge.index.database import Connection, Database
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.led import lead
from tinyforge.index.schema import migrate
from tinyforge.index.sessions import connect, is_conninfo
from tinyforge.ports import IndexUnavailable

AT_ONCE = 1.0
"""How many seconds a stop may take (rule P5)."""


@pytest.fixture
async def dying(database_url: str) -> AsyncIterator[Link]:
    async with link(database_url) as between:
        yield between


@pytest.fixture
async def unheard() -> AsyncIterator[list[dict[str, Any]]]:
    """What went wrong in the event loop and nobody was told of."""
    told: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: told.append(context))
    yield told
    gc.collect()
    await asyncio.sleep(0)
    assert told == []


SETTINGS = {
    "application_name": "tinyforge/me",
    "statement_timeout": "5s",
    "idle_in_transaction_session_timeout": "5s",
    "lock_timeout": "2s",
    "default_transaction_isolation": "read committed",
}


async def test_every_session_has_its_name_and_its_timeouts(database_url: str, opened: Open) -> None:
    database = await opened(database_url, session="tinyforge/me")
    async with await connect(database_url, session="tinyforge/me") as single:
        for name, value in SETTINGS.items():
            assert await database.run(partial(show, name=name)) == value
            assert await show(single, name) == value


async def test_over_tcp_the_server_is_told_to_notice_a_dead_link(own_postgres: OwnPostgres) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    own_postgres.sql("ALTER SYSTEM SET listen_addresses = '127.0.0.1'")
    own_postgres.sql(SQL("ALTER SYSTEM SET port = {}").format(port).as_string())
    own_postgres.stop()
    (own_postgres.data / "pg_hba.conf").write_text("host all all 127.0.0.1/32 trust\nlocal all all trust\n")
    own_postgres.url = psycopg.conninfo.make_conninfo(own_postgres.url, port=port)
    own_postgres.start()
    async with await connect(psycopg.conninfo.make_conninfo(own_postgres.url, host="127.0.0.1"), session="tinyforge/me") as connection:
        assert [await show(connection, f"tcp_keepalives_{name}") for name in ("idle", "interval", "count")] == ["5", "2", "2"]


async def test_what_the_conninfo_asks_for_is_kept_and_our_own_comes_on_top(database_url: str, opened: Open) -> None:
    given = psycopg.conninfo.make_conninfo(database_url, options="-c work_mem=5MB -c lock_timeout=9s", application_name="mine")
    database = await opened(given, session="tinyforge/me")
    assert await database.run(partial(show, name="work_mem")) == "5MB"
    assert await database.run(partial(show, name="lock_timeout")) == "2s"
    assert await database.run(partial(show, name="application_name")) == "tinyforge/me"


async def test_p5_a_statement_under_way_is_cancelled_within_a_second(database_url: str, opened: Open, unheard: object) -> None:
    database = await opened(database_url)
    await cancel_within_a_second(asyncio.create_task(database.run(sleep)), is_under_way(database_url))
    assert await database.run(answer) == 42


async def test_p5_a_statement_on_a_dead_link_is_cancelled_within_a_second(dying: Link, opened: Open, unheard: object) -> None:
    database = await opened(dying.url)
    await database.run(answer)
    sent = asyncio.Event()

    async def ask(connection: Connection) -> None:
        dying.die()
        sent.set()
        await connection.execute("SELECT 1")

    await cancel_within_a_second(asyncio.create_task(database.run(ask)), sent.wait)


async def test_p5_a_check_on_a_dead_link_is_cancelled_within_a_second(dying: Link, opened: Open, unheard: object) -> None:
    database = await opened(dying.url)
    await database.run(answer)
    dying.die()
    await cancel_within_a_second(asyncio.create_task(database.run(answer)), a_moment)


async def test_p5_connecting_through_a_dead_link_is_cancelled_within_a_second(dying: Link, opened: Open, unheard: object) -> None:
    dying.die()
    database = await opened(dying.url)
    await cancel_within_a_second(asyncio.create_task(database.run(answer)), lambda: until(lambda: dying.opened > 0))


@pytest.mark.parametrize("work", [migrate, lambda url: claim(url, Identity.draw())], ids=["a migration", "a claim"])
async def test_p5_what_waits_for_a_lock_on_a_dead_link_is_cancelled_within_a_second(
    work: Callable[[str], Coroutine[Any, Any, object]], dying: Link, psql: psycopg.Connection[Any], unheard: object
) -> None:
    psql.execute("LOCK TABLE tinyforge.leaders, tinyforge.schema")
    working = asyncio.create_task(work(dying.url))
    await until_blocked(psql.info.dsn)
    dying.die()
    await cancel_within_a_second(working, a_moment)


async def test_p5_waiting_for_a_connection_is_cancelled_at_once(database_url: str, opened: Open, unheard: object) -> None:
    database = await opened(database_url, size=1)
    busy = asyncio.create_task(database.run(sleep))
    await is_under_way(database_url)()
    waiting = asyncio.create_task(database.run(answer))
    await a_moment()
    await cancel_within_a_second(waiting, a_moment)
    await cancel_within_a_second(busy, a_moment)


async def test_p5_closing_takes_no_longer_on_a_dead_link(dying: Link) -> None:
    database = Database(dying.url, session="tinyforge/test")
    await database.open()
    await fill(database)
    dying.die()
    begun = time.monotonic()
    await database.close()
    await database.close()
    assert time.monotonic() - begun < AT_ONCE


async def test_p5_a_leader_whose_link_is_dead_is_gone_within_a_second(dying: Link, unheard: object) -> None:
    at_work = asyncio.Event()

    async def work() -> None:
        async with lead(dying.url) as index, asyncio.TaskGroup() as group:
            notes = Notes()
            group.create_task(index.presence.hold(notes))
            await notes.requests.acquire()
            at_work.set()
            await index.mirror.read()
            dying.die()
            for _ in range(3):
                group.create_task(index.mirror.read())

    working = asyncio.create_task(work())
    await at_work.wait()
    await cancel_within_a_second(working, a_moment)


async def test_work_that_is_nearly_done_when_its_caller_is_cancelled_is_done(database_url: str, opened: Open, sql: Sql) -> None:
    database = await opened(database_url)
    begun = asyncio.Event()

    async def write(connection: Connection) -> None:
        begun.set()
        await connection.execute("INSERT INTO tinyforge.hosts (name) SELECT 'late' FROM pg_sleep(0.1)")

    await cancel_within_a_second(asyncio.create_task(database.run(write)), begun.wait)
    assert sql("SELECT name FROM tinyforge.hosts") == [("late",)]


async def test_idle_sessions_whose_link_died_cost_the_next_work_no_more_than_a_moment(dying: Link, opened: Open) -> None:
    database = await opened(dying.url, connect_timeout=2)
    await fill(database)
    dying.die()
    waiting = asyncio.create_task(database.run(answer))
    await a_moment()
    dying.revive()
    assert await waiting == 42


async def test_what_fails_after_its_caller_was_cancelled_is_nobodys_to_hear(database_url: str, opened: Open, unheard: object) -> None:
    database = await opened(database_url)

    async def fail(connection: Connection) -> None:
        await connection.execute("SELECT 1 / (pg_sleep(0.2) IS NULL)::int")

    await cancel_within_a_second(asyncio.create_task(database.run(fail)), a_moment)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"host": "/nowhere"}, "No such file or directory"),
        ({"host": "127.0.0.1", "port": 1}, "Connection refused"),
        ({"dbname": "nowhere"}, 'database "nowhere" does not exist'),
        ({"user": "nobody at all"}, 'role "nobody at all" does not exist'),
    ],
)
async def test_a_connection_that_cannot_be_had_says_why_and_no_password(
    change: dict[str, Any], why: str, database_url: str, opened: Open
) -> None:
    database = await opened(psycopg.conninfo.make_conninfo(database_url, password="canary", **change), connect_timeout=0.3)
    with pytest.raises(IndexUnavailable, match=why) as unavailable:
        await database.run(answer)
    assert "canary" not in f"{unavailable.value!r} {unavailable.value.__cause__!r} {database!r}"


@pytest.mark.parametrize(("text", "readable"), [("postgresql:///it", True), ("host=here", True), ("", True), ("it", False), ("x=y", False)])
def test_a_text_is_told_to_be_a_connection_string_or_not(text: str, readable: bool) -> None:
    assert is_conninfo(text) is readable


async def test_what_keeps_it_from_connecting_can_be_known_at_once(database_url: str, opened: Open) -> None:
    await (await opened(database_url)).probe()
    absent = await opened(psycopg.conninfo.make_conninfo(database_url, host="/nowhere"))
    async with asyncio.timeout(AT_ONCE):
        with pytest.raises(IndexUnavailable, match="No such file or directory"):
            await absent.probe()


async def test_a_database_without_a_schema_names_the_command_that_makes_it(empty_database_url: str, opened: Open) -> None:
    database = await opened(empty_database_url)
    with pytest.raises(Exception, match="there is no schema of Tinyforge in this database; `tinyforge migrate` makes it"):
        await database.run(lambda connection: connection.execute("SELECT FROM tinyforge.hosts"))


async def cancel_within_a_second(task: asyncio.Task[Any], when: Callable[[], Awaitable[object]]) -> None:
    """Cancel a task once `when` has come, and see it end."""
    await when()
    begun = time.monotonic()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert time.monotonic() - begun < AT_ONCE


async def fill(database: Database) -> None:
    """Leave the pool with several idle sessions."""
    meeting = asyncio.Barrier(4)

    async def meet(connection: Connection) -> None:
        await connection.execute("SELECT 1")
        await meeting.wait()

    await asyncio.gather(*(database.run(meet) for _ in range(meeting.parties)))


def is_under_way(url: str) -> Callable[[], Awaitable[None]]:
    """Wait until a statement sleeps in a database."""
    asleep = "SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    return lambda: until(lambda: Postgres(url).sql(asleep) == [(True,)])


async def a_moment() -> None:
    """Let everything go as far as it does without an answer."""
    await asyncio.sleep(0.1)


async def answer(connection: Connection) -> int:
    cursor = await connection.execute("SELECT 42")
    (number,) = await cursor.fetchone() or (0,)
    return int(number)


async def sleep(connection: Connection) -> None:
    await connection.execute("SELECT pg_sleep(4)")


async def show(connection: Connection, name: str) -> str:
    cursor = await connection.execute("SELECT current_setting(%s)", (name,))
    (value,) = await cursor.fetchone() or ("",)
    return str(value)
