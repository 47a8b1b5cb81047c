"""The writer of statuses on the real API server: what is wanted is what is shown, whoever edits it in between."""

import asyncio
import time

from tests.index.waiting import until
from tests.operator.statuses.objects import WRITES, condition, message, new_host, new_workload, settled, shown, status, writes, writing
from tests.servers.api_proxy import ApiProxy, delay
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, ObjectState
from tinyforge.operator.status_writer import StatusWriter


async def test_what_is_put_is_shown(cluster: RealCluster, writer: StatusWriter, watched: None):
    web, vps1 = new_workload(cluster).ref, new_host(cluster).ref
    writer.put(web, status())
    writer.put(vps1, status("the engine answers", engine={"id": "AAAA", "version": "27.3.1"}))
    await settled(writer)
    assert shown(cluster, web) == status()
    assert shown(cluster, vps1)["engine"] == {"id": "AAAA", "version": "27.3.1"}
    cluster.kubectl("wait", "--for=condition=Ready", "--timeout=5s", "workload/web", "dockerhost/vps1")


async def test_a_status_that_nobody_watches_is_written_too(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster).ref
    writer.put(web, status())
    await settled(writer)
    assert message(cluster, web) == "all run"
    assert [it.split()[0] for it in api_proxy.requests] == ["GET", "PATCH"]


async def test_what_is_shown_already_is_not_written(cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy):
    web = new_workload(cluster).ref
    writer.put(web, status())
    await settled(writer)
    for _ in range(100):
        writer.put(web, status())
    assert writer.unwritten == 0
    await asyncio.sleep(0.2)
    assert writes(api_proxy) == 1


async def test_a_new_leader_writes_nothing_that_is_true_already(
    cluster: RealCluster, writer: StatusWriter, connected: Cluster, api_proxy: ApiProxy
):
    web = new_workload(cluster)
    writer.watched(web)
    writer.put(web.ref, status())
    await settled(writer)
    async with writing(connected) as successor:
        successor.watched(ObjectState.of(cluster.get("Workload", "web")))
        successor.put(web.ref, status())
        assert successor.unwritten == 0
    assert writes(api_proxy) == 1


async def test_of_many_values_the_newest_is_shown_and_few_are_sent(
    cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy
):
    web = new_workload(cluster).ref
    api_proxy.spoil(WRITES, delay(0.1))
    for number in range(50):
        writer.put(web, status(f"value {number}"))
        await asyncio.sleep(0.005)
    await settled(writer)
    assert message(cluster, web) == "value 49"
    assert writes(api_proxy) <= 6


async def test_a_value_that_is_put_while_another_is_under_way_follows_it(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster)
    api_proxy.spoil(WRITES, delay(0.1), times=1)
    arrived = api_proxy.next_request(WRITES)
    writer.watched(web)
    writer.put(web.ref, status("one"))
    await asyncio.wrap_future(arrived)
    writer.put(web.ref, status("two"))
    await settled(writer)
    assert message(cluster, web.ref) == "two"
    assert len(api_proxy.requests) == 2


async def test_what_is_no_longer_said_disappears_even_for_a_new_leader(cluster: RealCluster, writer: StatusWriter, connected: Cluster):
    web = new_workload(cluster)
    writer.watched(web)
    writer.put(web.ref, {"conditions": [condition(), condition("Stalled")], "observedGeneration": 1})
    await settled(writer)
    async with writing(connected) as successor:
        successor.watched(ObjectState.of(cluster.get("Workload", "web")))
        successor.put(web.ref, {"conditions": [condition()]})
        await settled(successor)
    assert shown(cluster, web.ref) == {"conditions": [condition()]}


async def test_a_status_that_somebody_edited_is_healed(cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy):
    web = new_workload(cluster).ref
    writer.put(web, status())
    await settled(writer)
    cluster.patch("Workload", "web", {"status": {"conditions": [condition(message="edited")]}}, subresource="status")
    await until(lambda: writes(api_proxy) == 2)
    await settled(writer)
    assert shown(cluster, web) == status()


async def test_a_status_that_somebody_removed_is_healed(cluster: RealCluster, writer: StatusWriter, watched: None):
    web = new_workload(cluster).ref
    writer.put(web, status())
    await settled(writer)
    cluster.patch("Workload", "web", {"status": None}, subresource="status")
    await until(lambda: message(cluster, web) == "all run")


async def test_two_who_disagree_do_not_keep_the_server_busy(cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy):
    web = new_workload(cluster).ref
    writer.put(web, status())
    await settled(writer)
    until = time.monotonic() + 2
    while time.monotonic() < until:
        cluster.patch("Workload", "web", {"status": {"conditions": [condition(message="edited")]}}, subresource="status")
        await asyncio.sleep(0.02)
    assert 2 <= writes(api_proxy) <= 4
    await settled(writer)
    assert message(cluster, web) == "all run"


async def test_what_somebody_else_says_beside_ours_stays_and_is_not_fought(
    cluster: RealCluster, writer: StatusWriter, watched: None, api_proxy: ApiProxy
):
    web = new_workload(cluster).ref
    writer.put(web, status())
    await settled(writer)
    body = {"apiVersion": "tinyforge.dev/v1alpha1", "kind": "Workload", "status": {"conditions": [condition("Theirs")]}}
    path = "/apis/tinyforge.dev/v1alpha1/namespaces/default/workloads/web/status"
    cluster.api.patch(path, body, "apply", fieldManager="somebody")
    await until(lambda: writes(api_proxy) == 2)  # once, to see whose it is
    await settled(writer)
    await asyncio.sleep(0.3)
    assert {it["type"] for it in shown(cluster, web)["conditions"]} == {"Ready", "Theirs"}
    assert writes(api_proxy) == 2
