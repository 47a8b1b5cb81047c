"""A planned end: nothing more begins, what changes engines comes to its end or is cancelled in time, and what was asked for is not lost."""

import asyncio
from typing import Any

import pytest

from tests.index.conftest import Sql
from tests.index.examples import host as one_host
from tests.index.waiting import until
from tests.reconcile.memory_engine import MemoryEngine
from tests.reconcile.memory_workloads import declared
from tests.reconcile.stand_ins import HeldEngine
from tests.reconcile.terms import Term
from tinyforge.domain.hosts import Host
from tinyforge.index.led import LedIndex, lead
from tinyforge.plugin import Changed, Seen, Unchanged
from tinyforge.ports import Fenced
from tinyforge.reconcile.planned_end import until_drained

SHOP, BLOG = "default/shop", "default/blog"
SOON = 5.0
"""Seconds that a second may take on a busy machine; every hang in these tests lasts longer."""
LONG = 3600.0


def host(name: str = "local") -> Host:
    return one_host(name, allowed_namespaces=("*",))


class Held:
    """A call of a plugin that ends when the test says so."""

    def __init__(self, outcome: object) -> None:
        self.began = asyncio.Event()
        self.let_go = asyncio.Event()
        self._outcome = outcome

    async def __call__(self, _seen: Seen[Any]) -> object:
        self.began.set()
        await self.let_go.wait()
        return self._outcome


def ask(sql: Sql, kind: str, argument: str = "") -> None:
    sql("INSERT INTO tinyforge.sync_requests (kind, argument) VALUES (%s, %s)", kind, argument)


def answered(sql: Sql) -> list[tuple[str, bool]]:
    return sql("SELECT kind, done_at IS NOT NULL FROM tinyforge.sync_requests ORDER BY id")


async def test_with_nothing_under_way_it_ends_at_once(index: LedIndex, caplog: pytest.LogCaptureFixture) -> None:
    term = Term(index, host(), declared())
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        async with asyncio.timeout(SOON):
            await term.leading.drain(LONG)
    assert "waits" not in caplog.text


async def test_a_dispatch_under_way_comes_to_its_end_and_its_status_is_written(index: LedIndex, sql: Sql) -> None:
    held = Held(Changed(message="moved"))
    term = Term(index, host(), declared())
    term.source.reconciles = held
    async with term.led():
        await held.began.wait()
        draining = asyncio.create_task(term.leading.drain(LONG))
        await asyncio.sleep(0.01)
        assert not draining.done()
        held.let_go.set()
        async with asyncio.timeout(SOON):
            await draining
        assert sql("SELECT status -> 'lastDispatch' ->> 'outcome' FROM tinyforge.workloads") == [("changed",)]


async def test_a_teardown_under_way_comes_to_its_end(index: LedIndex) -> None:
    held = Held(Unchanged())
    term = Term(index, host(), declared())
    term.source.tears_down = held
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        term.declarer.declare(host())
        await held.began.wait()
        draining = asyncio.create_task(term.leading.drain(LONG))
        await asyncio.sleep(0.01)
        assert not draining.done()
        held.let_go.set()
        async with asyncio.timeout(SOON):
            await draining
        assert term.source.calls.count("teardown") == 1


async def test_what_takes_too_long_is_named_and_cancelled(index: LedIndex, caplog: pytest.LogCaptureFixture) -> None:
    held = Held(Unchanged())
    term = Term(index, host(), declared())
    term.source.reconciles = held
    async with term.led(dispatch_timeout=LONG) as running:
        await held.began.wait()
        async with asyncio.timeout(SOON):
            await term.leading.drain(0.05)
            running.cancel()
            await asyncio.wait([running])
    assert f"not ended within 0.05 s, and cancelled: workload {SHOP}" in caplog.messages
    assert [dispatch for _, _, dispatch in term.notes.statuses] == []


async def test_no_pass_turn_dispatch_or_teardown_begins_any_more(index: LedIndex, sql: Sql) -> None:
    term = Term(index, host(), declared(), declared(BLOG))
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        await term.until_ready(BLOG, "False NoContainers")
        await term.until_passed("local")
        await term.leading.drain(LONG)
        term.source.calls.clear()
        said, applied = len(term.notes.statuses), len(term.notes.states)
        term.declarer.declare(host(), declared())
        ask(sql, "sync")
        ask(sql, "deploy", SHOP)
        timers = [asyncio.create_task(term.leading.timed_pass("local")), asyncio.create_task(term.leading.timed_turn(SHOP))]
        await asyncio.sleep(0.3)
        assert not any(timer.done() for timer in timers)
        assert (term.source.calls, term.notes.passes, len(term.notes.statuses), len(term.notes.states)) == ([], [], said, applied)
        assert answered(sql) == [("sync", False), ("deploy", False)], "they are the next leader's"


async def test_a_deployment_under_way_is_answered_and_not_made_again_by_the_next_leader(index: LedIndex, sql: Sql) -> None:
    held = Held(Changed(message="deployed"))
    term = Term(index, host(), declared())
    term.source.deploys = held
    async with term.led():
        await term.until_ready(SHOP, "False NoContainers")
        ask(sql, "deploy", SHOP)
        await held.began.wait()
        draining = asyncio.create_task(term.leading.drain(LONG))
        await asyncio.sleep(0.01)
        held.let_go.set()
        async with asyncio.timeout(SOON):
            await draining
        assert answered(sql) == [("deploy", True)]


async def test_a_deployment_that_waits_behind_a_dispatch_is_the_next_leaders(index: LedIndex, sql: Sql) -> None:
    held = Held(Unchanged())
    term = Term(index, host(), declared())
    term.source.reconciles = held
    async with term.led():
        await held.began.wait()
        ask(sql, "deploy", SHOP)
        await asyncio.sleep(0.1)
        draining = asyncio.create_task(term.leading.drain(LONG))
        await asyncio.sleep(0.01)
        held.let_go.set()
        async with asyncio.timeout(SOON):
            await draining
        assert "deploy" not in term.source.calls
        assert answered(sql) == [("deploy", False)]


async def test_p5_a_pass_that_hangs_is_not_waited_for(index: LedIndex) -> None:
    term = Term(index, host())
    engine = HeldEngine()
    term.engines["local"] = engine
    async with term.led() as running:
        await until(lambda: engine.at_once == 1)
        async with asyncio.timeout(SOON):
            await term.leading.drain(LONG)
            running.cancel()
            await asyncio.wait([running])


async def test_the_term_goes_on_meanwhile_and_ends_when_somebody_takes_over(index: LedIndex, database_url: str) -> None:
    held = Held(Unchanged())
    term = Term(index, host(), declared())
    term.engines["local"] = MemoryEngine()
    term.source.reconciles = held
    async with term.led(dispatch_timeout=LONG) as running:
        ending = asyncio.create_task(until_drained(lambda: through(running), lambda: term.leading.drain(LONG)))
        await held.began.wait()
        ending.cancel()
        async with lead(database_url), asyncio.timeout(SOON):
            with pytest.raises(Fenced):
                await ending


async def through(task: "asyncio.Task[None]") -> None:
    await task


async def test_what_ends_by_itself_is_not_drained() -> None:
    async def ended() -> None: ...

    async def failing() -> None:
        raise Fenced("pod-2 took over")

    await until_drained(ended, never)
    with pytest.raises(Fenced):
        await until_drained(failing, never)


async def never() -> None:
    raise AssertionError("it is not to be drained")


async def test_a_second_cancellation_waits_for_nothing() -> None:
    steps: list[str] = []

    async def run() -> None:
        try:
            await asyncio.sleep(LONG)
        finally:
            steps.append("ended")

    async def drain() -> None:
        steps.append("drains")
        await asyncio.sleep(LONG)

    ending = asyncio.create_task(until_drained(run, drain))
    await asyncio.sleep(0)
    ending.cancel()
    await until(lambda: steps == ["drains"])
    ending.cancel()
    await until(lambda: steps == ["drains", "ended"])
    with pytest.raises(asyncio.CancelledError):
        await ending


async def test_a_drain_that_fails_is_an_error_and_nothing_goes_on() -> None:
    async def drain() -> None:
        raise ZeroDivisionError

    ending = asyncio.create_task(until_drained(lambda: asyncio.sleep(LONG), drain))
    await asyncio.sleep(0)
    ending.cancel()
    with pytest.raises(ZeroDivisionError):
        await ending
