"""The open hosts: each by itself, so that one that cannot be used, or hangs, is nobody else's trouble (rules P3, P5, P6)."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.domain.world import container
from tests.reconcile.stand_ins import EmptyIndex, HeldEngine
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReason, PassReport
from tinyforge.ports import Engine
from tinyforge.reconcile.hosts import Hosts
from tinyforge.reconcile.passes import PassStopped


class Fleet:
    """Engines by their host; `hosts` are the hosts over them, `passed` what was told of their passes, `closed` whose engine was closed."""

    def __init__(self) -> None:
        self.engines: dict[str, HeldEngine] = {}
        self.closed: list[str] = []
        self.passed: list[tuple[str, int]] = []
        self.hosts = Hosts(connect=self._connect, containers=EmptyIndex(), stale_after=120, epoch=7, passed=self._told)

    def _connect(self, host: Host) -> Engine:
        if not host.endpoint.startswith("unix://"):
            raise ValueError(f'"{host.endpoint}" is no endpoint')
        engine = Closable(self, host.name)
        self.engines[host.name] = engine
        return engine

    def _told(self, host: Host, report: PassReport) -> None:
        self.passed.append((host.name, report.listed))


class Closable(HeldEngine):
    def __init__(self, fleet: Fleet, name: str) -> None:
        super().__init__()
        self._fleet, self._name = fleet, name

    async def close(self) -> None:
        self._fleet.closed.append(self._name)


@pytest.fixture
async def fleet() -> AsyncIterator[Fleet]:
    fleet = Fleet()
    yield fleet
    await fleet.hosts.close(list(fleet.hosts.by_name))


async def test_each_host_is_opened_once(fleet: Fleet) -> None:
    assert fleet.hosts.open([host("a"), host("b")]) == ["a", "b"]
    before = fleet.hosts.by_name["a"]
    assert fleet.hosts.open([host("a"), host("b"), host("c")]) == ["c"]
    assert fleet.hosts.by_name["a"] is before


async def test_p6_a_host_whose_endpoint_cannot_be_used_is_said_and_the_others_are_opened(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    assert fleet.hosts.open([host("a", "ftp://a"), host("b")]) == ["b"]
    assert caplog.messages == ['host a: "ftp://a" is no endpoint']
    assert list(fleet.hosts.by_name) == ["b"]


async def test_a_host_that_cannot_be_used_is_said_once_and_again_when_it_is_another_fault(
    fleet: Fleet, caplog: pytest.LogCaptureFixture
) -> None:
    for endpoint in ("ftp://a", "ftp://a", "ftp://b", "unix:///a.sock", "ftp://b"):
        fleet.hosts.open([host("a", endpoint)])
        await fleet.hosts.close(["a"])
    assert caplog.messages == ['host a: "ftp://a" is no endpoint', *['host a: "ftp://b" is no endpoint'] * 2]


async def test_a_host_that_was_closed_is_opened_anew(fleet: Fleet) -> None:
    fleet.hosts.open([host("a")])
    await fleet.hosts.close(["a", "never opened"])
    await fleet.hosts.close(["a"])
    assert (fleet.closed, list(fleet.hosts.by_name)) == (["a"], [])
    assert fleet.hosts.open([host("a")]) == ["a"]


async def test_p3_each_host_that_is_asked_for_runs_a_pass_and_all_are_told_of_it(fleet: Fleet) -> None:
    fleet.hosts.open(map(host, "abc"))
    for name, engine in fleet.engines.items():
        engine.there = tuple(container(f"{name}{number}") for number in range(ord(name) - ord("a")))
        engine.let_go.set()
    reports = await fleet.hosts.ask(["c", "b"], PassReason.SYNC)
    assert [(it.host, it.listed) for it in reports] == [("b", 1), ("c", 2)]
    assert sorted(fleet.passed) == [("b", 1), ("c", 2)]


async def test_p5_fifty_hosts_that_hang_are_closed_within_a_second_and_whoever_waits_is_told(fleet: Fleet) -> None:
    names = [f"h{number}" for number in range(50)]
    fleet.hosts.open(map(host, names))
    asking = asyncio.create_task(fleet.hosts.ask(names, PassReason.SYNC))
    for engine in fleet.engines.values():
        await engine.asked.acquire()
    asked = time.monotonic()
    await fleet.hosts.close(names)
    assert time.monotonic() - asked < 5, "a second, on a machine that does much else"
    with pytest.raises(PassStopped):
        await asking
    assert sorted(fleet.closed) == sorted(names)
    assert {engine.at_once for engine in fleet.engines.values()} == {0}


def host(name: str, endpoint: str = "unix:///a.sock") -> Host:
    return Host(name=name, endpoint=endpoint)
