"""A put waits for nothing, and after the stop nothing is sent."""

import asyncio
import time

from tests.operator.statuses.objects import WRITES, message, new_workload, status, writes, writing
from tests.servers.api_proxy import ApiProxy, delay, hang
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster
from tinyforge.operator.status_writer import StatusWriter


async def test_after_the_stop_nothing_is_written(cluster: RealCluster, connected: Cluster, api_proxy: ApiProxy):
    refs = [new_workload(cluster, f"web-{number}") for number in range(20)]
    api_proxy.spoil(WRITES, delay(0.2))
    writer = StatusWriter(objects=connected)
    running = asyncio.create_task(writer.run())
    arrived = api_proxy.next_request(WRITES)
    for seen in refs:
        writer.watched(seen)
        writer.put(seen.ref, status())
    await asyncio.wrap_future(arrived)
    writer.stop()
    for seen in refs:
        writer.put(seen.ref, status("later"))
        writer.watched(seen)
    await asyncio.wait_for(running, 2)
    sent = writes(api_proxy)
    assert sent <= 8
    await asyncio.sleep(0.5)
    assert writes(api_proxy) == sent
    assert sum(message(cluster, seen.ref) == "all run" for seen in refs) == sent
    assert not any(message(cluster, seen.ref) == "later" for seen in refs)


async def test_the_stop_waits_a_second_at_most(cluster: RealCluster, connected: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WRITES, hang())
    web = new_workload(cluster)
    async with writing(connected) as writer:
        arrived = api_proxy.next_request(WRITES)
        writer.watched(web)
        writer.put(web.ref, status())
        await asyncio.wrap_future(arrived)
        began = time.monotonic()
    assert time.monotonic() - began < 1.5


async def test_a_put_waits_for_nothing(cluster: RealCluster, connected: Cluster, api_proxy: ApiProxy):
    web = new_workload(cluster).ref
    api_proxy.spoil(".*", hang())
    async with writing(connected) as writer:
        writer.put(web, status())
        assert writer.unwritten == 1
