"""A term from its beginning to its end: what comes after what, what is answered at once, and what ends it."""

import asyncio
import logging
import time
from typing import Any

import pytest

from tests.index.conftest import Sql
from tests.index.examples import host as one_host
from tests.index.waiting import until
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.memory_workloads import declared
from tests.reconcile.stand_ins import HeldEngine
from tests.reconcile.terms import Term
from tinyforge.domain.hosts import Host
from tinyforge.index.led import LedIndex, lead
from tinyforge.plugin import Failed, Seen, Unchanged
from tinyforge.ports import EngineError, EngineReason, Fenced, IndexUnavailable

SHOP, BLOG = "default/shop", "default/blog"
BUSY = Failed(reason="Busy", message="it is busy: wait", retry_after=0)
SOON = 5.0
"""Seconds that a second may take on a busy machine; every hang in these tests lasts longer."""


def host(name: str = "local", **changes: Any) -> Host:
    return one_host(name, **({"allowed_namespaces": ("*",)} | changes))


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


async def test_d1_p5_a_plugin_that_hangs_delays_no_other_workload_no_pass_and_no_stop(index: LedIndex) -> None:
    engine = MemoryEngine(service("web", project="tinyforge-default_shop"))
    term = Term(index, host(), declared(), declared(BLOG))
    term.engines["local"] = engine
    began = asyncio.Event()

    def hanging(seen: Seen[Any]) -> object:
        if seen.workload.id == SHOP:
            return Unchanged()
        began.set()
        return asyncio.sleep(3600)

    term.source.reconciles = hanging
    async with term.led(dispatch_timeout=3600) as running:
        await began.wait()
        await term.until_ready(SHOP, "True Running")
        engine.has = []
        await term.leading.timed_pass("local")
        await term.until_ready(SHOP, "False NotRunning")
        asked = time.monotonic()
        running.cancel()
        await asyncio.wait([running])
        assert time.monotonic() - asked < SOON
    assert [dispatch for id_, _, dispatch in term.notes.statuses if id_ == BLOG and dispatch] == []


async def test_p5_a_stop_ends_hosts_that_hang_and_closes_them(index: LedIndex) -> None:
    term = Term(index, *(host(f"h{number}") for number in range(50)))
    term.make_engine = HeldEngine
    async with term.led() as running:
        await until(lambda: len(term.engines) == 50 and all(it.at_once for it in held(term)))
        asked = time.monotonic()
        running.cancel()
        await asyncio.wait([running])
        assert time.monotonic() - asked < SOON
        assert {it.at_once for it in held(term)} == {0}


async def test_p7_a_term_that_is_over_ends_with_the_one_who_took_over(index: LedIndex, database_url: str) -> None:
    term = Term(index, host(), declared())
    term.engines["local"] = HeldEngine()
    async with term.led() as running:
        await until(lambda: len(term.notes.states) == 1)
        async with lead(database_url) as other:
            async with asyncio.timeout(SOON):
                await asyncio.wait([running])
            assert running.done()
            error = running.exception()
            assert isinstance(error, Fenced)
            assert other.term.holder in str(error)


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


async def test_nothing_is_remembered_of_workloads_and_hosts_that_have_gone(index: LedIndex) -> None:
    hosts = [host(f"h{number}") for number in range(20)]
    workloads = [declared(f"default/w{number}", host=f"h{number}") for number in range(20)]
    term = Term(index, *hosts, *workloads)
    async with term.led():
        await until(lambda: {id_ for id_, *_ in term.notes.statuses} == {it.key.id for it in workloads})
        term.declarer.declare(hosts[0], workloads[0])
        await until(lambda: set(term.notes.states[-1].workloads) == {"default/w0"})
        term.declarer.declare(hosts[0], workloads[0], host("last"))
        await until(lambda: set(term.notes.states[-1].hosts) == {"h0", "last"})
        leading = term.leading
        await until(lambda: set(leading._standing.known) == {"h0", "last"})
        assert set(leading._turns.known) == {"default/w0"}
        assert set(leading._hosts.by_name) == {"h0", "last"}
        assert len(leading._teardowns._tasks) == 0


async def test_what_is_no_longer_declared_is_taken_down_before_it_is_out_of_force(index: LedIndex, sql: Sql) -> None:
    term = Term(index, host(), declared())
    may_go, stored = asyncio.Event(), []

    async def taking_down(_: object) -> Unchanged:
        await may_go.wait()
        stored.extend(sql("SELECT id FROM tinyforge.workloads"))
        return Unchanged()

    term.source.tears_down = taking_down
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        term.declarer.declare(host())
        out = asyncio.create_task(term.until_out_of_force(workload=SHOP))
        await until(lambda: "teardown" in term.source.calls)
        tick = asyncio.create_task(term.leading.timed_turn(SHOP))
        await asyncio.sleep(0.01)
        assert not out.done()
        may_go.set()
        async with asyncio.timeout(SOON):
            await asyncio.gather(tick, out)
    assert term.source.calls[-1] == "teardown", "nothing was put up again"
    assert stored == [(SHOP,)]
    assert sql("SELECT id FROM tinyforge.workloads") == []
    assert term.source.calls.count("teardown") == 1


async def test_fault_31_what_was_deleted_while_nobody_led_is_taken_down_though_its_host_is_away(index: LedIndex) -> None:
    engine = HeldEngine()
    engine.let_go.set()
    earlier, later = Term(index, host(), declared()), Term(index, host())
    earlier.engines["local"] = later.engines["local"] = engine
    async with earlier.led():
        await earlier.until_ready(SHOP, "False NoContainers")
    engine.let_go.clear()
    async with later.led(), asyncio.timeout(SOON):
        await later.until_out_of_force(workload=SHOP)
    assert later.source.calls == ["teardown"]


async def test_a_host_and_its_workloads_that_go_together_go_when_the_workloads_are_taken_down(index: LedIndex) -> None:
    term = Term(index, host(), declared(), declared(BLOG))
    term.source.tears_down = lambda seen: BUSY if seen.workload.id == BLOG else Unchanged()
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        term.declarer.declare()
        async with asyncio.timeout(SOON):
            await term.until_out_of_force(host="local")
        assert term.notes.states[-1].workloads == {}
    assert sorted(term.source.calls[-2:]) == ["teardown", "teardown"]


async def test_a_workload_that_is_declared_again_while_it_is_taken_down_stays_and_goes_on(index: LedIndex) -> None:
    term = Term(index, host(), declared())
    term.source.tears_down = lambda _: asyncio.sleep(3600)
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        term.declarer.declare(host())
        await until(lambda: "teardown" in term.source.calls)
        term.declarer.declare(host(), declared())

        await until(lambda: len(term.notes.states) >= 3)
        term.source.calls.clear()
        await term.leading.timed_turn(SHOP)
        assert term.source.calls == ["reconcile"]
        assert set(term.notes.states[-1].workloads) == {SHOP}


async def test_one_that_cannot_be_taken_down_is_held_and_says_so_and_the_others_go(index: LedIndex) -> None:
    term = Term(index, host(), declared(), declared(BLOG))
    term.source.tears_down = lambda seen: BUSY if seen.workload.id == SHOP else Unchanged()
    async with term.led():
        await term.until_ready(BLOG, "False NoContainers")
        term.declarer.declare(host())
        await term.until_ready(SHOP, "False Busy")
        await term.until_out_of_force(workload=BLOG)
        assert set(term.notes.states[-1].workloads) == {SHOP}


async def test_what_was_never_in_force_is_out_of_it_and_a_host_leaves_by_itself(index: LedIndex) -> None:
    term = Term(index, host(), host("b"), declared(host="b", source_kind=""))
    async with term.led():
        async with asyncio.timeout(SOON):
            await term.until_out_of_force(workload="default/never", host="never")
        out = asyncio.create_task(term.until_out_of_force(host="b"))
        await until(lambda: len(term.notes.states) == 1)
        assert not out.done()
        term.declarer.declare(host())
        async with asyncio.timeout(SOON):
            await out


async def test_who_waits_for_something_to_go_is_let_off_when_nobody_needs_to_know_any_more(index: LedIndex) -> None:
    term = Term(index, host(), declared())
    term.source.tears_down = BUSY
    needless = False
    async with term.led():
        await until(lambda: len(term.notes.states) == 1)
        waiting = asyncio.create_task(term.leading.until_out_of_force(workload=SHOP, unless=lambda: needless))
        await asyncio.sleep(0.01)
        assert not waiting.done()
        needless = True
        term.declarer.declare(host(), host("b"), declared())
        async with asyncio.timeout(SOON):
            await waiting
        assert set(term.notes.states[-1].workloads) == {SHOP}


async def test_p5_a_driver_is_told_that_the_term_is_over_before_what_is_under_way_has_ended(index: LedIndex) -> None:
    term = Term(index, host())
    engine = HeldEngine()
    term.engines["local"] = engine
    under_way: list[int] = []
    term.notes.over = lambda: under_way.append(engine.at_once)  # type: ignore[method-assign] # it looks, too
    async with term.led():
        await engine.asked.acquire()
    assert under_way == [1]
    assert engine.at_once == 0


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


def held(term: Term) -> list[HeldEngine]:
    return [engine for engine in term.engines.values() if isinstance(engine, HeldEngine)]
