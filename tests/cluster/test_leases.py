"""The Lease of the election, on the real API server: written over what was read or not at all, and whole."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.servers.api_proxy import ApiProxy, Forward, empty, hang, refuse, unanswered
from tests.servers.cluster import Cluster as RealCluster
from tests.servers.kubernetes_api import Object
from tests.servers.kubernetes_users import elector_in
from tinyforge.cluster import Access, ClusterLeases, ClusterRefused, ClusterUnavailable, Event, EventType, ObjectMoved
from tinyforge.cluster.kubeconfig import read_kubeconfig
from tinyforge.domain.lease import Lease

OURS = Lease(
    holder="pod-a/0123",
    duration=15.0,
    transitions=7,
    acquired_at="2026-11-24T12:00:00.000001Z",
    renewed_at="2026-11-24T12:00:02.120000Z",
)


@pytest.fixture
def namespace(cluster: RealCluster) -> str:
    return cluster.new_namespace()


@pytest.fixture
def elector(cluster: RealCluster, namespace: str) -> Path:
    return elector_in(cluster, namespace)


@asynccontextmanager
async def leases_of(kubeconfig: Path, namespace: str, *, name: str = "tinyforge") -> AsyncIterator[ClusterLeases]:
    access = Access(config=read_kubeconfig(str(kubeconfig)), namespace=namespace, found_by="the test")
    leases = ClusterLeases(access, namespace=namespace, name=name, seconds=0.5, instance="pod-a")
    try:
        yield leases
    finally:
        await leases.close()


@pytest.fixture
async def leases(elector: Path, namespace: str) -> AsyncIterator[ClusterLeases]:
    async with leases_of(elector, namespace) as leases:
        yield leases


@pytest.fixture
async def proxied(elector: Path, namespace: str, api_proxy: ApiProxy) -> AsyncIterator[ClusterLeases]:
    async with leases_of(api_proxy.kubeconfig(elector), namespace) as leases:
        yield leases


def stored(cluster: RealCluster, namespace: str) -> Object:
    return cluster.get("Lease", "tinyforge", namespace)


def unversioned(lease: Lease | None) -> Lease:
    assert lease
    return replace(lease, resource_version="")


async def test_there_is_no_lease_at_first(leases: ClusterLeases):
    assert await leases.read() is None


async def test_a_lease_is_read_as_it_was_made(leases: ClusterLeases, cluster: RealCluster, namespace: str):
    made = await leases.create(OURS)
    assert made == await leases.read()
    assert made.resource_version
    assert unversioned(made) == OURS
    assert stored(cluster, namespace)["spec"] == {
        "holderIdentity": "pod-a/0123",
        "leaseDurationSeconds": 15,
        "leaseTransitions": 7,
        "acquireTime": "2026-11-24T12:00:00.000001Z",
        "renewTime": "2026-11-24T12:00:02.120000Z",
    }


async def test_a_second_lease_is_not_made(leases: ClusterLeases):
    await leases.create(OURS)
    with pytest.raises(ObjectMoved, match="already exists"):
        await leases.create(OURS)


async def test_a_lease_is_written_over_what_was_read(leases: ClusterLeases):
    made = await leases.create(OURS)
    freed = await leases.replace(replace(OURS, holder="", renewed_at=""), over=made.resource_version)
    assert (freed.holder, freed.renewed_at, freed.transitions) == ("", "", 7)
    assert freed == await leases.read()


async def test_a_lease_that_changed_meanwhile_is_not_written_to(leases: ClusterLeases, cluster: RealCluster, namespace: str):
    made = await leases.create(OURS)
    cluster.patch("Lease", "tinyforge", {"spec": {"holderIdentity": "somebody"}}, namespace)
    with pytest.raises(ObjectMoved):
        await leases.replace(OURS, over=made.resource_version)
    assert stored(cluster, namespace)["spec"]["holderIdentity"] == "somebody"


async def test_a_state_that_another_reader_saw_is_written_over_too(leases: ClusterLeases, elector: Path, namespace: str):
    made = await leases.create(OURS)
    async with leases_of(elector, namespace) as others:
        assert unversioned(await others.replace(replace(OURS, holder="b"), over=made.resource_version)).holder == "b"
        with pytest.raises(ObjectMoved, match="has been modified or deleted"):
            await others.replace(OURS, over=made.resource_version)


async def test_fault_05_a_lease_that_was_deleted_is_not_brought_back_by_a_write_over_it(
    leases: ClusterLeases, cluster: RealCluster, namespace: str
):
    made = await leases.create(OURS)
    cluster.delete("Lease", "tinyforge", namespace)
    with pytest.raises(ObjectMoved):
        await leases.replace(OURS, over=made.resource_version)
    assert await leases.read() is None


async def test_what_others_say_about_the_lease_stays(leases: ClusterLeases, cluster: RealCluster, namespace: str):
    await leases.create(OURS)
    theirs = {"labels": {"team": "shop"}, "annotations": {"note": "\u2028 hands off"}}
    cluster.patch("Lease", "tinyforge", {"metadata": theirs}, namespace)
    seen = await leases.read()
    assert seen
    await leases.replace(replace(OURS, transitions=8), over=seen.resource_version)
    after = stored(cluster, namespace)
    assert (after["metadata"]["labels"], after["metadata"]["annotations"]) == (theirs["labels"], theirs["annotations"])
    assert after["spec"]["leaseTransitions"] == 8


async def test_fields_that_a_newer_api_server_has_stay(proxied: ClusterLeases, api_proxy: ApiProxy):
    """The proxy is that server: ours drops what it does not know."""
    written: list[Any] = []

    async def newer(request: Any, _forward: Forward) -> Any:
        metadata = {"name": "tinyforge", "uid": "u", "resourceVersion": "5"}
        return web.json_response({"metadata": metadata, "spec": {"holderIdentity": "a", "newer": [1]}, "beside": {"spec": 2}})

    async def noted(request: Any, forward: Forward) -> Any:
        written.append(await request.json())
        return await newer(request, forward)

    api_proxy.spoil("GET .*", newer)
    api_proxy.spoil("PUT .*", noted)
    await proxied.replace(OURS, over="5")
    assert written[0]["spec"] == {"newer": [1], "holderIdentity": "pod-a/0123", "leaseDurationSeconds": 15, "leaseTransitions": 7} | {
        "acquireTime": OURS.acquired_at,
        "renewTime": OURS.renewed_at,
    }
    assert written[0]["beside"] == {"spec": 2}
    assert written[0]["metadata"]["uid"] == "u"


async def test_a_lease_that_says_nothing_is_free_and_not_shorter_than_any_other(
    leases: ClusterLeases, cluster: RealCluster, namespace: str
):
    cluster.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "tinyforge", "namespace": namespace}})
    assert unversioned(await leases.read()) == Lease(holder="", duration=15.0, transitions=0)


async def test_a_watch_tells_what_is_and_every_change_soon(leases: ClusterLeases, cluster: RealCluster, namespace: str):
    made = await leases.create(OURS)
    async with aclosing(leases.watch()) as watch, asyncio.timeout(10):
        assert await anext(watch) == made
        freed = await leases.replace(replace(OURS, holder=""), over=made.resource_version)
        assert await anext(watch) == freed
        cluster.delete("Lease", "tinyforge", namespace)
        assert await anext(watch) is None
        made = await leases.create(OURS)
        assert await anext(watch) == made


async def test_a_watch_tells_of_no_other_lease(elector: Path, cluster: RealCluster, namespace: str, leases: ClusterLeases):
    async with aclosing(leases.watch()) as watch, asyncio.timeout(10):
        first = asyncio.ensure_future(anext(watch))
        other = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "other", "namespace": namespace}}
        await asyncio.to_thread(cluster.apply, other)
        assert await leases.create(OURS) == await first


async def test_a_watch_that_is_closed_hangs_up(proxied: ClusterLeases, api_proxy: ApiProxy):
    await proxied.create(OURS)
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def noticed(request: Any, forward: Forward) -> Any:
        try:
            return await forward(request)
        finally:
            loop.call_soon_threadsafe(ended.set)

    api_proxy.spoil("GET .*watch=true", noticed)
    async with aclosing(proxied.watch()) as watch:
        await anext(watch)
    await asyncio.wait_for(ended.wait(), 5)


async def test_a_watch_waits_longer_than_any_request_may_take(leases: ClusterLeases):
    made = await leases.create(OURS)
    async with aclosing(leases.watch()) as watch, asyncio.timeout(10):
        await anext(watch)
        change = asyncio.ensure_future(anext(watch))
        _, waiting = await asyncio.wait({change}, timeout=0.8)  # of 0.5 s
        assert waiting
        freed = await leases.replace(replace(OURS, holder=""), over=made.resource_version)
        assert await change == freed


async def test_a_watch_that_does_not_begin_is_given_up(proxied: ClusterLeases, api_proxy: ApiProxy):
    api_proxy.spoil("GET .*watch=true", hang())
    with pytest.raises(ClusterUnavailable, match="did not answer in time"):
        await anext(proxied.watch())


async def test_a_watch_that_nothing_comes_out_of_ends(proxied: ClusterLeases, api_proxy: ApiProxy):
    api_proxy.spoil("GET .*watch=true", empty())
    assert [seen async for seen in proxied.watch()] == []


async def test_a_watch_that_is_refused_says_so(proxied: ClusterLeases, api_proxy: ApiProxy):
    api_proxy.spoil("GET .*watch=true", refuse(403, message="no watching"))
    with pytest.raises(ClusterRefused, match="no watching"):
        await anext(proxied.watch())


async def test_who_may_not_read_the_lease_is_told_so(elector: Path, namespace: str):
    async with leases_of(elector, namespace, name="anybody-elses") as others:
        with pytest.raises(ClusterRefused, match='cannot get resource "leases"') as refused:
            await others.read()
    assert refused.value.status == 403


async def test_a_request_that_hangs_ends_in_time_and_the_next_goes_over_a_new_connection(proxied: ClusterLeases, api_proxy: ApiProxy):
    """A connection that is dead takes requests, and answers none."""
    connections: list[object] = []

    async def noted(request: Any, forward: Forward) -> Any:
        connections.append(request.transport)
        return await (hang()(request, forward) if len(connections) == 3 else forward(request))

    api_proxy.spoil("GET .*/leases/tinyforge", noted)
    for _ in range(2):
        await proxied.read()
    began = time.monotonic()
    with pytest.raises(ClusterUnavailable) as failed:
        await proxied.read()
    assert time.monotonic() - began < 2
    assert failed.value.maybe_done
    await proxied.read()
    one, same, hung, new = connections
    assert one is same is hung
    assert new is not one


@pytest.mark.parametrize("after", [0.0, 0.7], ids=["at once", "after it was given up"])
async def test_fault_12_a_write_that_is_done_and_not_answered_says_that_it_may_be(
    proxied: ClusterLeases, api_proxy: ApiProxy, cluster: RealCluster, namespace: str, after: float
):
    made = await proxied.create(OURS)
    api_proxy.spoil("PUT .*", unanswered(after=after), times=1)
    with pytest.raises(ClusterUnavailable) as failed:
        await proxied.replace(replace(OURS, transitions=8), over=made.resource_version)
    assert failed.value.maybe_done
    await asyncio.to_thread(cluster.wait, "Lease", "tinyforge", lambda it: it["spec"]["leaseTransitions"] == 8, namespace)


async def test_a_lease_is_named_by_the_uid_of_its_namespace(leases: ClusterLeases, cluster: RealCluster, namespace: str):
    uid = cluster.get("Namespace", namespace)["metadata"]["uid"]
    assert await leases.qualified_name() == f"{uid}/tinyforge"


async def test_an_event_about_the_lease_stands_beside_it(leases: ClusterLeases, cluster: RealCluster, namespace: str):
    await leases.create(OURS)
    event = Event(type=EventType.NORMAL, reason="LeaderElected", action="Campaign", note="pod-a leads with epoch 7")
    await leases.post_event(event)
    (posted,) = cluster.api.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
    assert (posted["reason"], posted["note"], posted["reportingInstance"]) == ("LeaderElected", "pod-a leads with epoch 7", "pod-a")
    assert posted["regarding"]["uid"] == stored(cluster, namespace)["metadata"]["uid"]
    described = await asyncio.to_thread(cluster.kubectl, "describe", "lease", "tinyforge", f"--namespace={namespace}")
    assert "pod-a leads with epoch 7" in described.stdout
