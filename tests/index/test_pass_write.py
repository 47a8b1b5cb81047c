"""What a pass writes: Docker's columns and no others, all of it or nothing, and nothing where nothing changed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict
from psycopg.sql import SQL, Identifier, Placeholder

from tests.index.conftest import Sql
from tests.index.examples import DEPLOYER_COLUMNS, ENGINE, HOST, complete, declare, host, new, row
from tinyforge.domain.hosts import HostState
from tinyforge.domain.index_plan import Change
from tinyforge.domain.rows import MISSING, Row
from tinyforge.index.led import LedIndex
from tinyforge.ports import CompletePass, FailedPass, IndexRefused, RowsMoved

DOCKER_COLUMNS = tuple(name for name in Row.__struct_fields__ if name not in {"id", "seen"})
TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
READ = SQL('SELECT {} FROM tinyforge.containers ORDER BY id COLLATE "C"')


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[list[Row], list[Row], list[dict[str, str]]]:
    """Rows as they are stored, the same ones as a pass writes them, and what a deployer keeps in each."""
    ids = draw(st.lists(TEXT.filter(bool), min_size=1, max_size=6, unique=True))

    def rows() -> list[Row]:
        return [draw(st.builds(Row, id=st.just(id_), container_id=st.sampled_from(["", f"c{id_}"]), **columns)) for id_ in ids]

    columns: dict[str, Any] = dict.fromkeys(DOCKER_COLUMNS, TEXT) | {
        "host": st.just(HOST),
        "state": st.sampled_from(["running", "stopped", "failed", MISSING]),
        "port": st.integers(0, 65535),
        "seen": st.booleans(),
    }
    columns.pop("container_id")
    return rows(), rows(), [draw(st.fixed_dictionaries(dict.fromkeys(DEPLOYER_COLUMNS, TEXT))) for _ in ids]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(example=rewritten(), fresh=st.booleans())
async def test_w1_w2_a_pass_sets_dockers_columns_as_planned_and_leaves_a_deployers_as_they_are(
    example: tuple[list[Row], list[Row], list[dict[str, str]]], fresh: bool, index: LedIndex, sql: Sql
) -> None:
    stored, planned, deployers = example
    sql("TRUNCATE tinyforge.containers")
    await index.containers.complete(complete())  # a row that was seen was so by an earlier pass
    if fresh:
        deployers = [dict.fromkeys(DEPLOYER_COLUMNS, "") for _ in stored]
        await index.containers.complete(complete(new(*planned)))
    else:
        for before, deployer in zip(stored, deployers, strict=True):
            insert(sql, before, **deployer)
        await index.containers.complete(complete([Change(row=it, over=before) for it, before in zip(planned, stored, strict=True)]))
    view = (await index.containers.snapshot(HOST)).view
    assert view.rows == {it.id: it for it in planned}
    kept = dict(zip((it.id for it in stored), deployers, strict=True))
    found = sql(READ.format(SQL(", ").join(map(Identifier, ("id", *DEPLOYER_COLUMNS)))).as_string())
    assert {id_: dict(zip(DEPLOYER_COLUMNS, values, strict=True)) for id_, *values in found} == kept


async def test_w2_what_a_deployer_writes_between_read_and_write_is_no_conflict_and_stays(index: LedIndex, sql: Sql) -> None:
    insert(sql, row())
    sql("UPDATE tinyforge.containers SET subdomain = 'www', image_tag = 'v2'")
    await index.containers.complete(complete([Change(row=row(state="stopped"), over=row())]))
    assert sql("SELECT state, subdomain, image_tag FROM tinyforge.containers") == [("stopped", "www", "v2")]


async def test_w6_a_row_that_comes_back_is_missing_no_longer(index: LedIndex, sql: Sql) -> None:
    gone = row(state=MISSING, state_reason="ContainerGone")
    insert(sql, gone, missing_since="2026-01-01")
    await index.containers.complete(complete([Change(row=row(), over=gone)]))
    assert sql("SELECT state, state_reason, missing_since FROM tinyforge.containers") == [("running", "", None)]


async def test_p7_of_a_pass_with_one_row_that_moved_nothing_is_written(index: LedIndex, sql: Sql) -> None:
    insert(sql, row("b", state="created"))
    before = everything(sql)
    with pytest.raises(RowsMoved):
        await index.containers.complete(complete([*new(row("a")), Change(row=row("b"), over=row("b")), *new(row("c"))]))
    assert everything(sql) == before


async def test_p7_of_a_pass_with_one_row_that_postgresql_refuses_nothing_is_written(index: LedIndex, sql: Sql) -> None:
    before = everything(sql)
    with pytest.raises(IndexRefused, match="violates check constraint"):
        await index.containers.complete(complete(new(row("a"), row("x" * 1025))))
    assert everything(sql) == before


async def test_p7_a_pass_of_a_host_that_is_gone_from_the_mirror_writes_nothing(index: LedIndex, sql: Sql) -> None:
    with pytest.raises(RowsMoved):
        await index.containers.complete(complete(new(row(host="nowhere")), host="nowhere"))
    assert sql("SELECT count(*) FROM tinyforge.containers") == [(0,)]


async def test_p8_a_pass_without_changes_touches_no_row_of_a_container(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(*(row(f"default/app:{number}") for number in range(20)))))
    before = sql("SELECT id, ctid, xmin FROM tinyforge.containers ORDER BY id")
    for _ in range(3):
        await index.containers.complete(complete())
    assert sql("SELECT id, ctid, xmin FROM tinyforge.containers ORDER BY id") == before


async def test_p8_a_pass_without_changes_costs_a_kilobyte_of_wal_at_most(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(*(row(f"default/app:{number}") for number in range(100)))))
    costs = [await wal_bytes(index, sql) for _ in range(9)]
    assert sorted(costs)[5] <= 1024, costs  # the first ones after a checkpoint hold whole pages


async def test_a_complete_pass_says_what_it_found_and_pins_the_engine_it_was_told_of(index: LedIndex, sql: Sql) -> None:
    facts = "SELECT state, state_reason, listed, matched, engine_id, engine_version, api_version, stale_after FROM tinyforge.hosts"
    await index.containers.complete(complete(listed=5, matched=3, identity=ENGINE, stale_after=300.0))
    known = ("engine-1", "28.0.0", "1.48")
    assert sql(facts)[0][:-1] == ("reachable", "", 5, 3, *known)
    assert sql("SELECT extract(epoch FROM stale_after) FROM tinyforge.hosts") == [(300,)]
    await index.containers.complete(complete(listed=1, matched=1))
    assert sql(facts)[0][:-1] == ("reachable", "", 1, 1, *known)
    assert (await index.containers.snapshot(HOST)).engine_id == "engine-1"


async def test_p4_a_failed_pass_is_recorded_with_its_reason_and_touches_no_row(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(row())))
    before = sql("SELECT ctid, xmin FROM tinyforge.containers")
    (completed,) = sql("SELECT last_complete_pass_at FROM tinyforge.hosts")
    await index.containers.fail(FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message="no answer\0 in time"))
    assert sql("SELECT state, state_reason, state_message, last_complete_pass_at FROM tinyforge.hosts") == [
        ("unreachable", "Timeout", "no answer\ufffd in time", *completed)
    ]
    assert sql("SELECT last_pass_at > last_complete_pass_at FROM tinyforge.hosts") == [(True,)]
    assert sql("SELECT ctid, xmin FROM tinyforge.containers") == before


@pytest.mark.parametrize("record", [complete(), FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message="")])
async def test_s5_a_pass_that_was_under_way_when_its_host_was_removed_does_not_bring_it_back(
    record: CompletePass | FailedPass, index: LedIndex, sql: Sql
) -> None:
    await index.mirror.write(declare(remove_hosts=[HOST]), stale_after=1)
    await (index.containers.complete(record) if isinstance(record, CompletePass) else index.containers.fail(record))
    assert sql("SELECT state FROM tinyforge.hosts") == [("removed",)]


async def test_a_host_is_read_with_its_workloads_its_rows_and_no_others(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(host("other")), stale_after=1)
    insert(sql, row("a"))
    insert(sql, row("b", host="other", container_id="x"))
    insert(sql, row("c", host="other", container_id="y"))
    snapshot = await index.containers.snapshot(HOST, also=["c", "a", "no such row"])
    assert set(snapshot.view.rows) == {"a", "c"}
    ((installation,),) = sql("SELECT id::text FROM tinyforge.installation")
    assert (snapshot.view.host, snapshot.view.installation, snapshot.engine_id) == (HOST, installation, "")


def insert(sql: Sql, it: Row, **others: str) -> None:
    """Store a row, with its times as a pass would have left them."""
    columns = asdict(it) | others
    seen = columns.pop("seen")
    columns |= {"last_seen_at": "2026-01-01"} if seen else {}
    statement = SQL("INSERT INTO tinyforge.containers ({}) VALUES ({})").format(
        SQL(", ").join(map(Identifier, columns)), SQL(", ").join(Placeholder() for _ in columns)
    )
    sql(statement.as_string(), *columns.values())


def everything(sql: Sql) -> list[tuple[Any, ...]]:
    """All that a pass can write."""
    return sql("SELECT to_jsonb(it)::text FROM tinyforge.containers AS it UNION ALL SELECT to_jsonb(it)::text FROM tinyforge.hosts AS it")


async def wal_bytes(index: LedIndex, sql: Sql) -> int:
    """How much a pass without changes writes to the log."""
    ((before,),) = sql("SELECT pg_current_wal_insert_lsn() - '0/0'")
    await index.containers.complete(complete())
    ((after,),) = sql("SELECT pg_current_wal_insert_lsn() - '0/0'")
    return int(after - before)
