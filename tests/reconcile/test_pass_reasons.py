"""Why the passes of a term run, as their traces tell: a host is new to it, its timer, what is declared, or something was lost."""

import pytest

from tests.index.conftest import Sql
from tests.index.examples import host
from tests.index.waiting import until
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.memory_workloads import declared
from tests.reconcile.pass_recording import Recorded
from tests.reconcile.terms import Term
from tests.reconcile.test_attendance import lose
from tinyforge.index.led import LedIndex
from tinyforge.reconcile import dispatch_trace


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


async def test_the_first_pass_of_a_host_is_for_boot_and_one_after_a_change_of_what_is_declared_for_that(
    index: LedIndex, recorded: Recorded
) -> None:
    hosts = [host("a", allowed_namespaces=("*",)), host("b")]
    term = Term(index, *hosts)
    async with term.led():
        await term.until_passed("a", "b")
        assert recorded.reasons() == ["boot", "boot"]
        term.declarer.declare(*hosts, declared(host="a"))
        await term.until_passed("a")
        assert recorded.reasons() == ["spec"]


async def test_a_timed_pass_is_for_its_timer(index: LedIndex, recorded: Recorded) -> None:
    term = Term(index, host(allowed_namespaces=("*",)), declared())
    engine = term.engines["local"] = MemoryEngine()
    async with term.led():
        await term.until_passed("local")
        assert recorded.reasons() == ["boot"]
        engine.has = [service("web", project="tinyforge-default_shop")]
        await term.leading.timed_pass("local")
        assert recorded.reasons() == ["timer"]


async def test_a_dispatch_that_follows_a_pass_is_linked_to_its_root(
    index: LedIndex, recorded: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    dispatches = Recorded(monkeypatch, module=dispatch_trace)
    term = Term(index, host(allowed_namespaces=("*",)), declared())
    async with term.led():
        await until(lambda: term.source.calls == ["reconcile"])
        await until(lambda: len(term.notes.statuses) == 1)
    (passed, _), (dispatched, _) = recorded.one(), dispatches.one()
    assert [link.context.span_id for link in dispatched.links] == [passed.context.span_id]


async def test_fault_14_a_pass_after_the_claim_was_lost_is_for_boot(index: LedIndex, recorded: Recorded, sql: Sql) -> None:
    term = Term(index, host())
    async with term.led():
        await term.until_passed("local")
        recorded.traces()
        lose(sql)
        await term.until_passed("local")
        await until(lambda: recorded.reasons() == ["boot"])
