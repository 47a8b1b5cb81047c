"""What PostgreSQL may do to us: each of these is refused with its reason, writes nothing by half, and passes by itself."""

import asyncio
import os
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier, Literal

from tests.index.attending import Notes, held
from tests.index.conftest import Open, Sql
from tests.index.examples import HOST, STALE_AFTER, complete, declare, host, new, row
from tests.index.waiting import until
from tests.servers.postgres import OwnPostgres, cluster_folder
from tinyforge.index.database import Connection, Database
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.led import LedIndex, lead
from tinyforge.ports import IndexUnavailable

SOON = 1.5
"""Well below the moment at which a pass is tried again by itself, and below every timeout."""


@pytest.fixture
async def own_index(own_postgres: OwnPostgres) -> AsyncIterator[LedIndex]:
    """An index on a server of its own, led, with one host declared."""
    async with lead(own_postgres.url) as led:
        await led.mirror.write(declare(host()), stale_after=STALE_AFTER)
        yield led


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
async def test_fault_13_after_a_restart_with_every_session_in_use_and_idle_the_next_pass_is_written_at_once(
    end: str, own_postgres: OwnPostgres, opened: Open
) -> None:
    database = await opened(own_postgres.url)
    await use_all_sessions(database)
    ending = asyncio.create_task(database.run(lambda connection: connection.execute("SELECT pg_sleep(4)")))
    await until(lambda: sleepers(own_postgres) == 1)
    await asyncio.to_thread(end_server, own_postgres, end)
    with pytest.raises(IndexUnavailable):
        await ending
    await asyncio.to_thread(own_postgres.start)
    begun = time.monotonic()
    await use_all_sessions(database)
    assert time.monotonic() - begun < SOON


async def test_fault_13_after_a_restart_that_no_session_saw_the_next_pass_is_written_at_once(
    own_postgres: OwnPostgres, opened: Open
) -> None:
    database = await opened(own_postgres.url)
    await use_all_sessions(database)
    await asyncio.to_thread(restart, own_postgres)
    begun = time.monotonic()
    await database.run(nothing)  # alone, and all the dead ones are before it in the pool
    assert time.monotonic() - begun < SOON


async def test_fault_13_work_that_is_asked_for_during_an_outage_is_done_when_it_is_over(own_postgres: OwnPostgres, opened: Open) -> None:
    database = await opened(own_postgres.url)
    await use_all_sessions(database)
    await asyncio.to_thread(own_postgres.stop)
    waiting = [asyncio.create_task(database.run(nothing)) for _ in range(3)]
    await asyncio.sleep(1.2)
    await asyncio.to_thread(own_postgres.start)
    await asyncio.gather(*waiting)


async def test_fault_13_an_outage_that_outlasts_the_wait_is_told_with_its_reason(own_postgres: OwnPostgres, opened: Open) -> None:
    database = await opened(own_postgres.url, connect_timeout=0.3)
    await asyncio.to_thread(own_postgres.stop)
    with pytest.raises(IndexUnavailable, match=r"Connection refused|No such file or directory"):
        await database.run(nothing)
    await asyncio.to_thread(own_postgres.start)
    await database.run(nothing)


async def test_fault_13_the_fence_outlives_a_crash(own_index: LedIndex, own_postgres: OwnPostgres) -> None:
    await asyncio.to_thread(end_server, own_postgres, "kill")
    await asyncio.to_thread(own_postgres.start)
    await own_index.containers.complete(complete(new(row())))
    async with lead(own_postgres.url) as successor:
        assert successor.term.epoch == own_index.term.epoch + 1


@pytest.mark.parametrize("end", ["fast", "immediate", "kill"])
async def test_fault_13_a_restart_deposes_no_healthy_leader(end: str, own_index: LedIndex, own_postgres: OwnPostgres) -> None:
    row_of_leaders = "SELECT epoch, holder, claimed_at FROM tinyforge.leaders"
    before = own_postgres.sql(row_of_leaders)
    notes = Notes()
    async with held(own_index.presence, notes) as holding:
        for turn in range(2):
            await asyncio.to_thread(end_server, own_postgres, end)
            await asyncio.sleep(0.5)
            await asyncio.to_thread(own_postgres.start)
            await own_index.containers.complete(complete(new(row(f"default/app:{turn}"))))
            await asyncio.wait_for(notes.requests.acquire(), 2)
        assert not holding.done()
        assert {(look.epoch, look.holder) for look in notes.looks} == {(own_index.term.epoch, own_index.term.holder)}
    assert own_postgres.sql(row_of_leaders) == before


async def test_fault_15_a_demoted_server_is_refused_and_left_and_its_successor_is_found(
    own_index: LedIndex, own_postgres: OwnPostgres
) -> None:
    await asyncio.to_thread(own_postgres.stop)
    (own_postgres.data / "standby.signal").touch()
    await asyncio.to_thread(own_postgres.start)
    impatient = Database(own_postgres.url, session="tinyforge/test", connect_timeout=0.5)
    await impatient.open()
    with pytest.raises(IndexUnavailable, match=r"read-only here: .*standby"):
        await impatient.run(nothing)
    with pytest.raises(IndexUnavailable, match=r"read-only here: .*standby"):
        await impatient.probe()
    with pytest.raises(IndexUnavailable, match=r"read-only here"):
        await claim(own_postgres.url, Identity.draw())
    own_postgres.sql("SELECT pg_promote()")
    await impatient.run(nothing)
    await impatient.close()
    await own_index.containers.complete(complete(new(row())))


async def test_fault_15_every_session_kept_open_is_dropped_once_one_of_them_is_refused_a_write(
    own_index: LedIndex, own_postgres: OwnPostgres, opened: Open
) -> None:
    database = await opened(own_postgres.url)
    before = await use_all_sessions(database)
    own_postgres.sql("ALTER SYSTEM SET default_transaction_read_only = on")
    own_postgres.sql("SELECT pg_reload_conf()")
    await until(lambda: own_postgres.sql("SHOW default_transaction_read_only") == [("on",)])
    with pytest.raises(IndexUnavailable, match="PostgreSQL is read-only here"):
        await database.run(lambda connection: connection.execute("UPDATE tinyforge.hosts SET listed = 1"))
    with pytest.raises(IndexUnavailable, match="PostgreSQL is read-only here"):
        await own_index.containers.complete(complete(new(row())))
    own_postgres.sql("ALTER SYSTEM RESET default_transaction_read_only")  # allowed all the same: it writes no data
    own_postgres.sql("SELECT pg_reload_conf()")
    await until(lambda: own_postgres.sql("SHOW default_transaction_read_only") == [("off",)])
    assert not before & await use_all_sessions(database)
    await own_index.containers.complete(complete(new(row())))


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of a few megabytes."""
    if os.geteuid() != 0:
        pytest.skip("a file system that is small enough to be filled takes root to be mounted")
    with cluster_folder() as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=12m", "tinyforge-test", folder], capture_output=True, text=True, check=False
        )
        if mounted.returncode:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        try:
            yield folder
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


async def test_fault_16_on_a_full_disk_nothing_is_written_by_half_and_it_goes_on_by_itself(
    small_disk: Path, own_postgres: OwnPostgres
) -> None:
    with lying_on(small_disk, own_postgres):
        async with lead(own_postgres.url) as index:
            await index.mirror.write(declare(host()), stale_after=STALE_AFTER)
            await index.containers.complete(complete(new(row())))
            before = own_postgres.sql("SELECT to_jsonb(it)::text FROM tinyforge.hosts AS it")
            fill(small_disk / "ballast")
            many = [row(f"default/app:{number}", image_ref="x" * 1500) for number in range(2000)]
            for _ in range(2):
                with pytest.raises(IndexUnavailable, match="PostgreSQL's disk is full"):
                    await index.containers.complete(complete(new(*many)))
            assert own_postgres.sql("SELECT to_jsonb(it)::text FROM tinyforge.hosts AS it") == before
            assert own_postgres.sql("SELECT id FROM tinyforge.containers") == [(row().id,)]
            (small_disk / "ballast").unlink()
            await index.containers.complete(complete(new(*many)))
            assert own_postgres.sql("SELECT count(*) FROM tinyforge.containers") == [(2001,)]


async def test_fault_17_with_every_connection_used_up_we_say_so_and_go_on_once_one_is_free(own_postgres: OwnPostgres, opened: Open) -> None:
    own_postgres.sql("ALTER SYSTEM SET max_connections = 5")
    own_postgres.sql("ALTER SYSTEM SET superuser_reserved_connections = 0")
    own_postgres.sql("ALTER SYSTEM SET max_wal_senders = 0")
    await asyncio.to_thread(restart, own_postgres)
    database = await opened(own_postgres.url, connect_timeout=0.3)
    with used_up(own_postgres.url), pytest.raises(IndexUnavailable, match="too many clients already"):
        await database.run(nothing)
    await until(lambda: can_connect(own_postgres.url))
    await database.run(nothing)


async def test_fault_17_what_has_its_session_works_on_while_all_others_are_used_up(own_index: LedIndex, own_postgres: OwnPostgres) -> None:
    own_postgres.sql("ALTER SYSTEM SET max_connections = 5")
    own_postgres.sql("ALTER SYSTEM SET superuser_reserved_connections = 0")
    own_postgres.sql("ALTER SYSTEM SET max_wal_senders = 0")
    await asyncio.to_thread(restart, own_postgres)
    await own_index.containers.complete(complete())
    with used_up(own_postgres.url):
        await own_index.containers.complete(complete(new(row())))


async def test_fault_18_a_lock_held_by_psql_is_not_waited_for_longer_than_two_seconds(
    index: LedIndex, psql: psycopg.Connection[Any], sql: Sql
) -> None:
    psql.execute("LOCK TABLE tinyforge.containers")
    begun = time.monotonic()
    refused = await asyncio.gather(index.containers.snapshot(HOST), index.containers.complete(complete(new(row()))), return_exceptions=True)
    assert [type(it) for it in refused] == [IndexUnavailable, IndexUnavailable]
    assert {str(it).partition(":")[0] for it in refused} == {"a lock in PostgreSQL was not free in time"}
    assert time.monotonic() - begun < 4
    psql.rollback()
    await index.containers.complete(complete(new(row())))
    assert sql("SELECT id FROM tinyforge.containers") == [(row().id,)]


@contextmanager
def lying_on(disk: Path, server: OwnPostgres) -> Iterator[None]:
    """Have the rows of the index on a disk of their own (a full one for its log would end the server itself) for the length of a block."""
    owner = server.data.stat()
    (disk / "rows").mkdir(mode=0o700)
    os.chown(disk / "rows", owner.st_uid, owner.st_gid)
    server.sql(SQL("CREATE TABLESPACE small LOCATION {}").format(Literal(str(disk / "rows"))).as_string())
    for table in ("containers", "hosts"):
        server.sql(SQL("ALTER TABLE tinyforge.{} SET TABLESPACE small").format(Identifier(table)).as_string())
    yield
    server.stop()


def fill(file: Path) -> None:
    """Use up all there is on a disk, but for what PostgreSQL has of it already."""
    with suppress(OSError), file.open("wb", buffering=0) as ballast:
        while ballast.write(bytes(65536)):
            pass


async def nothing(connection: Connection) -> None:
    """Have a session, and do nothing with it."""


async def use_all_sessions(database: Database) -> set[int]:
    """Use every session there may be, side by side, for a write; return the numbers of their backends."""
    meeting = asyncio.Barrier(8)

    async def pid(connection: Connection) -> int:
        await meeting.wait()
        cursor = await connection.execute("SELECT pg_backend_pid()")
        (number,) = await cursor.fetchone() or (0,)
        return int(number)

    return set(await asyncio.gather(*(database.run(pid) for _ in range(meeting.parties))))


def sleepers(server: OwnPostgres) -> int:
    """How many statements sleep."""
    ((count,),) = server.sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'")
    return int(count)


def end_server(server: OwnPostgres, end: str) -> None:
    """End a server, as politely as the word says."""
    if end == "kill":
        server.kill()
    else:
        server.stop(end)  # type: ignore[arg-type] # the parameters above are its modes


def restart(server: OwnPostgres) -> None:
    """Stop a server and start it again."""
    server.stop()
    server.start()


def can_connect(url: str) -> bool:
    """Tell whether a connection is to be had."""
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@contextmanager
def used_up(url: str) -> Iterator[None]:
    """Use up every connection of a server for the length of a block."""
    with ExitStack() as stack:
        while True:
            try:
                stack.enter_context(psycopg.connect(url))
            except psycopg.OperationalError:
                break
        yield
