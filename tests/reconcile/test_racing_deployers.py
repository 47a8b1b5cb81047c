"""A pass and a deployer at the same rows at once: neither undoes the other's work, and the pass is right the next time at the latest."""

from collections.abc import Callable

import pytest

from tests.index.examples import HOST
from tests.reconcile.conftest import Passes, Sql
from tests.reconcile.memory_engine import MemoryEngine, container, service
from tests.reconcile.raced_index import RacedIndex
from tinyforge.domain.passes import PassOutcome
from tinyforge.index.led import LedIndex
from tinyforge.ports import IndexUnavailable

CREATE = (
    "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, container_id)"
    " VALUES (%s, 'default/web', 'project', 'local', %s)"
)
ROWS = "SELECT id, container_id, state FROM tinyforge.containers ORDER BY id"


async def test_s6_a_container_created_and_bound_while_the_list_was_under_way_is_not_missing(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine()
    engine.while_listing = lambda: sql(CREATE, "instance-1", "newborn")
    await passes(engine).run()
    assert sql(ROWS) == [("instance-1", "newborn", "")]


async def test_s6_a_row_bound_to_a_newer_container_while_the_list_was_under_way_is_not_missing(passes: Passes, sql: Sql) -> None:
    sql(CREATE, "instance-1", "old")
    engine = MemoryEngine()
    engine.while_listing = lambda: sql("UPDATE tinyforge.containers SET container_id = 'newborn', state = 'created'")
    one = passes(engine)
    await one.run()
    assert sql(ROWS) == [("instance-1", "newborn", "created")]
    engine.while_listing = lambda: None
    await one.run()
    assert sql(ROWS) == [("instance-1", "newborn", "missing")], "by now it had its chance to be seen"


async def test_s6_a_bound_row_that_was_there_before_the_list_is_swept(passes: Passes, sql: Sql) -> None:
    sql(CREATE, "instance-1", "gone")
    await passes(MemoryEngine()).run()
    assert sql(ROWS) == [("instance-1", "gone", "missing")]


async def test_w7_a_row_rebound_between_read_and_write_goes_to_the_container_it_is_bound_to(
    declared: LedIndex, passes: Passes, sql: Sql
) -> None:
    sql(CREATE, "instance-1", "one")
    engine = MemoryEngine(container("one", workload_id="default/web"), container("two", workload_id="default/web", state="exited"))
    raced = RacedIndex(declared.containers, lambda: sql("UPDATE tinyforge.containers SET container_id = 'two'"))
    report = await passes(engine, index=raced).run()
    assert sql(ROWS) == [("instance-1", "two", "stopped")]
    assert (report.outcome, report.matched, report.written) == (PassOutcome.CHANGED, 1, 1)


async def test_w7_a_row_deleted_between_read_and_write_is_not_made_again(declared: LedIndex, passes: Passes, sql: Sql) -> None:
    sql(CREATE, "instance-1", "one")
    engine = MemoryEngine(container("one", workload_id="default/web"))
    raced = RacedIndex(declared.containers, lambda: sql("DELETE FROM tinyforge.containers"))
    assert (await passes(engine, index=raced).run()).ignored == 1
    assert sql(ROWS) == []


async def test_w7_a_row_moved_to_another_host_between_read_and_write_stays_there(declared: LedIndex, passes: Passes, sql: Sql) -> None:
    sql(CREATE, "instance-1", "one")
    engine = MemoryEngine(container("one", workload_id="default/web"))
    raced = RacedIndex(declared.containers, lambda: sql("UPDATE tinyforge.containers SET host = 'other'"))
    assert (await passes(engine, index=raced).run()).ignored == 1
    assert sql("SELECT host, state FROM tinyforge.containers") == [("other", "")]


async def test_w7_a_row_created_between_read_and_write_is_taken_as_it_is(declared: LedIndex, passes: Passes, sql: Sql) -> None:
    create = (
        "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, subdomain) VALUES ('default/app:web', '', '', %s, 'www')"
    )
    for on in (HOST, "other"):
        sql("DELETE FROM tinyforge.containers")
        raced = RacedIndex(declared.containers, lambda on=on: sql(create, on))  # type: ignore[misc] # a default binds the loop's value
        assert (await passes(MemoryEngine(service("web")), index=raced).run()).outcome is PassOutcome.CHANGED
        assert sql("SELECT id, workload_id, host, container_id, state, subdomain FROM tinyforge.containers") == [
            ("default/app:web", "default/app", HOST, "web-1", "running", "www")
        ]


async def test_w7_what_moves_again_is_left_to_the_next_pass_and_everything_else_is_written(
    declared: LedIndex, passes: Passes, sql: Sql
) -> None:
    sql(CREATE, "instance-1", "one")
    engine = MemoryEngine(container("one", workload_id="default/web"), service("web"), service("db"))

    def move() -> None:
        sql("UPDATE tinyforge.containers SET port = port + 1 WHERE id = 'instance-1'")

    one = passes(engine, index=RacedIndex(declared.containers, move, move))
    report = await one.run()
    assert sql(ROWS) == [("default/app:db", "db-1", "running"), ("default/app:web", "web-1", "running"), ("instance-1", "one", "")]
    assert (report.outcome, report.written) == (PassOutcome.CHANGED, 2)
    assert sql("SELECT state, last_complete_pass_at IS NOT NULL FROM tinyforge.hosts") == [("reachable", True)]
    assert (await one.run()).written == 1
    assert sql("SELECT state, port FROM tinyforge.containers WHERE id = 'instance-1'") == [("running", 0)]


async def test_w7_a_pass_that_is_outrun_three_times_writes_nothing_and_says_so(declared: LedIndex, passes: Passes, sql: Sql) -> None:
    sql(CREATE, "instance-1", "one")
    sql(CREATE, "instance-2", "two")
    engine = MemoryEngine(container("one", workload_id="default/web"), container("two", workload_id="default/web"))

    def move(*ids: str) -> Callable[[], object]:
        return lambda: sql("UPDATE tinyforge.containers SET port = port + 1 WHERE id = ANY(%s)", list(ids))

    one = passes(engine, index=RacedIndex(declared.containers, move("instance-1"), move("instance-1"), move("instance-2")))
    with pytest.raises(IndexUnavailable, match="other transactions keep changing the same rows; the next pass tries again"):
        await one.run()
    assert sql("SELECT DISTINCT state FROM tinyforge.containers") == [("",)]
    assert sql("SELECT state FROM tinyforge.hosts") == [("new",)]
    assert (await one.run()).written == 2


async def test_w7_a_container_that_somebody_bound_to_a_row_of_their_own_meanwhile_has_that_row(
    declared: LedIndex, passes: Passes, sql: Sql
) -> None:
    """23P01: two present rows may not carry one container."""
    engine = MemoryEngine(container("one", workload_id="default/app", role="web"))
    raced = RacedIndex(declared.containers, lambda: sql(CREATE, "instance-1", "one"))
    assert (await passes(engine, index=raced).run()).written == 1
    assert sql(ROWS) == [("instance-1", "one", "running")]


async def test_w7_s6_a_row_that_rightly_is_anothers_is_left_by_the_next_pass_at_the_latest(
    declared: LedIndex, passes: Passes, sql: Sql
) -> None:
    """A container of Compose has its row by its service, so the row that a deployer bound to it meanwhile is the one that goes."""
    one = passes(MemoryEngine(service("web")), index=RacedIndex(declared.containers, lambda: sql(CREATE, "instance-1", "web-1")))
    await one.run()
    assert sql(ROWS) == [("instance-1", "web-1", "")]
    await one.run()
    assert sql(ROWS) == [("default/app:web", "web-1", "running"), ("instance-1", "web-1", "missing")]


async def test_w7_two_containers_that_swap_their_rows_are_written_in_one_pass(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("web", id_="one"), service("db", id_="two"))
    one = passes(engine)
    await one.run()
    engine.has = [service("web", id_="two"), service("db", id_="one")]
    assert (await one.run()).written == 2
    assert sql(ROWS) == [("default/app:db", "one", "running"), ("default/app:web", "two", "running")]
