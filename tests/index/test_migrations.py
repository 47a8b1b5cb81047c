"""The schema comes up to date by itself: once, whole, in order, whoever asks, however often, and whatever is killed meanwhile."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from tests.index.conftest import Open
from tests.index.waiting import until, until_blocked
from tests.servers.postgres import Postgres
from tinyforge.index.database import PROGRAM
from tinyforge.index.schema import Migration, SchemaState, migrate, migrations, schema_state
from tinyforge.ports import IndexRefused, IndexUnavailable

SHIPPED = {
    "0001_index": "f35d1d71792277da3266e600d99bd49bde5656e611396b952d9a57e4c10ffa07",
    "0002_workload_status": "55c388c8a6877b700454f00ca917f81af543e3a26d49fd9a8834080b0c3104ee",
    "0003_intents": "8d4d681d95f9c47696f4887c7b5213ab631a5b1b5447b0f0eb590919ad30ca51",
}
"""What was shipped is never edited: a new file changes it. (Until the first release the one there is may be.)"""

TRACE = Migration("0001_trace", "CREATE TABLE tinyforge.trace (step text); INSERT INTO tinyforge.trace VALUES ('one')")
TRACE_TWO = Migration("0002_trace", "INSERT INTO tinyforge.trace VALUES ('two'); INSERT INTO tinyforge.trace SELECT '%s $$ two' ")
LEADERS = Migration("0000_leaders", "CREATE TABLE tinyforge.leaders (name text PRIMARY KEY)")


def test_no_migration_that_was_shipped_has_been_edited() -> None:
    assert {it.id: it.sha256 for it in migrations()} == SHIPPED


def test_migrations_are_numbered_without_gaps_in_the_order_of_their_names() -> None:
    assert [it.version for it in migrations()] == list(range(1, len(migrations()) + 1))


async def test_a_fresh_database_gets_everything_once_and_then_nothing(
    empty_database_url: str, postgres_server: Postgres, opened: Open
) -> None:
    assert await migrate(empty_database_url) == [it.id for it in migrations()]
    before = everything(postgres_server, empty_database_url)
    assert await migrate(empty_database_url) == []
    assert everything(postgres_server, empty_database_url) == before
    state = await (await opened(empty_database_url)).run(schema_state)
    assert state == SchemaState(version=len(migrations()), min_program=1, pending=())
    assert state.usable


async def test_of_three_at_once_one_applies_and_the_others_find_it_done(empty_database_url: str, postgres_server: Postgres) -> None:
    applied = await asyncio.gather(*(migrate(empty_database_url) for _ in range(3)))
    assert sorted(applied) == [[], [], [it.id for it in migrations()]]
    assert installations(postgres_server, empty_database_url) == 1


async def test_later_files_are_added_in_order_each_in_a_transaction_of_its_own(empty_database_url: str, postgres_server: Postgres) -> None:
    await migrate(empty_database_url, [LEADERS, TRACE])
    assert await migrate(empty_database_url, [LEADERS, TRACE, TRACE_TWO]) == [TRACE_TWO.id]
    assert trace(postgres_server, empty_database_url) == ["one", "two", "%s $$ two"]


async def test_a_file_that_fails_leaves_what_was_applied_before_it_and_nothing_of_its_own(
    empty_database_url: str, postgres_server: Postgres
) -> None:
    broken = Migration("0002_broken", "INSERT INTO tinyforge.trace VALUES ('half'); SELECT 1 / 0")
    with pytest.raises(IndexRefused, match="division by zero"):
        await migrate(empty_database_url, [LEADERS, TRACE, broken])
    assert trace(postgres_server, empty_database_url) == ["one"]
    assert await migrate(empty_database_url, [LEADERS, TRACE, TRACE_TWO]) == [TRACE_TWO.id]


async def test_a_file_edited_after_it_was_applied_is_refused_by_name_and_nothing_is_applied(
    empty_database_url: str, postgres_server: Postgres
) -> None:
    await migrate(empty_database_url, [LEADERS, TRACE])
    edited = Migration(TRACE.id, TRACE.sql + " -- better")
    with pytest.raises(IndexRefused, match="0001_trace was edited after it was applied"):
        await migrate(empty_database_url, [LEADERS, edited, TRACE_TWO])
    assert trace(postgres_server, empty_database_url) == ["one"]


async def test_a_migration_ended_in_the_middle_leaves_nothing_and_holds_nobody_up(
    empty_database_url: str, postgres_server: Postgres
) -> None:
    slow = Migration("0002_slow", "INSERT INTO tinyforge.trace VALUES ('half'); SELECT pg_sleep(60)")
    migrating = asyncio.create_task(migrate(empty_database_url, [LEADERS, TRACE, slow]))
    await until(lambda: asleep(postgres_server, empty_database_url) == 1)
    postgres_server.sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'",
        url=empty_database_url,
    )
    with pytest.raises(IndexUnavailable):
        await migrating
    assert await migrate(empty_database_url, [LEADERS, TRACE, TRACE_TWO]) == [TRACE_TWO.id]
    assert trace(postgres_server, empty_database_url) == ["one", "two", "%s $$ two"]


async def test_a_process_killed_in_the_middle_of_a_migration_keeps_nobody_from_migrating(
    empty_database_url: str, postgres_server: Postgres
) -> None:
    postgres_server.sql("CREATE SCHEMA tinyforge", url=empty_database_url)
    with psycopg.connect(empty_database_url) as psql:
        psql.execute("CREATE TABLE tinyforge.containers ()")  # the first migration waits here, with half of it done
        process = await asyncio.create_subprocess_exec(*migrate_command(empty_database_url), cwd=Path(__file__).parents[2])
        await until_blocked(empty_database_url)
        process.kill()
        assert await process.wait() == -signal.SIGKILL
        psql.rollback()
    assert await migrate(empty_database_url) == [it.id for it in migrations()]
    assert installations(postgres_server, empty_database_url) == 1


async def test_fault_19_a_newer_schema_that_this_program_may_still_write_to_is_left_as_it_is(
    database_url: str, postgres_server: Postgres, opened: Open
) -> None:
    postgres_server.sql("INSERT INTO tinyforge.migrations (id, sha256) VALUES ('9999_later', '')", url=database_url)
    postgres_server.sql("UPDATE tinyforge.schema SET version = 9999, min_program = %s", PROGRAM, url=database_url)
    assert await migrate(database_url) == []
    state = await (await opened(database_url)).run(schema_state)
    assert (state.version, state.usable) == (9999, True)


async def test_fault_19_a_schema_for_newer_programs_is_refused_and_both_are_named(
    database_url: str, postgres_server: Postgres, opened: Open
) -> None:
    postgres_server.sql("UPDATE tinyforge.schema SET version = 9999, min_program = %s", PROGRAM + 1, url=database_url)
    with pytest.raises(IndexRefused, match=f"version 9999 and asks for program {PROGRAM + 1} or newer; this one is {PROGRAM}: update it"):
        await migrate(database_url)
    assert not (await (await opened(database_url)).run(schema_state)).usable


async def test_an_old_schema_names_what_is_pending_and_is_not_usable(empty_database_url: str, opened: Open) -> None:
    await migrate(empty_database_url, [LEADERS])
    state = await (await opened(empty_database_url)).run(schema_state)
    assert state.pending == tuple(it.id for it in migrations())
    assert not state.usable


async def test_a_server_that_is_not_there_is_told_with_its_reason() -> None:
    with pytest.raises(IndexUnavailable, match="No such file or directory"):
        await migrate("host=/nowhere")


async def test_a_role_that_may_make_no_schema_is_refused_with_the_reason(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url, autocommit=True) as admin:
        role = f"reader_{os.getpid()}"
        admin.execute(f"CREATE ROLE {role} LOGIN".encode())
        try:
            with pytest.raises(IndexUnavailable, match="this role may not do that in this database: permission denied for database"):
                await migrate(psycopg.conninfo.make_conninfo(empty_database_url, user=role))
        finally:
            admin.execute(f"DROP ROLE {role}".encode())


def migrate_command(url: str) -> Sequence[str]:
    """What migrates a database in a process of its own."""
    program = "import asyncio, sys; from tinyforge.index.schema import migrate; asyncio.run(migrate(sys.argv[1]))"
    return [sys.executable, "-c", program, url]


def everything(server: Postgres, url: str) -> list[list[tuple[object, ...]]]:
    """Every row that migrations write."""
    return [
        server.sql("SELECT * FROM tinyforge.migrations", url=url),
        server.sql("SELECT * FROM tinyforge.schema", url=url),
        server.sql("SELECT * FROM tinyforge.installation", url=url),
        server.sql("SELECT * FROM tinyforge.leaders", url=url),
    ]


def installations(server: Postgres, url: str) -> int:
    """How many installations a database belongs to."""
    ((count,),) = server.sql("SELECT count(*) FROM tinyforge.installation", url=url)
    return int(count)


def trace(server: Postgres, url: str) -> list[str]:
    """What the migrations of these tests have left, in order."""
    return [step for (step,) in server.sql("SELECT step FROM tinyforge.trace ORDER BY ctid", url=url)]


def asleep(server: Postgres, url: str) -> int:
    """How many sessions of a database sleep."""
    ((count,),) = server.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'", url=url)
    return int(count)
