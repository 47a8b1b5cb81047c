"""`run --once` within: one pass of every host, then one turn of every workload, and errors that its caller knows."""

import asyncio
from typing import Any

import pytest

from tests.index.conftest import Sql, sql
from tests.index.examples import host as one_host
from tests.reconcile.declaring import What, reading
from tests.reconcile.deliberate_plugins import DeliberateSource, plugins_of
from tests.reconcile.memory_engine import MemoryEngine, service
from tests.reconcile.memory_workloads import declared
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReport
from tinyforge.index.led import lead
from tinyforge.plugin import Unchanged
from tinyforge.ports import EngineError, EngineReason, Fenced
from tinyforge.settings import Settings
from tinyforge.standalone.once import run_once

__all__ = ["sql"]

READY = "SELECT id, status -> 'conditions' -> 0 ->> 'reason' FROM tinyforge.workloads ORDER BY id"


async def test_d1_every_workload_has_its_turn_when_all_hosts_have_been_passed_over(database_url: str, sql: Sql) -> None:
    good, bad = MemoryEngine(service("web", project="tinyforge-default_shop")), MemoryEngine()
    bad.failure = EngineError(EngineReason.TIMEOUT, "no answer")
    source = DeliberateSource(reconciles=lambda seen: 1 / 0 if seen.workload.id == "default/bad" else Unchanged())
    workloads = [declared(), declared("default/bad"), declared("default/away", host="away")]
    reports = await once(database_url, host("local"), host("away"), *workloads, source=source, local=good, away=bad)
    assert [(it.host, it.outcome.value) for it in reports] == [("away", "failed"), ("local", "changed")]
    assert sql(READY) == [("default/away", "HostUnreachable"), ("default/bad", "PluginRaised"), ("default/shop", "Running")]
    assert source.calls == ["reconcile", "reconcile"]


async def test_p7_who_is_deposed_in_the_middle_of_a_turn_is_told_so_and_by_whom(database_url: str) -> None:
    holders: list[str] = []

    async def deposing(_: object) -> Unchanged:
        async with lead(database_url) as other:
            holders.append(other.term.holder)
        return Unchanged()

    async with asyncio.timeout(10):
        with pytest.raises(Fenced) as fenced:
            await once(database_url, host("local"), declared(), source=DeliberateSource(reconciles=deposing))
    assert "epoch" in str(fenced.value)
    assert len(holders) == 1


def host(name: str) -> Host:
    return one_host(name, allowed_namespaces=("*",))


async def once(url: str, *what: What, source: DeliberateSource, **engines: Any) -> list[PassReport]:
    return await run_once(
        reading(what),
        settings=Settings(),
        connect=lambda host: engines.get(host.name) or MemoryEngine(),
        plugins=plugins_of(source),
        conninfo=url,
    )
