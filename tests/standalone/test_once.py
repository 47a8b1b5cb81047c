"""`run --once` within: teardowns, one pass of every host, then one turn of every workload, and errors that its caller knows."""

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
from tinyforge.plugin import Changed, Failed, Unchanged
from tinyforge.ports import EngineError, EngineReason, Fenced
from tinyforge.settings import Settings
from tinyforge.standalone.once import DeclarationsRefused, run_once

__all__ = ["sql"]

READY = "SELECT id, status -> 'conditions' -> 0 ->> 'reason' FROM tinyforge.workloads ORDER BY id"

IDS = "SELECT id FROM tinyforge.workloads ORDER BY id"


async def test_d1_every_workload_has_its_turn_when_all_hosts_have_been_passed_over(database_url: str, sql: Sql) -> None:
    good, bad = MemoryEngine(service("web", project="tinyforge-default_shop")), MemoryEngine()
    bad.failure = EngineError(EngineReason.TIMEOUT, "no answer")
    source = DeliberateSource(reconciles=lambda seen: 1 / 0 if seen.workload.id == "default/bad" else Unchanged())
    workloads = [declared(), declared("default/bad"), declared("default/away", host="away")]
    reports = await once(database_url, host("local"), host("away"), *workloads, source=source, local=good, away=bad)
    assert [(it.host, it.outcome.value) for it in reports] == [("away", "failed"), ("local", "changed")]
    assert sql(READY) == [("default/away", "HostUnreachable"), ("default/bad", "PluginRaised"), ("default/shop", "Running")]
    assert source.calls == ["reconcile", "reconcile"]


async def test_what_is_no_longer_declared_is_torn_down_once_before_it_goes(database_url: str, sql: Sql) -> None:
    then: list[Any] = []

    def down(_: object) -> Changed:
        then.append(sql(IDS))
        return Changed(message="down")

    source = DeliberateSource(tears_down=down)
    await once(database_url, host("local"), declared(), declared("default/blog"), source=DeliberateSource())
    await once(database_url, host("local"), declared("default/blog"), source=source)
    assert then == [[("default/blog",), ("default/shop",)]]
    assert source.calls == ["teardown", "reconcile"]
    assert sql(IDS) == [("default/blog",)]


async def test_what_cannot_be_torn_down_stays_with_its_host_and_says_so_until_the_next_time(
    database_url: str, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    await once(database_url, host("local"), host("other"), declared(), declared("default/far", host="other"), source=DeliberateSource())
    busy = DeliberateSource(tears_down=Failed(reason="Busy", message="wait", retry_after=1))
    reports = await once(database_url, host("local"), host("other"), declared("default/far", host="other"), source=busy)
    assert [it.outcome.value for it in reports] == ["unchanged", "unchanged"]
    assert sorted(busy.calls) == ["reconcile", "teardown"], "what is leaving is not reconciled"
    assert sql(READY) == [("default/far", "NoContainers"), ("default/shop", "Busy")]
    assert "workload default/shop: dispatch failed: Busy: wait" in caplog.messages
    await once(database_url, host("local"), host("other"), declared("default/far", host="other"), source=DeliberateSource())
    assert sql(IDS) == [("default/far",)]


async def test_what_cannot_be_torn_down_and_whose_host_goes_too_is_left_behind_and_that_is_said(
    database_url: str, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    await once(database_url, host("local"), host("other"), declared("default/far", host="other"), source=DeliberateSource())
    busy = DeliberateSource(tears_down=Failed(reason="Busy", message="wait", retry_after=1))
    reports = await once(database_url, host("local"), source=busy)
    assert ([it.host for it in reports], busy.calls, sql(IDS)) == (["local"], ["teardown"], [])
    assert "workload default/far: what its source put up is left behind: Busy: wait" in caplog.messages


async def test_a_name_that_what_stays_still_holds_is_refused_to_who_wants_it(database_url: str, sql: Sql) -> None:
    await once(database_url, host("local"), declared(compose_project="tinyforge-p"), source=DeliberateSource())
    busy = DeliberateSource(tears_down=Failed(reason="Busy", message="wait", retry_after=1))
    with pytest.raises(DeclarationsRefused, match="belongs to another workload"):
        await once(database_url, host("local"), declared("default/new", compose_project="tinyforge-p"), source=busy)
    assert sql(IDS) == [("default/shop",)]


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
