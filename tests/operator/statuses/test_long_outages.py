"""How soon statuses are true after an outage of any length, and how often a server is asked meanwhile: by a clock that hurries.

The cluster is made up here, since nobody waits for ten minutes that a real one is away; that a real one does the same is shown for seconds
in `test_outages` and for a minute in tests/operator/test_api_server_faults.py.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tests.operator.statuses import hurried_loop
from tests.operator.statuses.objects import status
from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectKind, ObjectRef, ObjectState
from tinyforge.operator.status_writer import PLACES, StatusWriter

CALL_SECONDS = 5.0
"""How long a request to a server that hangs takes."""
SOON = 5.0
"""Within how many seconds statuses are true again."""


@dataclass
class FallingCluster:
    """A cluster that answers until it goes away; when it is back, it refuses all with 403 for as long as it knows no roles."""

    is_frozen: bool
    away_at: float
    back_at: float
    serves_at: float
    shown: dict[ObjectRef, Mapping[str, Any]] = field(default_factory=dict)
    asked_at: list[float] = field(default_factory=list)
    versions: int = 1

    async def read_object(self, ref: ObjectRef) -> ObjectState | None:
        await self._answer()
        return self._state(ref)

    async def apply_status(self, ref: ObjectRef, *, resource_version: str, status: Mapping[str, Any]) -> ObjectState:
        assert resource_version
        await self._answer()
        self.shown[ref] = status
        self.versions += 1
        return self._state(ref)

    def _state(self, ref: ObjectRef) -> ObjectState:
        return ObjectState(ref=ref, resource_version=str(self.versions), status=self.shown.get(ref, {}))

    async def _answer(self) -> None:
        now = asyncio.get_running_loop().time()
        self.asked_at.append(now)
        if self.away_at <= now < self.back_at:
            if self.is_frozen:
                await asyncio.sleep(min(CALL_SECONDS, self.back_at - now))
            if not self.is_frozen or now + CALL_SECONDS < self.back_at:
                raise ClusterUnavailable("no answer", maybe_done=self.is_frozen)
        elif self.back_at <= now < self.serves_at:
            raise ClusterRefused(403, "no roles yet")

    def asked_while_away(self) -> int:
        return sum(self.away_at <= it < self.back_at for it in self.asked_at)


@dataclass
class HangingCluster(FallingCluster):
    """A cluster that never answers writes to the first object, as with a webhook that hangs."""

    hung: int = 0

    async def apply_status(self, ref: ObjectRef, *, resource_version: str, status: Mapping[str, Any]) -> ObjectState:
        if ref.uid != "0":
            return await super().apply_status(ref, resource_version=resource_version, status=status)
        self.hung += 1
        await asyncio.sleep(CALL_SECONDS)
        raise ClusterUnavailable("no answer")


@given(
    is_frozen=st.booleans(),
    away=st.floats(0.1, 600),
    refusing=st.floats(0, 1),
    count=st.integers(1, 40),
    chance=st.floats(0, 1),
)
@quick
def test_fault_28_however_long_the_server_was_away_statuses_are_true_soon_after_and_it_is_asked_seldom_meanwhile(
    *, is_frozen: bool, away: float, refusing: float, count: int, chance: float
):
    cluster = FallingCluster(is_frozen=is_frozen, away_at=10.0, back_at=10.0 + away, serves_at=10.0 + away + refusing)
    unwritten = hurried_loop.run(outage(cluster, refs(count), chance))
    assert unwritten == 0
    assert cluster.asked_while_away() <= 2 * PLACES + away


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_an_object_whose_writes_hang_alone_is_tried_less_and_less(chance: float):
    cluster = HangingCluster(is_frozen=False, away_at=inf, back_at=inf, serves_at=inf)
    hurried_loop.run(ten_minutes_of_news(cluster, refs(5), chance))
    assert 10 <= cluster.hung <= 25, "as often as the server is asked when it is away would be ninety times"
    assert {cluster.shown[ref]["conditions"][0]["message"] for ref in refs(5)[1:]} == {"600"}


def refs(count: int) -> list[ObjectRef]:
    return [ObjectRef(kind=ObjectKind.WORKLOAD, namespace="default", name=f"web-{it}", uid=str(it)) for it in range(count)]


async def outage(cluster: FallingCluster, refs: list[ObjectRef], chance: float) -> int:
    """Want a first value while the cluster answers, and another while it is away; return how many do not show that soon after."""
    loop = asyncio.get_running_loop()
    writer = StatusWriter(objects=cluster, chance=lambda: chance)
    running = asyncio.create_task(writer.run())
    for ref in refs:
        writer.watched(ObjectState(ref=ref, resource_version="1"))
        writer.put(ref, status("before"))
    await asyncio.sleep(cluster.away_at - loop.time())
    assert writer.unwritten == 0
    for ref in refs:
        writer.put(ref, status("after"))
    await asyncio.sleep(cluster.serves_at + SOON - loop.time())
    unwritten = writer.unwritten
    writer.stop()
    await running
    return unwritten


async def ten_minutes_of_news(cluster: FallingCluster, refs: list[ObjectRef], chance: float) -> None:
    """Want something new of every object once a second, and give it the time to be written."""
    writer = StatusWriter(objects=cluster, chance=lambda: chance)
    running = asyncio.create_task(writer.run())
    for ref in refs:
        writer.watched(ObjectState(ref=ref, resource_version="1"))
    for second in range(601):
        for ref in refs:
            writer.put(ref, status(str(second)))
        await asyncio.sleep(1)
    await asyncio.sleep(SOON)
    writer.stop()
    await running
