"""What one pass makes of a list, on a real PostgreSQL; the engine is in memory (see memory_engine.py)."""

import random
from typing import Any

import pytest
from msgspec.structs import replace

from tests.index.examples import HOST, STALE_AFTER, declare, host, workload
from tests.reconcile.conftest import Passes, Sql
from tests.reconcile.memory_engine import MemoryEngine, container, service
from tinyforge.domain.containers import Container, Port
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.index.leadership import Identity, claim
from tinyforge.index.led import LedIndex
from tinyforge.ports import EngineError, EngineReason, Fenced

STATUS = "SELECT id, effective_state, reason FROM tinyforge.container_status ORDER BY id"
STORED = "SELECT ctid, xmin, to_jsonb(it)::text FROM tinyforge.containers AS it ORDER BY id"


async def test_p1_one_list_makes_a_row_of_every_managed_container_running_or_stopped(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(
        service("db"),
        service("web", state="exited"),
        container("home", static_site="home"),
        container("nobodys"),
    )
    report = await passes(engine).run()
    assert engine.asked == ["containers", "identity"]
    assert sql(STATUS) == [("default/app:db", "running", ""), ("default/app:web", "stopped", ""), ("default/site:site", "running", "")]
    assert counts(report) == {"outcome": PassOutcome.CHANGED, "listed": 4, "matched": 3, "ignored": 1, "written": 3, "missing": 0}
    assert 0 < report.duration_seconds < 5


async def test_w3_a_row_holds_what_docker_says_of_its_container(passes: Passes, sql: Sql) -> None:
    it = service("web", id_="c1", image="registry.example/app@sha256:1", state="paused")
    await passes(MemoryEngine(with_ports(it, 8080, 80, 443))).run()
    assert sql(
        "SELECT id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port FROM tinyforge.containers"
    ) == [("default/app:web", "default/app", "stack", "web", "c1", "registry.example/app@sha256:1", HOST, "paused", "", 80)]


async def test_p8_p9_the_same_list_in_any_order_writes_no_row_again(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(*(with_ports(service(f"s{number}"), number + 2, number + 1) for number in range(30)))
    one = passes(engine)
    await one.run()
    before = sql(STORED)
    for turn in range(3):
        random.Random(turn).shuffle(engine.has)  # noqa: S311 - an order to repeat, no secret
        engine.has = [with_ports(it, *[port.private for port in it.ports or ()][::-1]) for it in engine.has]
        assert counts(await one.run()) == {
            "outcome": PassOutcome.UNCHANGED,
            "listed": 30,
            "matched": 30,
            "ignored": 0,
            "written": 0,
            "missing": 0,
        }
    assert sql(STORED) == before


async def test_p8_a_steady_pass_costs_a_kilobyte_of_wal_at_most(passes: Passes, sql: Sql) -> None:
    one = passes(MemoryEngine(*(service(f"s{number}") for number in range(100))))
    await one.run()
    costs = []
    for _ in range(9):
        ((before,),) = sql("SELECT pg_current_wal_insert_lsn() - '0/0'")
        await one.run()
        ((after,),) = sql("SELECT pg_current_wal_insert_lsn() - '0/0'")
        costs.append(after - before)
    assert sorted(costs)[5] <= 1024, costs  # the first ones after a checkpoint hold whole pages


@pytest.mark.parametrize("reason", [EngineReason.TIMEOUT, EngineReason.ANSWER_UNREADABLE, EngineReason.ANSWER_TOO_LARGE])
async def test_p4_a_failed_list_writes_and_sweeps_nothing_and_makes_the_host_unreachable_with_its_reason(
    reason: EngineReason, passes: Passes, sql: Sql
) -> None:
    engine = MemoryEngine(service("web"))
    one = passes(engine)
    await one.run()
    before = sql(STORED)
    engine.has, engine.failure = [], EngineError(reason, "no answer")
    report = await one.run()
    assert (report.outcome, report.reason, report.message) == (PassOutcome.FAILED, reason, "no answer")
    assert sql(STORED) == before
    assert sql(STATUS) == [("default/app:web", "unknown", "HostUnreachable")]
    assert sql("SELECT state_reason, state_message FROM tinyforge.hosts") == [(reason, "no answer")]
    assert sql("SELECT last_pass_at > last_complete_pass_at FROM tinyforge.hosts") == [(True,)]
    engine.has, engine.failure = [service("web")], None
    assert (await one.run()).outcome is PassOutcome.UNCHANGED
    assert sql(STATUS) == [("default/app:web", "running", "")]


async def test_p4_s1_an_honest_empty_list_sweeps_everything_that_is_bound(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("db"), service("web"))
    one = passes(engine)
    await one.run()
    sql("INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES ('pre-created', 'default/web', 'project', 'local')")
    engine.has = []
    assert counts(await one.run()) == {"outcome": PassOutcome.CHANGED, "listed": 0, "matched": 0, "ignored": 0, "written": 2, "missing": 2}
    gone = "missing", "ContainerGone"
    assert sql(STATUS) == [("default/app:db", *gone), ("default/app:web", *gone), ("pre-created", "", "")]


async def test_s2_s3_a_list_of_one_host_says_nothing_of_anothers_rows_and_no_row_is_ever_deleted(
    declared: LedIndex, passes: Passes, sql: Sql
) -> None:
    other = host("other")
    await declared.mirror.write(declare(other, workload("default/shop", on="other")), stale_after=STALE_AFTER)
    await passes(MemoryEngine(service("web", project="tinyforge-default_shop")), of=other).run()
    engine = MemoryEngine(service("db"))
    one = passes(engine)
    await one.run()
    engine.has = []
    for _ in range(3):
        await one.run()
    assert sql(STATUS) == [("default/app:db", "missing", "ContainerGone"), ("default/shop:web", "running", "")]


async def test_s4_a_container_whose_workload_was_removed_leaves_its_row_missing_for_that_reason(
    declared: LedIndex, passes: Passes, sql: Sql
) -> None:
    one = passes(MemoryEngine(service("web")))
    await one.run()
    await declared.mirror.write(declare(remove_workloads=["default/app"]), stale_after=STALE_AFTER)
    assert counts(await one.run()) == {"outcome": PassOutcome.CHANGED, "listed": 1, "matched": 0, "ignored": 1, "written": 1, "missing": 1}
    assert sql(STATUS) == [("default/app:web", "missing", "WorkloadRemoved")]


async def test_s4_a_container_that_is_refused_since_leaves_its_row_missing_for_that_reason(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("web"))
    one = passes(engine)
    await one.run()
    engine.has = [service("web", workload_kind="site")]
    await one.run()
    assert sql(STATUS) == [("default/app:web", "missing", "NotMatched")]


async def test_w6_a_container_that_comes_back_or_is_replaced_leaves_missing_again(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("web", id_="one"))
    one = passes(engine)
    for replacement in ("one", "two"):
        engine.has = []
        await one.run()
        assert sql(STATUS) in ([], [("default/app:web", "missing", "ContainerGone")])
        engine.has = [service("web", id_=replacement)]
        await one.run()
        assert sql("SELECT container_id, state, missing_since FROM tinyforge.containers") == [(replacement, "running", None)]


async def test_m8_w2_a_deployers_row_is_bound_to_its_container_and_keeps_what_is_the_deployers(passes: Passes, sql: Sql) -> None:
    sql(
        "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, container_id, state, subdomain, stage_id)"
        " VALUES ('instance-7', 'default/web', 'project', 'local', 'c7', 'failed', 'www', 'blue')"
    )
    engine = MemoryEngine(container("c7", workload_id="default/web", role="http"))
    one = passes(engine)
    await one.run()
    kept = "SELECT id, role, state, subdomain, stage_id FROM tinyforge.containers"
    assert sql(kept) == [("instance-7", "http", "running", "www", "blue")]
    engine.has = []
    await one.run()
    assert sql(kept) == [("instance-7", "http", "missing", "www", "blue")]


async def test_m8_no_row_is_invented_for_a_project(passes: Passes, sql: Sql) -> None:
    assert (await passes(MemoryEngine(container("c7", workload_id="default/web"))).run()).ignored == 1
    assert sql(STATUS) == []


@pytest.mark.parametrize(
    "labels",
    [
        {"workload_id": "default/nobodys"},
        {"workload_id": "default/nobodys", "compose_project": "tinyforge-default_app", "compose_service": "web"},
        {"workload_id": "default/app", "role": "web", "installation": "00000000-0000-0000-0000-000000000000"},
    ],
)
async def test_fault_37_a_forged_owner_leaves_no_row(labels: dict[str, Any], passes: Passes, sql: Sql) -> None:
    assert (await passes(MemoryEngine(container("forged", **labels))).run()).ignored == 1
    assert sql(STATUS) == []


async def test_m12_a_container_of_this_installation_is_its_own(passes: Passes, sql: Sql) -> None:
    ((installation,),) = sql("SELECT id::text FROM tinyforge.installation")
    await passes(MemoryEngine(container("ours", workload_id="default/app", role="web", installation=installation))).run()
    assert sql(STATUS) == [("default/app:web", "running", "")]


@pytest.mark.parametrize(
    "hostile",
    [
        {"compose_service": "nul\0"},
        {"compose_service": "x" * 1_000_000},
        {"compose_service": "bell\a"},
        {"compose_service": "half \ud800"},
        {"compose_service": "web", "image": "nul\0"},
        {"compose_service": "web", "state": "nul\0"},
    ],
)
async def test_fault_36_a_hostile_container_costs_its_own_row_and_no_others(hostile: dict[str, Any], passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("db"), container("hostile", **{"compose_project": "tinyforge-default_app", **hostile}))
    report = await passes(engine).run()
    assert (report.outcome, report.matched, report.ignored) == (PassOutcome.CHANGED, 1, 1)
    assert sql(STATUS) == [("default/app:db", "running", "")]


@pytest.mark.parametrize("odd", ["'; DROP TABLE tinyforge.containers; --", "__proto__", "%s", "{}", "ünï ✓", "a:b:2", "'", "\\", "x" * 255])
async def test_fault_36_odd_text_is_stored_as_it_is(odd: str, passes: Passes, sql: Sql) -> None:
    one = passes(MemoryEngine(service(odd, id_="c1", image=odd, state=odd)))
    await one.run()
    assert sql("SELECT id, role, image_ref, state FROM tinyforge.containers") == [(f"default/app:{odd}", odd, odd, odd)]
    assert (await one.run()).outcome is PassOutcome.UNCHANGED


async def test_a_suspended_host_is_neither_asked_nor_written(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("web"))
    report = await passes(engine, of=host(suspended=True)).run()
    assert (report.outcome, report.reason) == (PassOutcome.SKIPPED, "HostSuspended")
    assert engine.asked == []
    assert sql("SELECT last_pass_at FROM tinyforge.hosts") == [(None,)]


@pytest.mark.parametrize("failure", [None, EngineError(EngineReason.TIMEOUT, "")])
async def test_p7_a_pass_that_was_overtaken_by_another_leader_writes_nothing(
    failure: EngineError | None, passes: Passes, database_url: str, sql: Sql
) -> None:
    engine = MemoryEngine(service("web"))
    engine.failure = failure
    await claim(database_url, Identity.draw())
    with pytest.raises(Fenced):
        await passes(engine).run()
    assert sql("SELECT count(*), max(last_pass_at) FROM tinyforge.hosts LEFT JOIN tinyforge.containers ON host = name") == [(1, None)]
    assert sql(STATUS) == []


def counts(report: PassReport) -> dict[str, Any]:
    """How a pass ended, in numbers."""
    return {name: getattr(report, name) for name in ("outcome", "listed", "matched", "ignored", "written", "missing")}


def with_ports(it: Container, *ports: int) -> Container:
    """A container that has these ports inside."""
    return replace(it, ports=tuple(Port(private=port) for port in ports))
