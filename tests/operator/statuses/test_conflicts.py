"""A status is written over exactly the object that was seen, or that object is looked at again."""

import asyncio
import json

from aiohttp import web

from tests.index.waiting import until
from tests.operator.statuses.objects import WRITES, message, new_workload, settled, shown, status, writes
from tests.servers.api_proxy import ApiProxy, Fault, Forward, delay, dropped, refuse
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import ObjectState
from tinyforge.operator.status_writer import StatusWriter


async def test_an_edit_of_the_spec_in_between_is_a_conflict_that_the_watch_resolves(
    cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy
):
    web = new_workload(cluster)
    writer.watched(web)
    edited = ObjectState.of(cluster.patch("Workload", "web", {"spec": {"group": "shop"}}))
    writer.put(web.ref, status())
    await until(lambda: writes(api_proxy) == 1)
    await asyncio.sleep(0.2)
    assert message(cluster, web.ref) == ""
    writer.watched(edited)
    await settled(writer, seconds=1)
    assert message(cluster, web.ref) == "all run"
    assert len(api_proxy.requests) == 2


async def test_a_conflict_that_no_watch_tells_of_is_looked_at(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster)
    writer.watched(web)
    cluster.patch("Workload", "web", {"spec": {"group": "shop"}})
    writer.put(web.ref, status())
    await settled(writer)
    assert message(cluster, web.ref) == "all run"
    assert [it.split()[0] for it in api_proxy.requests] == ["PATCH", "GET", "PATCH"]


async def test_an_old_sighting_that_comes_late_is_not_believed(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster)
    writer.watched(web)
    writer.put(web.ref, status())
    await settled(writer)
    writer.watched(web)
    assert writer.unwritten == 0
    assert writes(api_proxy) == 1


async def test_a_successor_of_the_same_name_never_gets_the_old_ones_status(cluster: RealCluster, writer: StatusWriter, watched: None):
    old = new_workload(cluster).ref
    writer.put(old, status("of the old one"))
    await settled(writer)
    cluster.delete("Workload", "web")
    new = new_workload(cluster).ref
    writer.put(old, status("late news of the old one"))
    await settled(writer)
    assert shown(cluster, new) == {}
    writer.put(new, status("of the new one"))
    await settled(writer)
    assert message(cluster, new) == "of the new one"


async def test_a_status_under_way_does_not_reach_a_successor(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster)
    api_proxy.spoil(WRITES, delay(0.3))
    writer.watched(web)
    arrived = api_proxy.next_request(WRITES)
    writer.put(web.ref, status("of the old one"))
    await asyncio.wrap_future(arrived)
    cluster.delete("Workload", "web")
    new = new_workload(cluster).ref
    await settled(writer)
    assert shown(cluster, new) == {}


async def test_an_object_that_is_gone_is_forgotten_when_its_list_says_so(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster)
    writer.watched(web)
    cluster.delete("Workload", "web")
    writer.put(web.ref, status())
    await until(lambda: writes(api_proxy) == 1)
    await asyncio.sleep(0.2)
    assert (writer.unwritten, len(api_proxy.requests)) == (1, 1)
    writer.gone(web.ref)
    assert writer.unwritten == 0


async def test_fault_28_an_object_that_the_server_does_not_know_for_a_moment_is_not_forgotten(
    cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy
):
    """As one of several API servers may, which has heard of a definition later than the others."""
    web = new_workload(cluster)
    api_proxy.spoil("(PATCH|GET) .*/workloads/web", refuse(404), times=2)
    writer.watched(web)
    writer.put(web.ref, status())
    await settled(writer)
    assert message(cluster, web.ref) == "all run"
    assert [it.split()[0] for it in api_proxy.requests] == ["PATCH", "GET", "GET", "PATCH"]


async def test_a_write_whose_answer_was_lost_is_not_sent_again(cluster: RealCluster, writer: StatusWriter, api_proxy: ApiProxy):
    web = new_workload(cluster)
    api_proxy.spoil(WRITES, lose_answer(cluster), times=1)
    writer.watched(web)
    writer.put(web.ref, status())
    await settled(writer)
    assert message(cluster, web.ref) == "all run"
    assert [it.split()[0] for it in api_proxy.requests] == ["PATCH", "GET"]


def lose_answer(cluster: RealCluster) -> Fault:
    """Have done what was asked, and hang up instead of saying so."""

    async def fault(request: web.Request, _: Forward) -> web.StreamResponse:
        body = json.loads(await request.read())
        cluster.api.request(request.method, request.path_qs, body, content_type=request.headers["Content-Type"])
        return dropped(request)

    return fault
