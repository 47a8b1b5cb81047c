"""The yardstick: a status for every object, by the same client to the same API server, and nothing else."""

import asyncio
import time
from pathlib import Path

from tinyforge.cluster import Access, Cluster, ObjectKind, ObjectState, connect
from tinyforge.cluster.kubeconfig import read_kubeconfig
from tinyforge.operator.status_writer import PLACES


def seconds_of_statuses_alone(kubeconfig: Path) -> float:
    """Write another status to every host and every workload, as many at once as the controller does, and return how long that took."""
    return asyncio.run(_all_written(Access(config=read_kubeconfig(str(kubeconfig)), namespace="default", found_by="the benchmark")))


async def _all_written(access: Access) -> float:
    cluster = connect(access, instance="benchmark", seconds=30)
    try:
        listed = [it for kind in ObjectKind for it in (await cluster.list_objects(kind)).objects]
        states = asyncio.Queue[ObjectState]()
        for found in listed:
            states.put_nowait(ObjectState.of(found))
        begun = time.monotonic()
        async with asyncio.TaskGroup() as writers:
            for _ in range(PLACES):
                writers.create_task(_write(cluster, states))
        return time.monotonic() - begun
    finally:
        await cluster.close()


async def _write(cluster: Cluster, states: asyncio.Queue[ObjectState]) -> None:
    while not states.empty():
        state = states.get_nowait()
        conditions = [{**it, "message": f"{it['message']}."} for it in state.status["conditions"]]
        await cluster.apply_status(state.ref, resource_version=state.resource_version, status={**state.status, "conditions": conditions})
