"""A term from its beginning on: what comes after what, and what is answered at once."""

import asyncio
import logging

import pytest

from tests.index.conftest import Sql
from tests.index.waiting import until
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.memory_workloads import declared
from tests.reconcile.stand_ins import HeldEngine
from tests.reconcile.terms import BLOG, BUSY, SHOP, Term, host
from tinyforge.index.led import LedIndex
from tinyforge.ports import EngineError, EngineReason, IndexUnavailable


@pytest.fixture
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again every 2 s is tried again every hundredth of one."""
    monkeypatch.setattr("tinyforge.reconcile.until_taken._RETRY_SECONDS", 0.01)


async def test_p1_at_the_start_every_host_is_passed_over_at_once_and_every_workload_has_its_turn(index: LedIndex, sql: Sql) -> None:
    hosts = [host("local"), host("b"), host("c", suspended=True)]
    term = Term(index, *hosts, declared(), declared(BLOG, host="c"))
    term.engines["local"] = MemoryEngine(service("web", project="tinyforge-default_shop"))
    async with term.led():
        await term.until_passed("b", "c", "local")
        await term.until_ready(SHOP, "True Running")
        await term.until_ready(BLOG, "Unknown HostSuspended")
    statuses = sql("SELECT id, status -> 'conditions' -> 0 ->> 'reason' FROM tinyforge.workloads ORDER BY id")
    assert statuses == [(BLOG, "HostSuspended"), (SHOP, "Running")]


async def test_p10_no_pass_and_no_turn_begins_before_the_mirror_is_written(
    index: LedIndex, patience: None, caplog: pytest.LogCaptureFixture
) -> None:
    term = Term(index, host(), declared())
    term.mirror.before = away
    async with term.led():
        timers = [asyncio.create_task(term.leading.timed_pass("local")), asyncio.create_task(term.leading.timed_turn(SHOP))]
        await until(lambda: len(term.mirror.steps) >= 5)
        assert (term.engines, term.source.calls, term.notes.states) == ({}, [], [])
        assert not any(timer.done() for timer in timers)
        term.mirror.before = lambda _: None
        await asyncio.gather(*timers)
        assert term.notes.passed_hosts()[0] == "local"
        await until(lambda: term.source.calls[:1] == ["reconcile"])
    assert caplog.messages.count("what is declared is not mirrored yet: PostgreSQL is away") == 1


async def test_p6_fifty_hosts_that_hang_delay_no_other_from_the_start(index: LedIndex) -> None:
    hung = [host(f"hung-{number}") for number in range(50)]
    term = Term(index, *hung, host(), declared())
    term.make_engine = HeldEngine
    term.engines["local"] = MemoryEngine(service("web", project="tinyforge-default_shop"))
    async with term.led():
        await term.until_ready(SHOP, "True Running")
        assert term.notes.passed_hosts() == ["local"]


async def test_p3_what_is_declared_anew_is_passed_over_at_once_and_nothing_else(index: LedIndex) -> None:
    hosts = [host("a"), host("b")]
    term = Term(index, *hosts)
    async with term.led():
        await term.until_passed("a", "b")
        term.declarer.declare(*hosts, declared(host="a"))
        await term.until_passed("a")
        await until(lambda: term.source.calls == ["reconcile"])
        term.declarer.declare(*hosts, declared(host="b"))
        await term.until_passed("a", "b")
        term.declarer.declare(host("a"), host("b", acknowledged_engine_id="x"), host("c"), declared(host="b"))
        await term.until_passed("b", "c")


async def test_a_workload_that_is_declared_anew_has_its_first_turn_when_a_pass_has_told_of_its_containers(index: LedIndex) -> None:
    engine = HeldEngine()
    engine.there = (service("web", project="tinyforge-default_shop"),)
    engine.let_go.set()
    term = Term(index, host(), declared(BLOG))
    term.engines["local"] = engine
    async with term.led():
        await term.until_ready(BLOG, "False NoContainers")
        engine.let_go.clear()
        term.declarer.declare(host(), declared(BLOG), declared())
        while engine.at_once == 0:  # noqa: ASYNC110 - a list tells nobody that it waits
            await asyncio.sleep(0)
        await term.leading.timed_turn(SHOP)
        assert term.notes.ready(SHOP) == ""
        engine.let_go.set()
        await until(lambda: term.notes.ready(SHOP) != "")
        assert term.notes.ready(SHOP) == "True Running"


async def test_d1_a_pass_that_changed_a_row_dispatches_its_workload_soon_and_no_other(index: LedIndex) -> None:
    engine = MemoryEngine(service("web", project="tinyforge-default_shop"))
    term = Term(index, host(), declared(), declared(BLOG))
    term.engines["local"] = engine
    async with term.led():
        await term.until_ready(SHOP, "True Running")
        await term.until_ready(BLOG, "False NoContainers")
        term.source.seen.clear()
        engine.has = [service("web", project="tinyforge-default_shop", state="exited")]
        await term.leading.timed_pass("local")
        await term.until_ready(SHOP, "False NotRunning")
        await term.leading.timed_pass("local")
        assert [seen.workload.id for seen in term.source.seen] == [SHOP]


async def test_that_a_host_is_away_and_back_shows_in_all_its_workloads_soon(index: LedIndex) -> None:
    engine = MemoryEngine(service("web", project="tinyforge-default_shop"))
    term = Term(index, host(), declared(), declared(BLOG))
    term.engines["local"] = engine
    async with term.led():
        await term.until_ready(SHOP, "True Running")
        engine.failure = EngineError(EngineReason.TIMEOUT, "no whole answer within 20 s")
        await term.leading.timed_pass("local")
        await term.until_ready(SHOP, "Unknown HostUnreachable")
        await term.until_ready(BLOG, "Unknown HostUnreachable")
        engine.failure = None
        await term.leading.timed_pass("local")
        await term.until_ready(SHOP, "True Running")
        await term.until_ready(BLOG, "False NoContainers")


async def test_a_thousand_changes_one_after_another_are_few_writes(index: LedIndex) -> None:
    term = Term(index, host())
    thousand = [declared(f"default/w{number}", source_kind="") for number in range(1000)]
    async with term.led():
        await until(lambda: len(term.notes.states) == 1)
        for number in range(1, 1001):
            term.declarer.declare(host(), *thousand[:number])
            await asyncio.sleep(0)
        await until(lambda: len(term.notes.states[-1].workloads) == 1000)
        assert term.mirror.steps.count("write") < 50
        await until(lambda: len({id_ for id_, *_ in term.notes.statuses}) == 1000)


async def test_a_change_while_postgresql_is_away_comes_into_force_when_it_is_back(
    index: LedIndex, patience: None, caplog: pytest.LogCaptureFixture
) -> None:
    term = Term(index, host())
    async with term.led():
        await until(lambda: len(term.notes.states) == 1)
        term.mirror.before = away
        term.declarer.declare(host(), declared())
        await until(lambda: "what is declared is not mirrored yet: PostgreSQL is away" in caplog.messages)
        term.declarer.declare(host(), declared(), declared(BLOG))
        term.mirror.before = lambda _: None
        await term.until_ready(BLOG, "False NoContainers")
        await term.until_ready(SHOP, "False NoContainers")


async def test_a_timer_that_is_silent_is_found_and_one_that_ticks_is_not(index: LedIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    term = Term(index, host(), declared())
    now = 1000.0

    class Clock:
        @staticmethod
        def monotonic() -> float:
            return now

    monkeypatch.setattr("tinyforge.reconcile.beats.time", Clock)
    async with term.led(interval=30):
        await term.until_ready(SHOP, "False NoContainers")
        assert term.leading.beats.silent() == []
        now += 91
        await term.leading.timed_pass("local")
        assert term.leading.beats.silent() == [f"workload {SHOP}"]
        await term.leading.timed_turn(SHOP)
        assert term.leading.beats.silent() == []
        now += 91
        term.declarer.declare(host(), declared(generation=2))
        await until(lambda: term.source.calls[-1] == "reconcile" and len(term.notes.states) == 2)
        assert term.leading.beats.silent() == ["host local", f"workload {SHOP}"], "what was not its timer is no sign of it"


async def test_housekeeping_that_fails_is_said_and_ends_nothing(index: LedIndex, caplog: pytest.LogCaptureFixture) -> None:
    term = Term(index, host())

    class Failing:
        async def prune(self, *, retention: float) -> list[str]:
            raise IndexUnavailable("PostgreSQL is away")

    term.index = term.index.__class__(**{name: getattr(term.index, name) for name in term.index.__slots__} | {"housekeeping": Failing()})
    async with term.led() as running:
        await until(lambda: "housekeeping postponed: PostgreSQL is away" in caplog.messages)
        assert not running.done()


async def test_d3_every_line_of_a_dispatch_names_workload_host_and_reason(index: LedIndex, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="tinyforge")
    term = Term(index, host(), declared())
    term.source.reconciles = BUSY
    async with term.led():
        await term.until_ready(SHOP, "False Busy")
    (line,) = (record for record in caplog.records if "dispatch failed" in record.getMessage())
    assert vars(line).items() >= {"workload": SHOP, "host": "local", "reason": "Busy", "trace_id": ""}.items()


def away(_: str) -> None:
    raise IndexUnavailable("PostgreSQL is away")
