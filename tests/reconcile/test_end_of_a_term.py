"""The end of a term: whatever hangs, it comes soon, and nothing is left behind."""

import asyncio
import time
from typing import Any

from tests.index.waiting import until
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.memory_workloads import declared
from tests.reconcile.stand_ins import HeldEngine
from tests.reconcile.terms import BLOG, SHOP, SOON, Term, host
from tinyforge.index.led import LedIndex, lead
from tinyforge.plugin import Seen, Unchanged
from tinyforge.ports import Fenced


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


def held(term: Term) -> list[HeldEngine]:
    return [engine for engine in term.engines.values() if isinstance(engine, HeldEngine)]
