"""Statuses to write, objects to write them to, and somebody who watches these for the writer."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from tests.objects.documents import docker_host, workload
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, ClusterUnavailable, ObjectKind, ObjectRef, ObjectState
from tinyforge.operator.status_writer import StatusObjects, StatusWriter

Status = dict[str, Any]
NOON = "2026-11-24T12:00:00Z"
LOOK_SECONDS = 15.0
WRITES = r"PATCH .*/status\?"
"""The requests that write, as the proxy has them."""


def condition(type_: str = "Ready", *, message: str = "all run", **changed: object) -> Status:
    return {
        "type": type_,
        "status": "True",
        "reason": "Running",
        "message": message,
        "lastTransitionTime": NOON,
        "observedGeneration": 1,
        **changed,
    }


def status(message: str = "all run", **fields: object) -> Status:
    return {"conditions": [condition(message=message)], "observedGeneration": 1, **fields}


def new_workload(cluster: RealCluster, name: str = "web") -> ObjectState:
    return ObjectState.of(cluster.apply(workload(name))[0])


def new_host(cluster: RealCluster, name: str = "vps1") -> ObjectState:
    return ObjectState.of(cluster.apply(docker_host(name))[0])


def shown(cluster: RealCluster, ref: ObjectRef) -> Status:
    """What an object's status is."""
    found: Status = cluster.get(ref.kind, ref.name, ref.namespace).get("status", {})
    return found


def message(cluster: RealCluster, ref: ObjectRef) -> str:
    """What an object's condition Ready says; empty if there is none."""
    return next((it["message"] for it in shown(cluster, ref).get("conditions", []) if it["type"] == "Ready"), "")


@asynccontextmanager
async def writing(objects: StatusObjects) -> AsyncIterator[StatusWriter]:
    """A writer that runs, and is stopped at the end."""
    writer = StatusWriter(objects=objects)
    running = asyncio.create_task(writer.run())
    try:
        yield writer
    finally:
        writer.stop()
        await running


@asynccontextmanager
async def watching(connected: Cluster, writer: StatusWriter) -> AsyncIterator[None]:
    """Somebody who tells the writer of new objects and of changes, as `DeclaredObjects` does, but by looking again and again."""

    async def look() -> None:
        known: dict[ObjectRef, ObjectState] = {}
        while True:
            with suppress(ClusterUnavailable):
                states = [ObjectState.of(it) for kind in ObjectKind for it in (await connected.list_objects(kind)).objects]
                for state in states:
                    if known.get(state.ref) != state:
                        writer.watched(state)
                for ref in known.keys() - {state.ref for state in states}:
                    writer.gone(ref)
                known = {state.ref: state for state in states}
            await asyncio.sleep(0.03)

    looking = asyncio.create_task(look())
    try:
        yield
    finally:
        looking.cancel()
        await asyncio.wait({looking})


async def settled(writer: StatusWriter, *, seconds: float = LOOK_SECONDS) -> None:
    """Wait until every object shows what it should."""
    deadline = time.monotonic() + seconds
    while True:
        if not writer.unwritten:
            return
        assert time.monotonic() < deadline, f"{writer.unwritten} objects do not show what they should"
        await asyncio.sleep(0.01)


def writes(api_proxy: ApiProxy) -> int:
    """How many writes came to the proxy."""
    return sum(request.startswith("PATCH") for request in api_proxy.requests)
