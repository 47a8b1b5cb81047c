"""What is no longer declared: it is taken down before it is out of force, and nothing of it is remembered."""

import asyncio

from tests.index.conftest import Sql
from tests.index.waiting import until
from tests.reconcile.memory_workloads import declared
from tests.reconcile.stand_ins import HeldEngine
from tests.reconcile.terms import BLOG, BUSY, SHOP, SOON, Term, host
from tinyforge.index.led import LedIndex
from tinyforge.plugin import Unchanged


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
