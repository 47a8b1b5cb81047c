"""What leaves the index, and what never does: a row in which a deployer keeps something is the deployer's to delete (rule R1)."""

import asyncio
from typing import Any, LiteralString

import psycopg
import pytest

from tests.index.conftest import Sql
from tests.index.examples import DEPLOYER_COLUMNS, HOST, declare, host, row, workload
from tests.index.test_pass_write import insert
from tests.index.waiting import until_blocked
from tinyforge.domain.requests import Forgotten
from tinyforge.domain.rows import MISSING
from tinyforge.index.led import LedIndex

DAY = 86400.0
RETENTION = 30 * DAY
AGE: LiteralString = "UPDATE tinyforge.containers SET missing_since = now() - interval '31 days' WHERE state = 'missing'"
IDS: LiteralString = "SELECT id FROM tinyforge.containers ORDER BY id"


async def test_r1_a_row_missing_for_longer_than_the_retention_is_pruned_and_named(index: LedIndex, sql: Sql) -> None:
    insert(sql, row("old", state=MISSING))
    insert(sql, row("older", state=MISSING))
    sql(AGE)
    insert(sql, row("young", state=MISSING), missing_since="now")
    insert(sql, row("running"))
    assert await index.housekeeping.prune(retention=RETENTION) == ("old", "older")
    assert sql(IDS) == [("running",), ("young",)]


async def test_r1_it_counts_since_when_a_row_is_missing_and_not_when_it_was_last_seen(index: LedIndex, sql: Sql) -> None:
    insert(sql, row("long not seen", state=MISSING), missing_since="now")
    sql("UPDATE tinyforge.containers SET last_seen_at = now() - interval '1 year'")
    assert await index.housekeeping.prune(retention=RETENTION) == ()


async def test_r1_the_retention_is_kept_to_the_second(index: LedIndex, sql: Sql) -> None:
    insert(sql, row("it", state=MISSING))
    sql("UPDATE tinyforge.containers SET missing_since = now() - interval '100 seconds'")
    assert await index.housekeeping.prune(retention=105) == ()
    assert await index.housekeeping.prune(retention=99) == ("it",)


async def test_r1_with_a_retention_of_zero_nothing_is_ever_pruned(index: LedIndex, sql: Sql) -> None:
    insert(sql, row("old", state=MISSING))
    sql("UPDATE tinyforge.containers SET missing_since = '1970-01-01'")
    assert await index.housekeeping.prune(retention=0) == ()
    assert sql(IDS) == [("old",)]


async def test_r1_rows_of_a_host_removed_for_longer_than_the_retention_are_pruned_whatever_their_state(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(host("gone"), host("leaving")), stale_after=1)
    for on in ("gone", "leaving", HOST):
        insert(sql, row(f"{on}: running", host=on))
        insert(sql, row(f"{on}: pre-created", host=on, container_id="", state="", seen=False))
    await index.mirror.write(declare(remove_hosts=["gone", "leaving"]), stale_after=1)
    sql("UPDATE tinyforge.hosts SET removed_at = now() - interval '31 days' WHERE name = 'gone'")
    assert await index.housekeeping.prune(retention=RETENTION) == ("gone: pre-created", "gone: running")
    assert len(sql(IDS)) == 4


@pytest.mark.parametrize("column", DEPLOYER_COLUMNS)
async def test_r1_a_row_with_a_deployers_value_is_neither_pruned_nor_forgotten(column: str, index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(host("gone")), stale_after=1)
    insert(sql, row("default/app:old", state=MISSING), **{column: "mine"})
    insert(sql, row("default/app:gone", host="gone"), **{column: "mine"})
    sql(AGE)
    await index.mirror.write(declare(remove_hosts=["gone"]), stale_after=1)
    sql("UPDATE tinyforge.hosts SET removed_at = now() - interval '31 days' WHERE name = 'gone'")
    assert await index.housekeeping.prune(retention=RETENTION) == ()
    assert await index.housekeeping.forget("default/app") == Forgotten(deleted=(), kept=("default/app:old",))
    assert len(sql(IDS)) == 2


async def test_r1_a_row_that_somebody_holds_locked_is_left_to_the_next_time_and_keeps_nobody_waiting(
    index: LedIndex, psql: psycopg.Connection[Any], sql: Sql
) -> None:
    insert(sql, row("held", state=MISSING))
    insert(sql, row("old", state=MISSING))
    sql(AGE)
    psql.execute("UPDATE tinyforge.containers SET subdomain = 'www' WHERE id = 'held'")
    assert await index.housekeeping.prune(retention=RETENTION) == ("old",)
    psql.commit()
    assert await index.housekeeping.prune(retention=RETENTION) == ()


async def test_requests_older_than_a_day_are_pruned_answered_or_not(index: LedIndex, sql: Sql) -> None:
    for age in ("25 hours", "23 hours"):
        for done in (None, "now"):
            sql(
                "INSERT INTO tinyforge.sync_requests (kind, argument, requested_at, done_at) VALUES ('sync', %s, now() - %s::interval, %s)",
                age,
                age,
                done,
            )
    await index.housekeeping.prune(retention=0)
    assert sql("SELECT argument FROM tinyforge.sync_requests") == [("23 hours",), ("23 hours",)]


async def test_forgetting_deletes_a_workloads_missing_rows_and_no_others(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(workload()), stale_after=1)
    for it in (
        row("default/app:gone", state=MISSING),
        row("default/app:gone:2", role="gone", state=MISSING),
        row("default/app:web"),
        row("default/app:pre-created", container_id="", state=""),
        row("default/apple:gone", state=MISSING),
    ):
        insert(sql, it)
    assert await index.housekeeping.forget("default/app") == Forgotten(deleted=("default/app:gone", "default/app:gone:2"), kept=())
    assert sql(IDS) == [("default/app:pre-created",), ("default/app:web",), ("default/apple:gone",)]
    assert await index.housekeeping.forget("default/app") == Forgotten(deleted=(), kept=())


async def test_forgetting_a_role_leaves_the_workloads_other_rows(index: LedIndex, sql: Sql) -> None:
    insert(sql, row("default/app:gone", state=MISSING))
    insert(sql, row("default/app:kept", role="gone", state=MISSING), image_tag="v1")
    insert(sql, row("default/app:other", state=MISSING))
    insert(sql, row("default/app:", state=MISSING, role=""))
    assert await index.housekeeping.forget("default/app", role="gone") == Forgotten(
        deleted=("default/app:gone",), kept=("default/app:kept",)
    )
    assert await index.housekeeping.forget("default/app", role="") == Forgotten(deleted=("default/app:",), kept=())


async def test_forgetting_takes_rows_in_the_order_in_which_a_pass_does_so_that_neither_waits_for_the_other_for_ever(
    index: LedIndex, psql: psycopg.Connection[Any], sql: Sql
) -> None:
    insert(sql, row("default/app:b", state=MISSING))
    insert(sql, row("default/app:a", state=MISSING))
    psql.execute("SELECT FROM tinyforge.containers WHERE id = 'default/app:a' FOR UPDATE")
    forgetting = asyncio.create_task(index.housekeeping.forget("default/app"))
    await until_blocked(psql.info.dsn)
    sql("SELECT FROM tinyforge.containers WHERE id = 'default/app:b' FOR UPDATE NOWAIT")
    psql.rollback()
    assert (await forgetting).deleted == ("default/app:a", "default/app:b")


@pytest.mark.parametrize("odd", ["\udcff", "'; DROP TABLE tinyforge.containers; --", "%s", "\0", "default/app\0", "*", ""])
async def test_fault_36_whatever_is_asked_to_be_forgotten_is_text_and_nothing_else(odd: str, index: LedIndex, sql: Sql) -> None:
    insert(sql, row("default/app:gone", state=MISSING))
    assert await index.housekeeping.forget(odd, role=odd) == Forgotten(deleted=(), kept=())
    assert sql(IDS) == [("default/app:gone",)]
