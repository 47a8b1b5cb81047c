"""Who has lost its term writes nothing, ever (rule P7), whatever was under way when it lost it."""

import asyncio
from collections.abc import Awaitable, Callable

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.index.conftest import Open, Sql
from tests.index.examples import HOST, complete, declare, host, new, row
from tests.index.waiting import until_blocked
from tinyforge.domain.hosts import HostState
from tinyforge.domain.requests import Request, RequestKind
from tinyforge.index.database import PROGRAM, Connection
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.led import LedIndex
from tinyforge.index.schema import Migration, migrate, migrations, require_schema
from tinyforge.ports import FailedPass, Fenced, IndexRefused, Term

INSERT = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES ('late', 'default/app', 'stack', 'local')"
FAILED = FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message="")
EVERYTHING_WRITTEN: dict[str, Callable[[LedIndex], Awaitable[object]]] = {
    "a pass": lambda index: index.containers.complete(complete(new(row("default/app:late")))),
    "a pass without changes": lambda index: index.containers.complete(complete()),
    "a failed pass": lambda index: index.containers.fail(FAILED),
    "what is declared": lambda index: index.mirror.write(declare(host(), host("late")), stale_after=1),
    "an answer": lambda index: index.requests.answer(Request(id=1, kind=RequestKind.SYNC, host="", argument=""), {}),
    "forgetting": lambda index: index.housekeeping.forget("default/app"),
    "pruning": lambda index: index.housekeeping.prune(retention=1),
}
TABLES = (
    "SELECT to_jsonb(it)::text FROM tinyforge.hosts AS it UNION ALL SELECT to_jsonb(it)::text FROM tinyforge.workloads AS it"
    " UNION ALL SELECT to_jsonb(it)::text FROM tinyforge.containers AS it"
    " UNION ALL SELECT to_jsonb(it)::text FROM tinyforge.sync_requests AS it ORDER BY 1"
)


@pytest.mark.parametrize("what", EVERYTHING_WRITTEN)
async def test_p7_a_deposed_leader_writes_nothing(what: str, index: LedIndex, database_url: str, sql: Sql) -> None:
    sql(
        "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, state, missing_since)"
        " VALUES ('old', 'default/app', 'stack', 'local', 'missing', now() - interval '1 day')"
    )
    sql("INSERT INTO tinyforge.sync_requests (kind, requested_at) VALUES ('sync', now() - interval '2 days')")
    before = sql(TABLES)
    successor = Identity.draw()
    await claim(database_url, successor)
    with pytest.raises(Fenced, match=successor.holder):
        await EVERYTHING_WRITTEN[what](index)
    assert sql(TABLES) == before


@pytest.mark.parametrize("what", EVERYTHING_WRITTEN)
async def test_p7_whoever_leads_writes(what: str, index: LedIndex, sql: Sql) -> None:
    await EVERYTHING_WRITTEN[what](index)


async def test_p7_a_refused_write_leaves_the_connection_fit_for_the_next_one(database_url: str, opened: Open) -> None:
    database = await opened(database_url, size=1)
    term = await claim(database_url, Identity.draw())
    past = Term(epoch=term.epoch - 1, holder=term.holder, session=term.session)
    for _ in range(3):
        with pytest.raises(Fenced):
            await database.write(past, _insert)
        await database.write(term, _nothing)


async def test_p7_the_same_epoch_in_other_hands_is_refused(index: LedIndex, database_url: str, opened: Open) -> None:
    stranger = Term(epoch=index.term.epoch, holder="somebody else", session="")
    with pytest.raises(Fenced, match=index.term.holder):
        await (await opened(database_url)).write(stranger, _insert)


async def test_p7_a_claim_waits_for_a_fenced_transaction_under_way_and_comes_after_its_commit(
    index: LedIndex, database_url: str, opened: Open, sql: Sql
) -> None:
    database = await opened(database_url)
    inside, go_on = asyncio.Event(), asyncio.Event()

    async def write(connection: Connection) -> None:
        await (await connection.execute("SELECT 1")).fetchone()  # the fence is passed
        inside.set()
        await go_on.wait()
        await connection.execute(INSERT)

    writing = asyncio.create_task(database.write(index.term, write))
    await inside.wait()
    claiming = asyncio.create_task(claim(database_url, Identity.draw()))
    await until_blocked(database_url)
    assert not claiming.done()
    go_on.set()
    await writing
    assert sql("SELECT count(*) FROM tinyforge.containers") == [(1,)]
    assert (await claiming).epoch == index.term.epoch + 1


@pytest.mark.parametrize("isolation", ["read committed", "repeatable read", "serializable"])
async def test_p7_a_fenced_transaction_that_begins_during_a_claim_is_refused_whatever_the_databases_default_isolation(
    isolation: str, index: LedIndex, database_url: str, opened: Open, sql: Sql, psql: psycopg.Connection
) -> None:
    psql.execute("SELECT FROM tinyforge.leaders FOR UPDATE")  # the claim stops where it has the lock and has not written yet
    sql(f"ALTER DATABASE {psql.info.dbname} SET default_transaction_isolation = '{isolation}'")
    database = await opened(database_url)
    claiming = asyncio.create_task(claim(database_url, Identity.draw()))
    await until_blocked(database_url, 1)
    writing = asyncio.create_task(database.write(index.term, _insert))
    await until_blocked(database_url, 2)
    psql.rollback()
    await claiming
    with pytest.raises(Fenced):
        await writing
    assert sql("SELECT count(*) FROM tinyforge.containers") == [(0,)]


async def test_fenced_transactions_do_not_wait_for_each_other(index: LedIndex, database_url: str, opened: Open) -> None:
    database = await opened(database_url)
    meeting = asyncio.Barrier(3)

    async def write(connection: Connection) -> None:
        await (await connection.execute("SELECT 1")).fetchone()
        await meeting.wait()

    async with asyncio.timeout(5):
        await asyncio.gather(*(database.write(index.term, write) for _ in range(3)))


async def test_fault_19_a_running_writer_is_refused_once_a_migration_asks_for_a_newer_program(
    index: LedIndex, database_url: str, sql: Sql
) -> None:
    await index.containers.complete(complete(new(row())))
    known = migrations()
    contracting = Migration(f"{len(known) + 1:04}_contracting", "UPDATE tinyforge.schema SET min_program = 7")
    assert await migrate(database_url, [*known, contracting]) == [contracting.id]
    for what in EVERYTHING_WRITTEN.values():
        with pytest.raises(IndexRefused, match=f"asks for program 7 or newer, this one is {PROGRAM}") as refused:
            await what(index)
        assert not isinstance(refused.value, Fenced)
    with pytest.raises(IndexRefused, match=f"asks for program 7 or newer; this one is {PROGRAM}: update it"):
        await require_schema(database_url)
    assert sql("SELECT id FROM tinyforge.containers") == [(row().id,)]


async def test_fault_19_a_running_writer_goes_on_through_a_migration_that_only_adds(index: LedIndex, database_url: str, sql: Sql) -> None:
    for turn in range(7):  # often enough for its statements to be prepared
        await index.containers.complete(complete(new(row(f"default/app:{turn}"))))
    for table in ("leaders", "hosts", "workloads", "containers", "sync_requests"):
        sql(f"ALTER TABLE tinyforge.{table} ADD COLUMN later text NOT NULL DEFAULT ''")
    known = migrations()
    adding = Migration(f"{len(known) + 1:04}_adding", "CREATE TABLE tinyforge.later (id text PRIMARY KEY)")
    assert await migrate(database_url, [*known, adding]) == [adding.id]
    await require_schema(database_url)
    for turn in range(7, 14):
        await index.containers.complete(complete(new(row(f"default/app:{turn}"))))
        assert len((await index.containers.snapshot(HOST)).view.rows) == turn + 1
        await index.mirror.write(declare(host(endpoint=f"unix:///{turn}")), stale_after=1)
        assert (await index.mirror.read()).hosts[HOST].endpoint == f"unix:///{turn}"


async def test_fault_19_what_a_newer_program_added_to_a_host_is_read_past(index: LedIndex, sql: Sql) -> None:
    sql("UPDATE tinyforge.hosts SET spec = spec || %s", Jsonb({"later": True}))
    assert (await index.mirror.read()).hosts == {HOST: host()}


async def _insert(connection: Connection) -> None:
    await connection.execute(INSERT)


async def _nothing(connection: Connection) -> None:
    """Write nothing."""
