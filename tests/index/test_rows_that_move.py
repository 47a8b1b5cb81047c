"""A pass writes over exactly what it read (rule W7), however closely somebody else's change comes before the write."""

import asyncio
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from tests.index.conftest import Sql
from tests.index.examples import HOST, complete, declare, host, new, row
from tests.index.test_pass_write import insert
from tests.index.waiting import until_blocked
from tinyforge.domain.index_plan import Change
from tinyforge.domain.rows import Row
from tinyforge.index.led import LedIndex
from tinyforge.ports import RowsMoved

A, B = row("a"), row("b")
CREATE = (
    "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, container_id) VALUES (%s, 'default/app', 'stack', 'local', %s)"
)


CHANGES = {
    "re-bound": "UPDATE tinyforge.containers SET container_id = 'another' WHERE id = 'b'",
    "moved to another host": "UPDATE tinyforge.containers SET host = 'another' WHERE id = 'b'",
    "given another id": "UPDATE tinyforge.containers SET id = 'another' WHERE id = 'b'",
    "given another workload": "UPDATE tinyforge.containers SET workload_id = 'another' WHERE id = 'b'",
    "given another kind": "UPDATE tinyforge.containers SET workload_kind = 'another' WHERE id = 'b'",
    "given another role": "UPDATE tinyforge.containers SET role = 'another' WHERE id = 'b'",
    "given another image": "UPDATE tinyforge.containers SET image_ref = 'another' WHERE id = 'b'",
    "set to failed": "UPDATE tinyforge.containers SET state = 'failed' WHERE id = 'b'",
    "given a reason": "UPDATE tinyforge.containers SET state_reason = 'another' WHERE id = 'b'",
    "given another port": "UPDATE tinyforge.containers SET port = 81 WHERE id = 'b'",
    "never seen": "UPDATE tinyforge.containers SET last_seen_at = NULL WHERE id = 'b'",
    "deleted": "DELETE FROM tinyforge.containers WHERE id = 'b'",
}


@pytest.mark.parametrize("how", CHANGES)
async def test_w7_a_row_that_was_changed_since_it_was_read_is_left_alone_and_named(how: str, index: LedIndex, sql: Sql) -> None:
    insert(sql, A)
    insert(sql, B)
    sql(CHANGES[how])
    before = stored(sql)
    with pytest.raises(RowsMoved) as moved:
        await index.containers.complete(complete(stop(A, B)))
    assert moved.value.ids == {"b"}
    assert stored(sql) == before


async def test_w7_a_row_that_was_created_since_the_reading_is_left_alone_and_named(index: LedIndex, sql: Sql) -> None:
    sql(CREATE, "b", "")
    before = stored(sql)
    with pytest.raises(RowsMoved) as moved:
        await index.containers.complete(complete(new(A, B)))
    assert moved.value.ids == {"b"}
    assert stored(sql) == before


@pytest.mark.parametrize("on", [HOST, "another"])
async def test_w7_a_row_created_between_the_look_and_the_write_is_left_alone_and_named(
    on: str, index: LedIndex, psql: psycopg.Connection[Any], sql: Sql
) -> None:
    psql.execute(CREATE, ("b", ""))
    psql.execute("UPDATE tinyforge.containers SET host = %s", (on,))
    writing = asyncio.create_task(index.containers.complete(complete(new(A, B))))
    await until_blocked(psql.info.dsn)  # the look saw no row, the write waits for psql
    psql.commit()
    with pytest.raises(RowsMoved) as moved:
        await writing
    assert moved.value.ids == {"b"}
    assert sql("SELECT id, host, state FROM tinyforge.containers") == [("b", on, "")]


async def test_w7_a_row_whose_creation_is_taken_back_is_written(index: LedIndex, psql: psycopg.Connection[Any], sql: Sql) -> None:
    psql.execute(CREATE, ("b", ""))
    writing = asyncio.create_task(index.containers.complete(complete(new(A, B))))
    await until_blocked(psql.info.dsn)
    psql.rollback()
    await writing
    assert sql("SELECT id FROM tinyforge.containers ORDER BY id") == [("a",), ("b",)]


@pytest.mark.parametrize("statement", ["UPDATE tinyforge.containers SET container_id = 'another'", "DELETE FROM tinyforge.containers"])
async def test_w7_a_row_that_is_being_changed_while_it_is_looked_at_counts_as_changed(
    statement: str, index: LedIndex, psql: psycopg.Connection[Any], sql: Sql
) -> None:
    insert(sql, B)
    psql.execute(statement.encode())
    writing = asyncio.create_task(index.containers.complete(complete(stop(B))))
    await until_blocked(psql.info.dsn)
    psql.commit()
    with pytest.raises(RowsMoved) as moved:
        await writing
    assert moved.value.ids == {"b"}


async def test_w7_nobody_changes_a_row_between_the_look_and_the_write(index: LedIndex, psql: psycopg.Connection[Any], sql: Sql) -> None:
    """Row a is looked at and locked, row b makes the pass wait: a change of a in that moment comes after the pass."""
    insert(sql, A)
    insert(sql, B)
    psql.execute("SELECT FROM tinyforge.containers WHERE id = 'b' FOR UPDATE")
    writing = asyncio.create_task(index.containers.complete(complete(stop(A, B))))
    await until_blocked(psql.info.dsn)
    with pytest.raises(psycopg.errors.LockNotAvailable):
        sql("SELECT FROM tinyforge.containers WHERE id = 'a' FOR UPDATE NOWAIT")
    psql.rollback()
    await writing
    assert sql("SELECT DISTINCT state FROM tinyforge.containers") == [("stopped",)]


async def test_w7_two_rows_swap_their_containers_in_one_write(index: LedIndex, sql: Sql) -> None:
    insert(sql, A)
    insert(sql, B)
    swapped = [replace(A, container_id=B.container_id), replace(B, container_id=A.container_id)]
    await index.containers.complete(complete([Change(row=swapped[0], over=A), Change(row=swapped[1], over=B)]))
    assert (await index.containers.snapshot(HOST)).view.rows == {it.id: it for it in swapped}


async def test_w7_a_container_passes_from_a_row_that_turns_missing_to_a_new_one_in_one_write(index: LedIndex, sql: Sql) -> None:
    insert(sql, B)
    heir = replace(A, container_id=B.container_id)
    await index.containers.complete(complete([*new(heir), Change(row=replace(B, state="missing"), over=B)]))
    assert sql("SELECT id, state FROM tinyforge.containers ORDER BY id") == [("a", "running"), ("b", "missing")]


async def test_w7_a_row_of_another_host_is_taken_over_only_as_it_was_read(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(host("other")), stale_after=1)
    elsewhere = row("a", host="other")
    insert(sql, elsewhere)
    read = (await index.containers.snapshot(HOST, also=["a"])).view.rows
    assert read == {"a": elsewhere}
    await index.containers.complete(complete([Change(row=A, over=elsewhere)]))
    assert sql("SELECT host FROM tinyforge.containers") == [(HOST,)]


async def test_w7_a_container_that_somebody_bound_to_another_row_meanwhile_is_a_row_that_moved(index: LedIndex, sql: Sql) -> None:
    sql(CREATE, "deployers", A.container_id)
    with pytest.raises(RowsMoved) as moved:  # 23P01, by the name of the constraint
        await index.containers.complete(complete(new(A)))
    assert moved.value.ids == frozenset()
    assert sql("SELECT id FROM tinyforge.containers") == [("deployers",)]


async def test_w7_a_deadlock_is_a_row_that_moved(index: LedIndex, psql: psycopg.Connection[Any], sql: Sql) -> None:
    insert(sql, A)
    insert(sql, B)
    psql.execute("SET deadlock_timeout = '4s'")  # so that ours looks first, after PostgreSQL's one second
    psql.execute("UPDATE tinyforge.containers SET subdomain = 'b' WHERE id = 'b'")
    writing = asyncio.create_task(index.containers.complete(complete(stop(A, B))))
    await until_blocked(psql.info.dsn)
    await asyncio.to_thread(psql.execute, "UPDATE tinyforge.containers SET subdomain = 'a' WHERE id = 'a'")
    with pytest.raises(RowsMoved):
        await writing
    psql.commit()
    assert sql("SELECT subdomain, state FROM tinyforge.containers ORDER BY id") == [("a", "running"), ("b", "running")]


async def test_w7_rows_are_taken_in_the_order_of_their_ids_so_that_no_two_passes_wait_for_each_other(
    index: LedIndex, psql: psycopg.Connection[Any], sql: Sql
) -> None:
    insert(sql, B)
    insert(sql, A)
    psql.execute("SELECT FROM tinyforge.containers WHERE id = 'a' FOR UPDATE")
    writing = asyncio.create_task(index.containers.complete(complete(stop(B, A))))
    await until_blocked(psql.info.dsn)
    sql("SELECT FROM tinyforge.containers WHERE id = 'b' FOR UPDATE NOWAIT")
    psql.rollback()
    await writing


async def test_w7_two_passes_over_the_same_rows_in_other_orders_do_not_deadlock(index: LedIndex, sql: Sql) -> None:
    rows = [row(f"default/app:{number}") for number in range(50)]
    for it in rows:
        insert(sql, it)
    passes = [index.containers.complete(complete(stop(*order))) for order in (rows, rows[::-1])]
    results = await asyncio.gather(*passes, return_exceptions=True)
    assert sorted(str(type(it)) for it in results) == sorted([str(type(None)), str(RowsMoved)])
    assert {len(it.ids) for it in results if isinstance(it, RowsMoved)} == {50}


def stop(*rows: Row) -> list[Change]:
    """Changes that write `stopped` over rows as they were read."""
    return [Change(row=replace(it, state="stopped"), over=it) for it in rows]


def stored(sql: Sql) -> list[tuple[Any, ...]]:
    """Every row, and where it is stored: a row written anew is elsewhere."""
    return sql("SELECT ctid, xmin, to_jsonb(it)::text FROM tinyforge.containers AS it ORDER BY id")
