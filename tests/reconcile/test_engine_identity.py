"""Nobody's rows are swept by a mistake in an address: a host's rows are of one engine, and another one has to be acknowledged."""

from dataclasses import replace

import pytest

from tests.index.examples import ENGINE, host
from tests.reconcile.conftest import Passes, Sql
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.raced_index import RacedIndex
from tinyforge.domain.passes import PassOutcome
from tinyforge.index.led import LedIndex
from tinyforge.ports import EngineError, EngineReason
from tinyforge.reconcile.index_pass import IndexPass

ANOTHER = replace(ENGINE, engine_id="engine-2", version="29.0.0")
STATUS = "SELECT id, effective_state, reason FROM tinyforge.container_status ORDER BY id"
PINNED = "SELECT engine_id, engine_version, state FROM tinyforge.hosts"
SERVICES = ("a", "b", "c", "d")


async def test_an_engine_is_pinned_at_first_sight_and_then_trusted(passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("web"))
    one = passes(engine)
    for _ in range(3):
        await one.run()
    assert sql(PINNED) == [("engine-1", "28.0.0", "reachable")]
    assert engine.asked == ["containers", "identity", "containers", "containers"]


async def test_a_new_process_asks_again(passes: Passes, sql: Sql) -> None:
    await passes(MemoryEngine(service("web"))).run()
    updated = MemoryEngine(service("web"), identity=replace(ENGINE, version="28.1.0"))
    await passes(updated).run()
    assert sql(PINNED) == [("engine-1", "28.1.0", "reachable")]


async def test_fault_26_another_engine_stops_the_passes_and_nothing_is_swept(passes: Passes, sql: Sql) -> None:
    await passes(MemoryEngine(service("web"))).run()
    before = sql("SELECT ctid, xmin FROM tinyforge.containers")
    one = passes(MemoryEngine(service("other"), identity=ANOTHER))
    reports = [await one.run(), await one.run()]
    assert [(it.outcome, it.reason) for it in reports] == [(PassOutcome.FAILED, "EngineChanged")] * 2
    assert '"engine-2" answers at unix:///var/run/docker.sock' in reports[0].message
    assert 'the rows are of engine "engine-1"' in reports[0].message
    assert "set spec.acknowledgedEngineID to the new id" in reports[0].message
    assert sql("SELECT ctid, xmin FROM tinyforge.containers") == before
    assert sql(STATUS) == [("default/app:web", "unknown", "EngineChanged")]
    assert sql(PINNED) == [("engine-1", "28.0.0", "engine_changed")]


async def test_fault_26_an_acknowledged_engine_goes_on_in_place_of_the_old_one_and_is_pinned(passes: Passes, sql: Sql) -> None:
    await passes(MemoryEngine(service("web"))).run()
    await passes(MemoryEngine(service("other"), identity=ANOTHER), of=host(acknowledged_engine_id="engine-2")).run()
    assert sql(PINNED) == [("engine-2", "29.0.0", "reachable")]
    assert sql(STATUS) == [("default/app:other", "running", ""), ("default/app:web", "missing", "ContainerGone")]


async def test_fault_26_what_was_acknowledged_long_ago_lets_no_third_engine_in(passes: Passes, sql: Sql) -> None:
    acknowledging = host(acknowledged_engine_id="engine-2")
    await passes(MemoryEngine(service("web"), identity=ANOTHER), of=acknowledging).run()
    report = await passes(MemoryEngine(identity=replace(ENGINE, engine_id="engine-3")), of=acknowledging).run()
    assert report.reason == "EngineChanged"


async def test_fault_26_the_old_engine_back_in_its_place_goes_on(passes: Passes, sql: Sql) -> None:
    await passes(MemoryEngine(service("web"))).run()
    engine = MemoryEngine(identity=ANOTHER)
    one = passes(engine)
    await one.run()
    engine.has, engine.who = [service("web")], ENGINE
    assert (await one.run()).outcome is PassOutcome.UNCHANGED
    assert sql(STATUS) == [("default/app:web", "running", "")]


async def test_s2_a_sweep_of_more_than_half_asks_the_engine_who_it_is_first(passes: Passes, sql: Sql) -> None:
    engine, one = await settled(passes)
    engine.has, engine.who = [service("a")], ANOTHER
    assert (await one.run()).reason == "EngineChanged"
    assert [state for _, state, _ in sql(STATUS)] == ["unknown"] * 4


async def test_s2_a_sweep_of_more_than_half_by_the_same_engine_is_made(passes: Passes, sql: Sql) -> None:
    engine, one = await settled(passes)
    engine.has = [service("a")]
    assert (await one.run()).missing == 3
    assert engine.asked == ["containers", "identity"]


async def test_a_sweep_of_half_trusts_the_engine(passes: Passes) -> None:
    engine, one = await settled(passes)
    engine.has = [service("a"), service("b")]
    assert (await one.run()).missing == 2
    assert engine.asked == ["containers"]


async def test_after_a_failed_pass_the_engine_is_asked_again(passes: Passes) -> None:
    engine, one = await settled(passes)
    engine.failure = EngineError(EngineReason.CONNECT_FAILED, "")
    await one.run()
    engine.failure, engine.who = None, ANOTHER
    assert (await one.run()).reason == "EngineChanged"


async def test_with_new_credentials_the_engine_is_asked_again(passes: Passes) -> None:
    engine, one = await settled(passes)
    engine.generation, engine.who = 1, ANOTHER
    assert (await one.run()).reason == "EngineChanged"


async def test_with_credentials_that_were_read_anew_while_a_pass_wrote_the_next_one_asks(declared: LedIndex, passes: Passes) -> None:
    """Somebody else may use the engine meanwhile: `explain` does."""
    engine = MemoryEngine(service("web"))

    def rotate() -> None:
        engine.generation, engine.who = 1, ANOTHER

    one = passes(engine, index=RacedIndex(declared.containers, lambda: None, rotate))
    await one.run()
    assert (await one.run()).outcome is PassOutcome.UNCHANGED
    assert (await one.run()).reason == "EngineChanged"


@pytest.mark.parametrize("reason", [EngineReason.TIMEOUT, EngineReason.PERMISSION_DENIED])
async def test_an_engine_that_does_not_say_who_it_is_fails_the_pass(reason: EngineReason, passes: Passes, sql: Sql) -> None:
    engine = MemoryEngine(service("web"))
    one = passes(engine)

    async def refuse() -> None:
        raise EngineError(reason, "no /info")

    engine.identity = refuse  # type: ignore[method-assign, assignment] # the one thing it does not answer
    report = await one.run()
    assert (report.outcome, report.reason) == (PassOutcome.FAILED, reason)
    assert sql(STATUS) == []


async def settled(passes: Passes) -> tuple[MemoryEngine, IndexPass]:
    """An engine that is known and trusted, with four rows of its own."""
    engine = MemoryEngine(*(service(name) for name in SERVICES))
    one = passes(engine)
    await one.run()
    engine.asked.clear()
    return engine, one
