"""What is declared comes into force by way of the mirror (rule P10), and what is no longer declared goes when it has been taken down."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import pytest

from tests.index.examples import STALE_AFTER
from tests.index.examples import host as one_host
from tests.reconcile.declaring import Declarer, SpoiltMirror, What, reading
from tests.reconcile.memory_engine import MemoryEngine
from tests.reconcile.memory_workloads import declared
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import RefusalReason
from tinyforge.domain.traces import Traceparent
from tinyforge.index.led import LedIndex
from tinyforge.ports import IndexUnavailable
from tinyforge.reconcile.declarations import Declarations, InForce
from tinyforge.reconcile.hosts import Hosts

SHOP = "default/shop"


class Applying:
    """Declarations over a real mirror.

    `keeps` are the workloads that are still to be taken down, `asked` those that somebody was asked about, each with whether its host goes
    too, and `happened` what was done about mirror and hosts, in order.
    """

    def __init__(self, index: LedIndex) -> None:
        self.keeps: set[str] = set()
        self.asked: list[dict[str, bool]] = []
        self.happened: list[str] = []
        self.declarer = Declarer()
        self.mirror = SpoiltMirror(index.mirror)
        self.mirror.before = self._step
        self.spoil: Callable[[str], object] = lambda _: None
        self.hosts = Hosts(connect=self._connect, containers=index.containers, stale_after=STALE_AFTER, epoch=7, passed=lambda *_: None)
        self._declarations = Declarations(declaring=self.declarer, mirror=self.mirror, stale_after=STALE_AFTER, torn_down=self._torn_down)

    async def apply(self, *what: What, complete: bool = True) -> InForce:
        self.declarer.declare(*what, complete=complete)
        return await self.again()

    async def again(self) -> InForce:
        self.happened.clear()
        return await self._declarations.apply(self.hosts)

    def _torn_down(self, gone: Mapping[str, bool]) -> set[str]:
        self.asked.append(dict(gone))
        return self.keeps & gone.keys()

    def _connect(self, host: Host) -> MemoryEngine:
        self.happened.append(f"open {host.name}")
        applying = self

        class Closable(MemoryEngine):
            async def close(self) -> None:
                applying.happened.append(f"close {host.name}")

        return Closable()

    def _step(self, name: str) -> None:
        self.happened.append(name)
        self.spoil(name)


@pytest.fixture
def applying(index: LedIndex) -> Applying:
    return Applying(index)


async def test_p10_the_mirror_is_written_before_a_host_is_opened(applying: Applying) -> None:
    state = await applying.apply(host(), host("b"), declared())
    assert applying.happened == ["read", "write", "read", "open b", "open local"]
    assert set(state.hosts) == {"b", "local"}
    assert (state.workloads, names(state.declared)) == ({SHOP: "local"}, [SHOP])
    assert (names(state.opened), names(state.touched), state.refusals) == (["b", "local"], ["local"], ())


async def test_p10_nothing_is_opened_while_postgresql_does_not_take_the_mirror(applying: Applying) -> None:
    for step in ("read", "write"):
        applying.spoil = away_at(step)
        with pytest.raises(IndexUnavailable):
            await applying.apply(host(), declared())
        assert applying.hosts.by_name == {}


async def test_what_changes_nothing_writes_nothing_and_touches_nobody(applying: Applying) -> None:
    await applying.apply(host(), declared())
    state = await applying.again()
    assert applying.happened == ["read", "read"]
    assert state.declared | state.opened | state.touched == frozenset()


async def test_a_changed_host_is_closed_before_the_mirror_is_written_and_opened_anew_after_it(applying: Applying) -> None:
    await applying.apply(host(), host("b"))
    state = await applying.apply(host(), host("b", suspended=True))
    assert applying.happened == ["read", "close b", "write", "read", "open b"]
    assert state.opened == {"b"}
    state = await applying.apply(host())
    assert applying.happened == ["read", "close b", "write", "read"]
    assert set(state.hosts) == {"local"}


async def test_hosts_whose_containers_may_match_differently_are_told_apart_from_the_others(applying: Applying) -> None:
    hosts = [host(name) for name in ("a", "b", "c")]
    blog = declared("default/blog", host="b")
    await applying.apply(*hosts, declared(host="a"), blog)
    moved = await applying.apply(*hosts, declared(host="c"), blog)
    assert (names(moved.touched), names(moved.declared)) == (["a", "c"], [SHOP])
    removed = await applying.apply(*hosts, declared(host="c"))
    assert (names(removed.touched), names(removed.declared)) == (["b"], [])


async def test_where_objects_are_traced_is_told_as_it_is_read_and_is_no_change(applying: Applying) -> None:
    place = Traceparent("a" * 32, "b" * 16)
    assert (await applying.apply(host(), declared())).traceparents == {}
    applying.declarer.reading = reading([host(), declared()], traced={SHOP: place})
    state = await applying.again()
    assert (state.traceparents, applying.happened) == ({SHOP: place}, ["read", "read"])


async def test_a_thousand_changes_are_one_write(applying: Applying) -> None:
    thousand = [declared(f"default/w{number}") for number in range(1000)]
    state = await applying.apply(host(), *thousand)
    assert applying.happened.count("write") == 1
    assert len(state.declared) == 1000
    await applying.apply(host(), *(declared(it.key.id, generation=2) for it in thousand))
    assert applying.happened.count("write") == 1


async def test_p10_what_an_incomplete_reading_does_not_mention_stays_and_is_not_taken_down(applying: Applying) -> None:
    await applying.apply(host(), declared())
    state = await applying.apply(declared("default/new"), complete=False)
    assert set(state.workloads) == {SHOP, "default/new"}
    assert set(state.hosts) == {"local"}
    assert applying.asked[-1] == {}


async def test_a_workload_leaves_the_mirror_when_it_has_been_taken_down_and_not_before(applying: Applying) -> None:
    await applying.apply(host(), declared())
    applying.keeps = {SHOP}
    for _ in range(2):
        assert set((await applying.apply(host())).workloads) == {SHOP}
        assert applying.asked[-1] == {SHOP: False}
    applying.keeps = set()
    assert (await applying.again()).workloads == {}
    await applying.again()
    assert applying.asked[-1] == {}


async def test_a_host_that_goes_too_stays_as_long_as_a_workload_of_it_has_to(applying: Applying) -> None:
    await applying.apply(host(), host("b"), declared())
    applying.keeps = {SHOP}
    state = await applying.apply()
    assert (state.workloads, set(state.hosts), applying.asked[-1]) == ({SHOP: "local"}, {"local"}, {SHOP: True})
    assert "close local" not in applying.happened
    applying.keeps = set()
    state = await applying.again()
    assert (state.workloads, state.hosts) == ({}, {})


async def test_one_that_cannot_be_taken_down_holds_up_itself_and_nobody_else(applying: Applying) -> None:
    await applying.apply(host(), declared(), declared("default/blog"))
    applying.keeps = {SHOP}
    state = await applying.apply(host(), declared("default/new"))
    assert set(state.workloads) == {SHOP, "default/new"}


async def test_a_workload_that_is_being_taken_down_keeps_its_project_until_it_is_gone(applying: Applying) -> None:
    rival = declared("default/rival", compose_project=declared().key.compose_project)
    await applying.apply(host(), declared())
    applying.keeps = {SHOP}
    state = await applying.apply(host(), rival)
    assert [(it.workload_id, it.reason, it.field) for it in state.refusals] == [
        ("default/rival", RefusalReason.CONFLICT, "spec.composeProject")
    ]
    applying.keeps = set()
    state = await applying.again()
    assert (set(state.workloads), state.refusals) == ({"default/rival"}, ())


async def test_a_workload_that_is_declared_again_while_it_is_taken_down_stays(applying: Applying) -> None:
    await applying.apply(host(), declared())
    applying.keeps = {SHOP}
    await applying.apply(host())
    state = await applying.apply(host(), declared())
    assert set(state.workloads) == {SHOP}
    assert applying.asked[-1] == {}, "nobody takes it down any more"


async def test_a_workload_without_a_source_has_nothing_to_be_taken_down_and_goes_at_once(applying: Applying) -> None:
    await applying.apply(host(), declared(source_kind=""))
    applying.keeps = {SHOP}
    assert (await applying.apply(host())).workloads == {}
    assert applying.asked[-1] == {}


async def test_a_workload_that_its_host_no_longer_allows_goes_at_once_and_is_not_taken_down(applying: Applying) -> None:
    await applying.apply(host(), declared())
    applying.keeps = {SHOP}
    state = await applying.apply(host(allowed_namespaces=("team",)), declared())
    assert state.workloads == {}
    assert [it.reason for it in state.refusals] == [RefusalReason.HOST_NOT_ALLOWED]
    assert applying.asked[-1] == {}


@pytest.mark.parametrize("commits", [False, True], ids=["and it was not", "but it was"])
async def test_no_change_is_lost_when_postgresql_does_not_say_whether_it_was_taken(applying: Applying, commits: bool) -> None:
    await applying.apply(host(), host("b"))
    applying.spoil = away_at("write") if not commits else away_at("read", after="write")
    with pytest.raises(IndexUnavailable):
        await applying.apply(host(), host("b"), declared())
    applying.spoil = lambda _: None
    state = await applying.again()
    assert (names(state.declared), names(state.touched)) == ([SHOP], ["local"])
    state = await applying.again()
    assert state.declared | state.touched == frozenset()


async def test_what_comes_into_force_and_goes_out_of_it_is_said_once(applying: Applying, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="tinyforge")
    await applying.apply(host(), host("b"), declared())
    await applying.again()
    await applying.apply(host())
    assert caplog.messages == [
        "declared: host local",
        "declared: host b",
        f"declared: workload {SHOP}",
        "no longer declared: host b",
        f"no longer in force: workload {SHOP}",
    ]


def host(name: str = "local", **changes: Any) -> Host:
    return one_host(name, **({"allowed_namespaces": ("*",)} | changes))


def names(of: Collection[str]) -> list[str]:
    return sorted(of)


def away_at(step: str, *, after: str = "") -> Callable[[str], None]:
    """PostgreSQL, going away at a step; with `after`, at the first such step that comes after another one."""
    passed: list[str] = []

    def spoil(name: str) -> None:
        if name == step and (not after or after in passed):
            raise IndexUnavailable("PostgreSQL is away")
        passed.append(name)

    return spoil
