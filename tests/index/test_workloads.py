"""A workload as its dispatch reads it: what counts for its status, whether its host can be vouched for; and the status that it leaves."""

from collections.abc import Sequence
from dataclasses import replace
from typing import LiteralString

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.index.conftest import Sql
from tests.index.examples import HOST, STALE_AFTER, complete, declare, new, row, workload
from tests.index.test_container_status import UNKNOWN
from tests.index.test_pass_write import insert
from tinyforge.domain.hosts import HostState
from tinyforge.domain.rows import MISSING, Row
from tinyforge.domain.workload_status import HostFacts
from tinyforge.domain.workloads import Kind
from tinyforge.index.led import LedIndex, lead
from tinyforge.ports import CountedRow, FailedPass, Fenced, WorkloadSnapshot

APP = "default/app"
READ: LiteralString = "SELECT id, generation FROM tinyforge.workloads ORDER BY id"


@pytest.fixture
async def index(index: LedIndex) -> LedIndex:
    """The index with one workload, whose host has been passed over."""
    await index.mirror.write(declare(workload()), stale_after=STALE_AFTER)
    await index.containers.complete(complete())
    return index


async def test_a_workload_is_read_as_it_was_declared(index: LedIndex) -> None:
    whole = replace(
        workload("team/site", kind=Kind.SITE, ref="home"),
        group_id="group",
        parent_id="team/parent",
        source_kind="external",
        source_config={"roles": {"": {"replicas": 2}}},
        trigger_kind="manual",
        trigger_config={"a": [None, 1.5, "ä"]},
        public_faces=({"domain": "a.example", "path": "/", "port": 80, "role": ""},),
        suspended=True,
        generation=7,
    )
    await index.mirror.write(declare(whole), stale_after=STALE_AFTER)
    found = await read(index, "team/site")
    assert (found.declared, found.declared.generation) == (whole, 7)
    assert (found.rows, found.status) == ((), {})


async def test_a_workload_that_is_not_in_force_is_none(index: LedIndex) -> None:
    assert await index.workloads.snapshot("default/never") is None
    await index.mirror.write(declare(remove_workloads=[APP]), stale_after=STALE_AFTER)
    assert await index.workloads.snapshot(APP) is None


async def test_the_time_is_postgresqls_own_and_that_of_the_last_complete_pass(index: LedIndex, sql: Sql) -> None:
    ((as_of,),) = sql("SELECT last_complete_pass_at FROM tinyforge.hosts WHERE name = %s", HOST)
    found = await read(index)
    ((now,),) = sql("SELECT now()")
    assert found.host.as_of == as_of
    assert as_of <= found.now <= now


async def test_its_rows_are_read_in_order_with_what_a_plugin_is_shown(index: LedIndex) -> None:
    rows = [row(f"{APP}:web", port=8080, image_ref="web:2"), row(f"{APP}:db", state="stopped"), row("other/app:web")]
    await index.containers.complete(complete(new(*rows)))
    assert (await read(index)).rows == (
        CountedRow(row=f"{APP}:db", container_id=f"container of {APP}:db", role="db", image="image:1", state="stopped", port=80),
        CountedRow(row=f"{APP}:web", container_id=f"container of {APP}:web", role="web", image="web:2", state="running", port=8080),
    )


GONE = row(f"{APP}:web:2", role="web", state=MISSING)
COUNTED: dict[str, tuple[Sequence[Row], set[str]]] = {
    "what is present, in whatever state": (
        [row(f"{APP}:{state}", state=state) for state in ("running", "stopped", "paused", "on fire")],
        {f"{APP}:{state}" for state in ("running", "stopped", "paused", "on fire")},
    ),
    "not what was created before its container": ([row(f"{APP}:early", container_id="", state="failed", seen=False)], set()),
    "not what docker compose run left": ([row(f"{APP}:c1", container_id="c1", role="web")], set()),
    "a container of its own row without a role": ([row(f"{APP}:c1", container_id="c1", role="")], {f"{APP}:c1"}),
    "what is missing where nothing took its place": ([GONE, row(f"{APP}:db")], {GONE.id, f"{APP}:db"}),
    "not what a scale-down left": ([GONE, row(f"{APP}:web")], {f"{APP}:web"}),
    "a service whose last containers are missing": ([GONE, row(f"{APP}:web", state=MISSING)], {GONE.id, f"{APP}:web"}),
    "what is missing although its service was run once by hand": ([GONE, row(f"{APP}:c1", container_id="c1", role="web")], {GONE.id}),
    "not what was run once by hand and is missing": ([row(f"{APP}:c1", container_id="c1", role="web", state=MISSING)], set()),
    "what is missing although another workload has its role": ([GONE, row("other/app:web", role="web")], {GONE.id}),
    "what is missing although its place is only prepared": ([GONE, row(f"{APP}:web", container_id="", seen=False)], {GONE.id}),
}


@pytest.mark.parametrize("what", COUNTED)
async def test_counted_is(what: str, index: LedIndex, sql: Sql) -> None:
    rows, expected = COUNTED[what]
    for it in rows:
        insert(sql, it)
    assert {it.row for it in (await read(index)).rows} == expected == counted(rows)


ROWS = st.builds(
    lambda number, workload, name, role, state, bound: row(
        f"{workload}:{f'c{number}' if name == 'own' else f'{name}:{number}'}",
        role=role,
        state=state,
        container_id=f"c{number}" if bound else "",
    ),
    st.integers(0, 5),
    st.sampled_from([APP, "other/app"]),
    st.sampled_from(["own", "web"]),
    st.sampled_from(["", "web", "db"]),
    st.sampled_from(["running", "stopped", MISSING]),
    st.booleans(),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(ROWS, max_size=8, unique_by=(lambda it: it.id, lambda it: it.container_id or it.id)))
async def test_what_is_counted_is_what_the_design_says(rows: list[Row], index: LedIndex, sql: Sql) -> None:
    sql("TRUNCATE tinyforge.containers")
    for it in rows:
        insert(sql, it)
    found = (await read(index)).rows
    assert {it.row for it in found} == counted([it for it in rows if it.workload_id == APP])
    assert [it.row for it in found] == [
        id_ for (id_,) in sql("SELECT id FROM tinyforge.counted_containers WHERE workload_id = %s ORDER BY id", APP)
    ]


@pytest.mark.parametrize("why", UNKNOWN)
async def test_t1_of_a_host_that_cannot_be_vouched_for_it_says_why_and_every_row_is_unknown(why: str, index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(row(f"{APP}:web"), row(f"{APP}:db", state=MISSING))))
    sql(UNKNOWN[why])
    found = await read(index)
    assert found.host.why_unknown == why
    assert [it.state for it in found.rows] == ["unknown", "unknown"]
    assert sql("SELECT DISTINCT reason FROM tinyforge.container_status") == [(why,)], "the view people read says the same"


async def test_t1_a_host_that_answers_is_vouched_for_until_its_last_complete_pass_is_too_old(index: LedIndex, sql: Sql) -> None:
    assert (await read(index)).host.why_unknown == ""
    sql("UPDATE tinyforge.hosts SET last_complete_pass_at = now() - stale_after + interval '5 seconds'")
    assert (await read(index)).host.why_unknown == ""
    sql("UPDATE tinyforge.hosts SET last_complete_pass_at = now() - stale_after - interval '1 second'")
    assert (await read(index)).host.why_unknown == "Stale"


async def test_t1_a_state_of_a_newer_program_vouches_for_nothing(index: LedIndex, sql: Sql) -> None:
    sql("UPDATE tinyforge.hosts SET state = 'draining'")
    assert (await read(index)).host.why_unknown == "Stale"


async def test_s5_a_host_that_is_not_there_at_all_is_removed(index: LedIndex, sql: Sql) -> None:
    sql("DELETE FROM tinyforge.hosts")
    assert (await read(index)).host == HostFacts(name=HOST, why_unknown="HostRemoved", message="", as_of=None)


async def test_what_the_last_failed_pass_said_is_told(index: LedIndex) -> None:
    failed = FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message="no whole answer within 20 s")
    await index.containers.fail(failed)
    found = (await read(index)).host
    assert (found.why_unknown, found.message) == ("HostUnreachable", "no whole answer within 20 s")
    await index.containers.complete(complete())
    assert (await read(index)).host.message == ""


async def test_a_status_is_read_as_it_was_written_and_nothing_else_is_touched(index: LedIndex, sql: Sql) -> None:
    others: LiteralString = "SELECT to_jsonb(workloads) - 'status' FROM tinyforge.workloads"
    before = sql(others)
    status = {"conditions": [{"type": "Ready", "status": "True"}], "observedGeneration": 1, "containers": None}
    await index.workloads.write_status(APP, status)
    assert (await read(index)).status == status
    assert sql(others) == before


async def test_a_status_of_a_workload_that_has_gone_is_nobodys(index: LedIndex, sql: Sql) -> None:
    await index.workloads.write_status("default/gone", {"conditions": []})
    assert sql("SELECT id, status FROM tinyforge.workloads") == [(APP, {})]


async def test_a_status_with_what_postgresql_cannot_hold_is_written_without_that(index: LedIndex) -> None:
    await index.workloads.write_status(APP, {"message": "a\0b\ud800"})
    assert (await read(index)).status == {"message": "a\ufffdb\ufffd"}


async def test_p7_who_leads_no_more_writes_no_status(index: LedIndex, database_url: str, sql: Sql) -> None:
    async with lead(database_url):
        with pytest.raises(Fenced):
            await index.workloads.write_status(APP, {"by": "a deposed leader"})
    assert sql("SELECT status FROM tinyforge.workloads") == [({},)]


async def test_a_status_outlives_a_change_of_what_is_declared(index: LedIndex) -> None:
    await index.workloads.write_status(APP, {"observedGeneration": 1})
    await index.mirror.write(declare(replace(workload(), group_id="other")), stale_after=STALE_AFTER)
    found = await read(index)
    assert (found.status, found.declared.group_id, found.declared.generation) == ({"observedGeneration": 1}, "other", 2)


async def test_where_nobody_counts_the_changes_of_a_workload_the_index_does(index: LedIndex, sql: Sql) -> None:
    for generation, group in enumerate(("a", "b", "c"), start=2):
        await index.mirror.write(declare(replace(workload(), group_id=group)), stale_after=STALE_AFTER)
        assert sql(READ) == [(APP, generation)]


async def test_where_somebody_counts_the_index_has_that_number_also_if_it_is_smaller(index: LedIndex, sql: Sql) -> None:
    for generation in (7, 8, 3):
        await index.mirror.write(declare(replace(workload(), generation=generation)), stale_after=STALE_AFTER)
        assert sql(READ) == [(APP, generation)]


async def test_one_write_can_have_both(index: LedIndex, sql: Sql) -> None:
    both = (workload(), replace(workload("default/object"), generation=40), workload("default/new"))
    await index.mirror.write(declare(*both), stale_after=STALE_AFTER)
    assert sql(READ) == [(APP, 2), ("default/new", 1), ("default/object", 40)]


@pytest.mark.parametrize(
    "look", ["EXPLAIN (VERBOSE) TABLE tinyforge.container_status", "EXPLAIN (VERBOSE) TABLE tinyforge.counted_containers"]
)
async def test_the_views_call_no_function_row_by_row(look: LiteralString, index: LedIndex, sql: Sql) -> None:
    plan = "\n".join(line for (line,) in sql(look))
    assert "tinyforge.containers" in plan
    assert "why_unknown(" not in plan
    assert "is_one_off(" not in plan


def counted(rows: Sequence[Row]) -> set[str]:
    """The ids of one workload's rows that count for its status (design: `Workload.status.containers`)."""
    bound = [it for it in rows if it.workload_id == APP and it.container_id and not is_one_off(it)]
    present = {it.role for it in bound if it.state != MISSING}
    return {it.id for it in bound if it.state != MISSING or it.role not in present}


def is_one_off(it: Row) -> bool:
    return it.id == f"{it.workload_id}:{it.container_id}" and it.role != ""


async def read(index: LedIndex, id_: str = APP) -> WorkloadSnapshot:
    found = await index.workloads.snapshot(id_)
    assert found
    return found
