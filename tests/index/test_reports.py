"""What people are shown: the rows as the view has them, the hosts that matter, and each workload with the containers that count for it."""

import psycopg
import pytest

from tests.index.conftest import Open, Sql
from tests.index.examples import ENGINE, HOST, STALE_AFTER, complete, declare, host, new, row, workload
from tests.index.test_pass_write import insert
from tests.index.test_schema import CONTAINER_STATUS
from tinyforge.domain.hosts import HostState
from tinyforge.domain.rows import MISSING
from tinyforge.index.led import LedIndex
from tinyforge.index.reports import ContainerFilter, Reports
from tinyforge.ports import FailedPass


@pytest.fixture
async def reports(database_url: str, opened: Open) -> Reports:
    return Reports(await opened(database_url))


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ContainerFilter(), ["default/app:web", "default/app:worker", "other/shop:web"]),
        (ContainerFilter(workload="default/app"), ["default/app:web", "default/app:worker"]),
        (ContainerFilter(host="other"), ["other/shop:web"]),
        (ContainerFilter(state="stopped"), ["default/app:worker"]),
        (ContainerFilter(state="unknown"), ["other/shop:web"]),
        (ContainerFilter(state="unknown", host=HOST), []),
        (ContainerFilter(workload="\udcff\0"), []),
    ],
)
async def test_containers_are_shown_by_workload_and_filtered_by_what_is_true_of_them(
    wanted: ContainerFilter, found: list[str], reports: Reports, index: LedIndex
) -> None:
    await index.mirror.write(declare(host("other")), stale_after=STALE_AFTER)
    await index.containers.complete(complete(new(row("default/app:web"), row("default/app:worker", state="stopped"))))
    await index.containers.complete(complete(new(row("other/shop:web", host="other")), host="other"))
    await index.containers.fail(FailedPass(host="other", state=HostState.UNREACHABLE, reason="Timeout", message=""))
    rows = await reports.containers(wanted)
    assert [it["id"] for it in rows] == found
    assert all(list(it) == [name for name, _ in CONTAINER_STATUS] for it in rows)


async def test_hosts_are_shown_with_what_their_last_pass_found(reports: Reports, index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(listed=5, matched=3, identity=ENGINE))
    (shown,) = await reports.hosts()
    assert {name: shown[name] for name in ("name", "state", "engine_id", "engine_version", "listed", "matched", "stale", "removed_at")} == {
        "name": HOST,
        "state": "reachable",
        "engine_id": ENGINE.engine_id,
        "engine_version": ENGINE.version,
        "listed": 5,
        "matched": 3,
        "stale": False,
        "removed_at": None,
    }
    sql("UPDATE tinyforge.hosts SET last_complete_pass_at = now() - stale_after - interval '1 second'")
    assert [it["stale"] for it in await reports.hosts()] == [True]


async def test_a_removed_host_is_shown_for_as_long_as_it_has_rows(reports: Reports, index: LedIndex, sql: Sql) -> None:
    insert(sql, row())
    await index.mirror.write(declare(remove_hosts=[HOST]), stale_after=STALE_AFTER)
    assert [(it["name"], it["state"]) for it in await reports.hosts()] == [(HOST, "removed")]
    sql("DELETE FROM tinyforge.containers")
    assert await reports.hosts() == []


async def test_workloads_are_shown_with_the_states_of_their_counted_containers(reports: Reports, index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(workload(), workload("default/empty")), stale_after=STALE_AFTER)
    await index.containers.complete(complete())
    for it in (
        row("default/app:web"),
        row("default/app:web:2", role="web", state="stopped"),
        row("default/app:gone", state=MISSING),
        row("default/app:web:3", role="web", state=MISSING),  # the scar of a scale-down
        row("default/app:oneoff", container_id="f00", state="stopped"),
        row("default/app:pre-created", container_id="", state=""),
    ):
        insert(sql, it)
    sql("UPDATE tinyforge.containers SET id = 'default/app:f00' WHERE role = 'oneoff'")
    shown = {it["id"]: sorted(it["states"]) for it in await reports.workloads()}
    assert shown == {"default/app": ["missing", "running", "stopped"], "default/empty": []}


async def test_a_workload_of_a_host_that_does_not_answer_has_only_unknown_containers(reports: Reports, index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(workload()), stale_after=STALE_AFTER)
    insert(sql, row("default/app:web"))
    insert(sql, row("default/app:gone", state=MISSING))
    await index.containers.fail(FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message=""))
    assert [sorted(it["states"]) for it in await reports.workloads()] == [["unknown", "unknown"]]


async def test_reports_need_no_leader_and_no_right_to_write(database_url: str, opened: Open, sql: Sql) -> None:
    reports = Reports(await opened(psycopg.conninfo.make_conninfo(database_url, options="-c default_transaction_read_only=on")))
    assert await reports.containers(ContainerFilter()) == await reports.hosts() == await reports.workloads() == []
    assert (await reports.leader()).epoch == 0
    assert (await reports.schema()).usable
