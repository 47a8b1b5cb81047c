"""Events are told when there is time, and hurt nobody when they are not."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.cluster.connections import connection, controller
from tests.index.waiting import until
from tests.operator.statuses.objects import new_workload
from tests.servers.api_proxy import ApiProxy, hang, refuse
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, Event, EventType
from tinyforge.operator.event_poster import MOST_WAITING, EventPoster

EVENTS = "POST .*/events"


@pytest.fixture
async def connected(cluster: RealCluster, api_proxy: ApiProxy) -> AsyncIterator[Cluster]:
    async with connection(api_proxy.kubeconfig(controller(cluster)), seconds=1.0) as connected:
        yield connected


@asynccontextmanager
async def posting(connected: Cluster) -> AsyncIterator[EventPoster]:
    poster = EventPoster(sink=connected)
    running = asyncio.create_task(poster.run())
    try:
        yield poster
    finally:
        running.cancel()
        await asyncio.wait({running})
        assert running.cancelled()


def event(reason: str = "NotRunning") -> Event:
    return Event(type=EventType.WARNING, reason=reason, action="Pass", note="web does not run")


def told(cluster: RealCluster) -> set[str]:
    return {str(it["reason"]) for it in cluster.list("Event", "default")}


async def test_events_are_told_one_after_another(cluster: RealCluster, connected: Cluster):
    web = new_workload(cluster).ref
    async with posting(connected) as poster:
        for reason in ("One", "Two", "Three"):
            poster.put(web, event(reason))
        await until(lambda: told(cluster) == {"One", "Two", "Three"})


async def test_events_that_cannot_be_told_are_dropped_and_that_is_said_once_and_counted(
    cluster: RealCluster, connected: Cluster, api_proxy: ApiProxy, caplog: pytest.LogCaptureFixture
):
    web = new_workload(cluster).ref
    api_proxy.spoil(EVENTS, refuse(403, message="no events for you"), times=2)
    caplog.set_level(logging.INFO, "tinyforge")
    async with posting(connected) as poster:
        for reason in ("One", "Two", "Three"):
            poster.put(web, event(reason))
        await until(lambda: "events are told again (failures: 2)" in caplog.messages)
    assert told(cluster) == {"Three"}
    assert [it.getMessage() for it in caplog.records if it.name.startswith("tinyforge")] == [
        "Workload default/web: the event One could not be told: no events for you",
        "events are told again (failures: 2)",
    ]


async def test_a_server_that_hangs_costs_memory_for_some_events_only(cluster: RealCluster, connected: Cluster, api_proxy: ApiProxy):
    web = new_workload(cluster).ref
    api_proxy.spoil(EVENTS, hang(), times=1)
    async with posting(connected) as poster:
        arrived = api_proxy.next_request(EVENTS)
        poster.put(web, event("Hangs"))
        await asyncio.wrap_future(arrived)
        for number in range(MOST_WAITING + 1):
            poster.put(web, event(f"Number{number}"))
        await until(lambda: f"Number{MOST_WAITING}" in told(cluster))
        assert told(cluster) == {f"Number{number}" for number in range(1, MOST_WAITING + 1)}
