"""Only so many objects get their finalizer at once, and none is kept from it for ever."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from aiohttp import web

from tests.objects.documents import workload
from tests.operator.conftest import Start
from tests.operator.storms import editor
from tests.servers.api_proxy import ApiProxy, Forward
from tests.servers.cluster import Cluster
from tinyforge.operator import finalizer_gate
from tinyforge.operator.finalizer_gate import PLACES, FinalizerGate
from tinyforge.operator.kopf_settings import FINALIZER

SECONDS = 10


def an_object(uid: str, **metadata: Any) -> Mapping[str, Any]:
    return {"uid": uid, "name": uid, **metadata}


async def full() -> FinalizerGate:
    """A gate with all its places taken, by the objects `0`, `1` and so on."""
    gate = FinalizerGate()
    async with asyncio.timeout(SECONDS):
        for number in range(PLACES):
            await gate.pass_through(an_object(str(number)))
    return gate


async def waits(gate: FinalizerGate, metadata: Mapping[str, Any]) -> "asyncio.Task[None]":
    """An object that has come to wait at the gate."""
    waiting = asyncio.create_task(gate.pass_through(metadata))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not waiting.done()
    return waiting


async def gets_in(waiting: "asyncio.Task[None]") -> None:
    await asyncio.wait_for(waiting, SECONDS)


async def seen(gate: FinalizerGate, **metadata: Any) -> None:
    await asyncio.wait_for(gate.pass_through(an_object("0", **metadata)), SECONDS)


async def gone(gate: FinalizerGate) -> None:
    gate.leave("0")


@pytest.mark.parametrize(
    "event",
    [
        lambda gate: seen(gate, finalizers=["somebody.else/finalizer", FINALIZER]),
        lambda gate: seen(gate, deletionTimestamp="2026-01-01T00:00:00Z"),
        gone,
    ],
    ids=["it has the finalizer", "it is being deleted", "it is gone"],
)
async def test_the_next_object_gets_in_when_one_needs_its_place_no_more(event: Callable[[FinalizerGate], Any]) -> None:
    gate = await full()
    waiting = await waits(gate, an_object("next"))
    await event(gate)
    await gets_in(waiting)
    await waits(gate, an_object("after"))


async def test_an_object_that_is_seen_again_without_the_finalizer_has_its_place_already() -> None:
    gate = await full()
    await seen(gate, finalizers=["somebody.else/finalizer"])
    await waits(gate, an_object("next"))


async def test_an_object_that_has_the_finalizer_waits_for_nothing_and_makes_no_room() -> None:
    gate = await full()
    await asyncio.wait_for(gate.pass_through(an_object("other", finalizers=[FINALIZER])), SECONDS)
    await waits(gate, an_object("next"))


async def test_who_gives_up_waiting_takes_no_place() -> None:
    gate = await full()
    given_up, waiting = await waits(gate, an_object("given up")), await waits(gate, an_object("next"))
    given_up.cancel()
    await asyncio.gather(given_up, return_exceptions=True)
    gate.leave("0")
    await gets_in(waiting)


async def test_a_finalizer_that_the_api_server_will_not_have_keeps_the_others_out_for_a_while_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finalizer_gate, "PATIENCE", 0.01)
    gate = await full()
    async with asyncio.timeout(SECONDS):
        for number in range(PLACES):
            await gate.pass_through(an_object(f"other {number}"))


class MostAtOnce:
    """Lets requests pass after a moment, and counts how many were under way at most at once."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0

    async def __call__(self, request: web.Request, forward: Forward) -> web.StreamResponse:
        self._now += 1
        self.most = max(self.most, self._now)
        try:
            await asyncio.sleep(0.05)
            return await forward(request)
        finally:
            self._now -= 1


def test_what_is_there_at_the_start_gets_its_finalizer_a_few_at_a_time(start: Start, api_proxy: ApiProxy, cluster: Cluster) -> None:
    names = [f"w{number}" for number in range(4 * PLACES)]
    with editor(cluster) as somebody:
        somebody.create(workload(name, host="nowhere") for name in names)
    finalizers = MostAtOnce()
    api_proxy.spoil("PATCH .*/workloads/[^/]+$", finalizers)
    start(proxied=True)
    for name in names:
        cluster.wait("Workload", name, lambda it: FINALIZER in it["metadata"].get("finalizers", ()))
    assert 1 < finalizers.most <= PLACES
