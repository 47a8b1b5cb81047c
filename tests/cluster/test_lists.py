"""All objects of a kind are read, however many pages they are."""

import base64
import json
from collections.abc import Mapping
from typing import TypeVar

import httpx2
import pytest

from tests.objects.documents import docker_host, workload
from tests.servers.api_proxy import ApiProxy, refuse
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, ClusterUnavailable, ObjectKind, ObjectState
from tinyforge.cluster.listing import list_all
from tinyforge.cluster.requests import Requests

T = TypeVar("T")
HOSTS = "/apis/tinyforge.dev/v1alpha1/dockerhosts"


async def test_hosts_are_listed_as_they_are_written(connected: Cluster, cluster: RealCluster):
    applied = cluster.apply(docker_host("vps1"))[0]
    found = await connected.list_objects(ObjectKind.DOCKER_HOST)
    assert [it["spec"]["endpoint"] for it in found.objects] == ["unix:///var/run/docker.sock"]
    state = ObjectState.of(found.objects[0])
    assert (state.ref.name, state.ref.namespace, state.ref.uid) == ("vps1", "", applied["metadata"]["uid"])
    assert int(found.resource_version) >= int(state.resource_version)


async def test_workloads_are_those_of_all_namespaces_or_of_one(connected: Cluster, cluster: RealCluster):
    other = cluster.new_namespace()
    cluster.apply(workload("a"))
    cluster.apply(workload("b", namespace=other))
    everywhere = await connected.list_objects(ObjectKind.WORKLOAD)
    one = await connected.list_objects(ObjectKind.WORKLOAD, other)
    assert [it["metadata"]["name"] for it in everywhere.objects] == ["a", "b"]
    assert [it["metadata"]["name"] for it in one.objects] == ["b"]


async def test_two_thousand_do_not_come_in_one_answer(connected: Cluster, cluster: RealCluster, requests: Requests):
    for name in "abcde":
        cluster.apply(docker_host(name))
    found = await list_all(requests, HOSTS, page=2)
    assert [it["metadata"]["name"] for it in found.objects] == list("abcde")


class ForgetfulRequests(Requests):
    """Asks with a token for what was long ago, the first time it has one; the real API server then answers as it does to one that is."""

    forgotten = 0

    async def get(self, path: str, shape: type[T], *, query: Mapping[str, str] | None = None) -> T:
        query = dict(query or {})
        if "continue" in query and not self.forgotten:
            self.forgotten += 1
            old = json.loads(base64.urlsafe_b64decode(query["continue"] + "==")) | {"rv": 1}
            query["continue"] = base64.urlsafe_b64encode(json.dumps(old).encode()).decode().rstrip("=")
        return await super().get(path, shape, query=query)


@pytest.fixture
def client(connected: Cluster) -> httpx2.AsyncClient:
    return connected._requests._client


@pytest.fixture
def requests(client: httpx2.AsyncClient) -> Requests:
    return Requests(client)


async def test_fault_29_a_list_that_outlives_the_servers_memory_begins_anew(cluster: RealCluster, client: httpx2.AsyncClient):
    await forget_the_past(cluster)
    for name in "abcde":
        cluster.apply(docker_host(name))
    requests = ForgetfulRequests(client)
    found = await list_all(requests, HOSTS, page=2)
    assert requests.forgotten == 1
    assert [it["metadata"]["name"] for it in found.objects] == list("abcde")


async def forget_the_past(cluster: RealCluster) -> None:
    """Have etcd forget all that was, as the API server has it do every five minutes."""
    etcd = httpx2.AsyncHTTPTransport(uds=str(cluster.control_plane.folder / "localhost:1"))
    async with httpx2.AsyncClient(transport=etcd, base_url="http://localhost") as client:
        now = (await client.post("/v3/kv/range", json={"key": "YQ=="})).json()["header"]["revision"]
        (await client.post("/v3/kv/compaction", json={"revision": now, "physical": True})).raise_for_status()


async def test_fault_29_a_server_that_always_forgets_is_given_up(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(f"GET {HOSTS}", refuse(410))
    with pytest.raises(ClusterUnavailable, match="took longer than the API server remembers how things were, 3 times"):
        await proxied.list_objects(ObjectKind.DOCKER_HOST)
    assert len(api_proxy.requests) == 3
