"""The proxy in front of the tests' API server lets pass what it is not told to spoil."""

import http.client
import json
import ssl
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.objects.documents import workload
from tests.servers.api_proxy import ApiProxy, delay, empty, hang, refuse
from tests.servers.cluster import Cluster
from tests.servers.kubernetes_users import WORKLOADS, reader

WATCH = f"{WORKLOADS}?watch=true"


@pytest.fixture
def kubeconfig(cluster: Cluster, api_proxy: ApiProxy) -> Path:
    """Somebody's who may read workloads, and asks through the proxy."""
    return api_proxy.kubeconfig(reader(cluster))


@pytest.fixture
def client(kubeconfig: Path, cluster: Cluster) -> Iterator[http.client.HTTPSConnection]:
    config = json.loads(kubeconfig.read_text())
    tls = ssl.create_default_context(cadata=cluster.control_plane.authority.root.pem.decode())
    place = urlsplit(config["clusters"][0]["cluster"]["server"]).netloc
    with closing(http.client.HTTPSConnection(place, context=tls, timeout=10)) as connection:
        yield connection


def ask(client: http.client.HTTPSConnection, path: str, kubeconfig: Path) -> http.client.HTTPResponse:
    token = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
    client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
    return client.getresponse()


def test_kubectl_sees_the_same_through_it_as_the_same_user(cluster: Cluster, kubeconfig: Path, api_proxy: ApiProxy):
    cluster.apply(workload())
    assert cluster.kubectl("--kubeconfig", kubeconfig, "get", "wl", "--output=name").stdout == "workload.tinyforge.dev/web\n"
    assert "forbidden" in cluster.kubectl("--kubeconfig", kubeconfig, "get", "secrets", check=False).stderr
    assert f"GET {WORKLOADS.replace('workloads', 'namespaces/default/workloads')}?limit=500" in api_proxy.requests


def test_a_request_is_refused_as_often_as_was_asked_for(client, kubeconfig: Path, api_proxy: ApiProxy):
    api_proxy.spoil(f"GET {WORKLOADS}", refuse(429, retry_after=7), times=2)
    answers = []
    for _ in range(3):
        answer = ask(client, WORKLOADS, kubeconfig)
        answers.append((answer.status, answer.headers["Retry-After"], json.loads(answer.read())["kind"]))
    assert answers == [(429, "7", "Status"), (429, "7", "Status"), (200, None, "WorkloadList")]


def test_what_another_path_gets_spoils_nothing(client, kubeconfig: Path, api_proxy: ApiProxy):
    api_proxy.spoil("PATCH .*/status", refuse(500))
    assert ask(client, WORKLOADS, kubeconfig).status == 200


def test_a_watch_passes_its_events_as_they_come(client, kubeconfig: Path, cluster: Cluster, api_proxy: ApiProxy):
    answer = ask(client, WATCH, kubeconfig)
    cluster.apply(workload("one"))
    assert json.loads(answer.readline())["object"]["metadata"]["name"] == "one"
    api_proxy.silence("GET .*watch=true")
    cluster.apply(workload("two"))
    with ThreadPoolExecutor() as pool:
        line = pool.submit(answer.readline)
        with pytest.raises(TimeoutError):
            line.result(0.3)
        api_proxy.heal()
        cluster.apply(workload("three"))
        assert json.loads(line.result(10))["object"]["metadata"]["name"] == "three"


def test_a_watch_can_be_answered_with_nothing(client, kubeconfig: Path, api_proxy: ApiProxy):
    api_proxy.spoil("GET .*watch=true", empty())
    answer = ask(client, WATCH, kubeconfig)
    assert (answer.status, answer.read()) == (200, b"")


def test_an_answer_can_be_late_or_never_come(client, kubeconfig: Path, api_proxy: ApiProxy):
    asked = api_proxy.next_request("GET .*workloads")
    api_proxy.spoil("GET ", delay(0.3))
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(ask, client, WORKLOADS, kubeconfig)
        assert asked.result(10) == f"GET {WORKLOADS}"
        assert not answer.done()
        assert answer.result().status == 200
    answer.result().read()
    api_proxy.spoil("GET ", hang())
    client.timeout = 0.3
    client.close()
    with pytest.raises(TimeoutError):
        ask(client, WORKLOADS, kubeconfig)


def test_where_the_api_server_is_away_a_connection_is_dropped(own_cluster: Cluster):
    kubeconfig = reader(own_cluster)
    with closing(ApiProxy(own_cluster.control_plane)) as proxy:
        through = proxy.kubeconfig(kubeconfig)
        own_cluster.control_plane.api_server.kill()
        told = own_cluster.kubectl("--kubeconfig", through, "get", "--raw", WORKLOADS, check=False)
        assert "EOF" in told.stderr
        own_cluster.control_plane.api_server.start()
        own_cluster.kubectl("--kubeconfig", through, "get", "--raw", "/version")
