"""A leader's claim stands on every server that it writes to: it is looked for at the first use of each new session, and after a refusal.

Here a person with psql takes it away, as a failover to a server without it would; `test_failover` has a real one.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import psycopg
import pytest

from tests.index.conftest import Sql
from tests.index.examples import complete, declare, host, new, row
from tests.index.waiting import until, until_blocked
from tinyforge.index.assertion import Assertion
from tinyforge.index.database import PROGRAM, Connection, Database
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.led import LedIndex
from tinyforge.ports import Fenced, IndexRefused, Term

ROW = "SELECT epoch, holder, session FROM tinyforge.leaders"
INSERT = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES (%s, '', '', 'local')"


@dataclass
class Asserted:
    """A leader with nothing but its claim and its sessions."""

    term: Term
    assertion: Assertion
    database: Database

    def regained(self) -> "asyncio.Task[None]":
        return asyncio.create_task(self.assertion.regained())


@pytest.fixture
async def leader(database_url: str) -> AsyncIterator[Asserted]:
    """A leader of epoch 2, so that there can be an older one."""
    await claim(database_url, Identity.draw())
    term = await claim(database_url, Identity.draw())
    assertion = Assertion(term)
    database = Database(database_url, session=term.session, first_use=assertion.stand)
    await database.open()
    yield Asserted(term, assertion, database)
    await database.close()


def lose(sql: Sql, *, epoch: int = 1, holder: str = "the one before", session: str = "") -> None:
    """Take a claim away, which the trigger allows nobody."""
    sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
    sql("UPDATE tinyforge.leaders SET epoch = %s, holder = %s, session = %s, driver = 'operator', lease = 'x'", epoch, holder, session)
    sql("ALTER TABLE tinyforge.leaders ENABLE TRIGGER ALL")


async def nothing(connection: Connection) -> None:
    """Have a session, and do nothing with it."""


async def test_fault_14_a_new_session_on_a_server_without_the_claim_makes_it_again_before_anything_else(leader: Asserted, sql: Sql) -> None:
    lose(sql)
    regained = leader.regained()
    await leader.database.run(nothing)
    assert sql(ROW) == [(2, leader.term.holder, leader.term.session)]
    await asyncio.wait_for(regained, 1)


async def test_fault_14_eight_new_sessions_that_miss_it_at_once_make_it_once(leader: Asserted, sql: Sql, psql: psycopg.Connection) -> None:
    lose(sql)
    meeting = asyncio.Barrier(8)

    async def meet(connection: Connection) -> None:
        await meeting.wait()

    def sessions() -> bool:
        looked = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND query LIKE '%%tinyforge.leaders%%'"
        return sql(looked, leader.term.session) == [(8,)]

    psql.execute("SELECT pg_advisory_xact_lock_shared(8388357248642937447)")
    regained = leader.regained()
    working = asyncio.gather(*(leader.database.run(meet) for _ in range(8)))
    await until(sessions)
    psql.rollback()
    await working
    await asyncio.wait_for(regained, 1)
    again = leader.regained()
    await asyncio.sleep(0.1)
    assert not again.done()
    again.cancel()


async def test_where_the_claim_is_nothing_is_made_again(leader: Asserted, sql: Sql) -> None:
    claimed_at = sql("SELECT claimed_at FROM tinyforge.leaders")
    regained = leader.regained()
    await leader.database.run(nothing)
    assert sql("SELECT claimed_at FROM tinyforge.leaders") == claimed_at
    assert not regained.done()
    regained.cancel()


async def test_a_session_is_looked_at_once_and_never_again(leader: Asserted, sql: Sql) -> None:
    await leader.database.run(nothing)
    lose(sql)
    await leader.database.run(nothing)
    assert sql(ROW)[0][0] == 1


async def test_fault_14_a_write_that_the_fence_refuses_is_done_after_the_claim_was_made_again(leader: Asserted, sql: Sql) -> None:
    await leader.database.run(nothing)
    lose(sql)
    tries = []

    async def write(connection: Connection) -> str:
        tries.append(1)
        await connection.execute(INSERT, ("late",))
        return "done"

    regained = leader.regained()
    assert await leader.database.write(leader.term, write) == "done"
    assert len(tries) == 2
    assert sql("SELECT id FROM tinyforge.containers") == [("late",)]
    assert sql(ROW)[0][:2] == (2, leader.term.holder)
    await asyncio.wait_for(regained, 1)


async def test_fault_14_so_is_one_that_fetches(leader: Asserted, sql: Sql) -> None:
    await leader.database.run(nothing)
    lose(sql)

    async def write(connection: Connection) -> list[tuple[str]]:
        cursor = await connection.execute(f"{INSERT} RETURNING id", ("late",))
        return await cursor.fetchall()

    assert await leader.database.write(leader.term, write) == [("late",)]


async def test_p7_a_write_that_is_refused_again_is_not_tried_a_third_time(leader: Asserted, sql: Sql) -> None:
    sql(
        "CREATE OR REPLACE FUNCTION tinyforge.fence(my_epoch bigint, my_holder text, my_program integer) RETURNS void LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'TF001'; END $$"
    )
    tries = []

    async def write(connection: Connection) -> None:
        tries.append(1)

    with pytest.raises(Fenced):
        await leader.database.write(leader.term, write)
    assert len(tries) == 2


@pytest.mark.parametrize("epoch", [2, 3])
@pytest.mark.parametrize("used", [True, False])
async def test_p7_over_a_newer_epoch_or_the_same_in_other_hands_nothing_is_made_again(
    epoch: int, used: bool, leader: Asserted, sql: Sql
) -> None:
    if used:
        await leader.database.run(nothing)
    sql("UPDATE tinyforge.leaders SET epoch = %s, holder = 'the next'", epoch)
    with pytest.raises(Fenced, match=f"the next took over with epoch {epoch}; this process had epoch 2"):
        await leader.database.write(leader.term, nothing)
    assert sql(ROW)[0][:2] == (epoch, "the next")


async def test_p7_a_deposed_leader_reads_nothing_on_a_new_session(leader: Asserted, sql: Sql) -> None:
    sql("UPDATE tinyforge.leaders SET epoch = 3, holder = 'the next'")
    with pytest.raises(Fenced):
        await leader.database.run(nothing)


async def test_without_the_row_migrate_is_named(leader: Asserted, sql: Sql) -> None:
    sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
    sql("DELETE FROM tinyforge.leaders")
    with pytest.raises(IndexRefused, match="`tinyforge migrate` restores it"):
        await leader.database.run(nothing)


async def test_fault_14_the_stale_leader_inside_a_transaction_is_ended_for_it(leader: Asserted, database_url: str, sql: Sql) -> None:
    lose(sql, session="tinyforge/stale")
    async with await psycopg.AsyncConnection.connect(database_url, application_name="tinyforge/stale") as stale:
        await stale.execute("SELECT tinyforge.fence(1, 'the one before', %s)", (PROGRAM,))
        await stale.execute(INSERT, ("late",))
        await leader.database.run(nothing)
        with pytest.raises(psycopg.OperationalError):
            await stale.commit()
    assert sql("SELECT count(*) FROM tinyforge.containers") == [(0,)]


async def test_a_claim_in_whose_way_somebody_stands_is_tried_with_the_next_work(
    leader: Asserted, database_url: str, sql: Sql, psql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyforge.index.claiming._SLICE_SECONDS", 0.1)
    lose(sql)
    psql.execute("SELECT pg_advisory_xact_lock_shared(8388357248642937447)")
    with pytest.raises(Exception, match="a lock in PostgreSQL was not free in time"):
        await leader.database.run(nothing)
    working = asyncio.create_task(leader.database.run(nothing))
    await until_blocked(database_url)
    psql.rollback()
    await working
    assert sql(ROW)[0][0] == 2


async def test_a_led_index_confirms_and_tells_what_it_regained(index: LedIndex, sql: Sql) -> None:
    await index.claim.confirm()
    lose(sql, epoch=0, holder="")
    regained = asyncio.create_task(index.claim.regained())
    await index.claim.confirm()
    assert sql(ROW)[0][:2] == (1, index.term.holder)
    await asyncio.wait_for(regained, 1)


async def test_every_write_of_the_index_can_be_done_twice(index: LedIndex, sql: Sql) -> None:
    for turn in range(2):
        lose(sql, epoch=0, holder="")
        await index.containers.complete(complete(new(row(f"default/app:{turn}"))))
        lose(sql, epoch=0, holder="")
        await index.mirror.write(declare(host("second")), stale_after=1)
        lose(sql, epoch=0, holder="")
        await index.housekeeping.prune(retention=1)
    assert sql("SELECT count(*) FROM tinyforge.containers") == [(2,)]
