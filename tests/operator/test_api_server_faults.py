"""What becomes of the operator while the API server is away, slow or silent, or takes its token no more: the installed program, as a person
starts it, in front of a real API server. Faults 28, 29, 30 and 32.
"""

import json
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import kopf
import pytest
from aiohttp import web

from tests.e2e.containers import belonging_to
from tests.e2e.controllers import Controller, environment_of_a_user
from tests.e2e.index import Index, until
from tests.operator.running import account
from tests.servers.api_proxy import ApiProxy, Forward, delay, empty, refuse
from tests.servers.cluster import Cluster, condition_is
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres

MINUTE = 60.0
HANGS = 12.0
"""Longer than a call may take, 5 s, and than a watch may say nothing, 10 s."""
SOON = 15.0
"""Within how many seconds an API server that is back has true statuses: it takes 2 or 3, and this machine may do much else."""
ADMIN = """
apiVersion: v1
kind: ServiceAccount
metadata: {name: operator}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: operator, namespace: default}]
"""
SHOP = """
apiVersion: tinyforge.dev/v1alpha1
kind: DockerHost
metadata: {{name: vm1}}
spec: {{endpoint: "{endpoint}", allowedNamespaces: ["*"]}}
---
apiVersion: tinyforge.dev/v1alpha1
kind: Workload
metadata: {{name: shop}}
spec: {{kind: stack, host: vm1}}
"""


@pytest.fixture
def index(postgres_server: Postgres, database_url: str) -> Index:
    return Index(postgres_server, database_url)


@pytest.fixture
def shop(docker_engine: DockerEngine) -> DockerEngine:
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    return docker_engine


@contextmanager
def operating(kubeconfig: Path, index: Index) -> Iterator[Controller]:
    """A controller on a database, which is still the same process at the end."""
    settings = {
        "KUBECONFIG": str(kubeconfig),
        "TINYFORGE_DATABASE_URL": index.url,
        "TINYFORGE_HTTP_ADDRESS": "127.0.0.1:0",
        "TINYFORGE_INTERVAL": "500ms",
    }
    controller = Controller(verb="controller", environment=environment_of_a_user(**settings))
    try:
        yield controller
        assert controller.runs, controller
    finally:
        controller.kill()


async def expired(_request: web.Request, _forward: Forward) -> web.StreamResponse:
    """Answer a watch as the API server does if it remembers too little: with 200, and 410 as the only event."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "Expired", "message": "too old", "code": 410}
    return web.Response(text=json.dumps({"type": "ERROR", "object": status}) + "\n", content_type="application/json")


def ready(cluster: Cluster, status: str = "True", reason: str = "", *, seconds: float = 30) -> None:
    """Wait until the workload is, or is not."""
    cluster.wait("Workload", "shop", lambda found: condition_is(found, type_="Ready", status=status, reason=reason), seconds=seconds)


def through(proxy: ApiProxy, cluster: Cluster) -> Path:
    """The kubeconfig of a service account that may do everything, by way of the proxy."""
    cluster.apply(ADMIN)
    return proxy.kubeconfig(cluster.control_plane.kubeconfig_for("default/operator"))


def soon_true(cluster: Cluster) -> None:
    """See the statuses tell soon of what happened during an outage, and of what is edited after it."""
    ready(cluster, "False", "NotRunning", seconds=SOON)
    cluster.patch("DockerHost", "vm1", {"spec": {"suspend": True}})
    ready(cluster, "Unknown", "HostSuspended", seconds=SOON)


@pytest.mark.timeout(180)
def test_fault_28_with_the_api_server_dead_for_a_minute_the_index_goes_on_and_the_statuses_are_true_soon_after(
    own_cluster: Cluster, shop: DockerEngine, index: Index
) -> None:
    api_server = own_cluster.control_plane.api_server
    own_cluster.apply(SHOP.format(endpoint=shop.endpoint))
    with operating(account(own_cluster), index) as controller:
        ready(own_cluster)
        api_server.kill()
        goes_on(index, shop, seconds=MINUTE)
        api_server.start()
        soon_true(own_cluster)
        assert controller.said("kopf ended") == 0


def test_fault_28_with_an_api_server_that_hangs_the_index_goes_on_and_the_statuses_are_true_soon_after(
    own_cluster: Cluster, shop: DockerEngine, index: Index
) -> None:
    api_server = own_cluster.control_plane.api_server
    own_cluster.apply(SHOP.format(endpoint=shop.endpoint))
    with operating(account(own_cluster), index) as controller:
        ready(own_cluster)
        api_server.freeze()
        goes_on(index, shop, seconds=HANGS)
        api_server.thaw()
        soon_true(own_cluster)
        assert controller.said("kopf ended") == 0


def goes_on(index: Index, shop: DockerEngine, *, seconds: float) -> None:
    """Let a container end, and see that the index knows it, that passes go on for so long, and that nobody touches the container."""
    end = time.monotonic() + seconds
    index.passes("vm1")
    shop.client.kill("web")
    index.becomes({"default/shop:web": "stopped"})
    while time.monotonic() < end:
        index.passes("vm1")
    assert shop.client.inspect_container("web")["State"]["Status"] == "exited"


def test_fault_28_an_api_server_that_is_away_at_the_start_is_waited_for_and_nothing_is_swept_meanwhile(
    own_cluster: Cluster, shop: DockerEngine, index: Index
) -> None:
    own_cluster.apply(SHOP.format(endpoint=shop.endpoint))
    kubeconfig = account(own_cluster)
    with operating(kubeconfig, index):
        ready(own_cluster)
    own_cluster.control_plane.api_server.kill()
    before = index.sql("SELECT id, state, last_seen_at FROM tinyforge.containers")
    with operating(kubeconfig, index) as controller:
        controller.says("trying again every 2 s")
        assert index.sql("SELECT id, state, last_seen_at FROM tinyforge.containers") == before
        own_cluster.control_plane.api_server.start()
        index.passes("vm1")
        assert index.states() == {"default/shop:web": "running"}


def test_fault_28_more_errors_in_a_row_than_kopf_bears_by_default_end_nothing(
    cluster: Cluster, api_proxy: ApiProxy, shop: DockerEngine, index: Index
) -> None:
    """kopf ends when a request has failed once more than it has back-offs, and by its defaults those take a minute."""
    by_default = kopf.OperatorSettings().networking.error_backoffs
    assert isinstance(by_default, Iterable)
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    way = through(api_proxy, cluster)
    api_proxy.spoil("GET .*/dockerhosts$", refuse(500))  # kopf's lists; ours come with a limit
    api_proxy.spoil("GET .*/workloads$", refuse(403))
    with operating(way, index) as controller:
        ready(cluster)
        until(lambda: min(lists(api_proxy, "dockerhosts"), lists(api_proxy, "workloads")) > len(list(by_default)) + 1, True)
        api_proxy.heal()
        cluster.patch("DockerHost", "vm1", {"spec": {"suspend": True}})
        ready(cluster, "Unknown", "HostSuspended", seconds=SOON)
        assert controller.said("kopf ended") == 0


def lists(api_proxy: ApiProxy, kind: str) -> int:
    """How many of kopf's lists were asked for."""
    return sum(it.endswith(f"/{kind}") for it in api_proxy.requests)


def test_fault_29_a_watch_that_has_gone_silent_is_asked_anew(
    cluster: Cluster, api_proxy: ApiProxy, shop: DockerEngine, index: Index
) -> None:
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    with operating(through(api_proxy, cluster), index):
        ready(cluster)
        api_proxy.silence("GET .*watch")
        cluster.patch("DockerHost", "vm1", {"spec": {"suspend": True}})
        api_proxy.next_request("GET .*dockerhosts.*watch").result(30)
        api_proxy.heal()
        ready(cluster, "Unknown", "HostSuspended")


def test_fault_29_a_watch_that_is_gone_begins_anew(cluster: Cluster, api_proxy: ApiProxy, shop: DockerEngine, index: Index) -> None:
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    way = through(api_proxy, cluster)
    api_proxy.spoil("GET .*watch", expired, times=4)
    with operating(way, index) as controller:
        ready(cluster)
        cluster.patch("DockerHost", "vm1", {"spec": {"suspend": True}})
        ready(cluster, "Unknown", "HostSuspended", seconds=SOON)
        assert controller.said("kopf ended") == 0
    assert watches(api_proxy) > 4


def test_fault_30_an_api_server_that_asks_for_less_is_left_alone_and_loses_nothing(
    cluster: Cluster, api_proxy: ApiProxy, shop: DockerEngine, index: Index
) -> None:
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    with operating(through(api_proxy, cluster), index):
        ready(cluster)
        api_proxy.spoil("PATCH .*/status", refuse(429, retry_after=3))
        api_proxy.next_request("PATCH .*/status").result(30)
        asked_at = time.monotonic()
        api_proxy.heal()
        shop.client.kill("web")
        index.becomes({"default/shop:web": "stopped"})
        api_proxy.next_request("PATCH .*/status").result(30)
        assert time.monotonic() - asked_at > 2.5
        ready(cluster, "False", "NotRunning")


def test_a_slow_api_server_delays_no_pass(cluster: Cluster, api_proxy: ApiProxy, shop: DockerEngine, index: Index) -> None:
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    with operating(through(api_proxy, cluster), index):
        ready(cluster)
        api_proxy.spoil("", delay(4.0))
        api_proxy.next_request("PATCH .*/status").result(30)
        began = time.monotonic()
        index.passes("vm1", count=4)
        assert time.monotonic() - began < 3.9, "four passes of half a second wait for no answer that takes four"
        shop.client.kill("web")
        ready(cluster, "False", "NotRunning")


def test_a_proxy_that_answers_watches_with_nothing_is_survived(
    cluster: Cluster, api_proxy: ApiProxy, shop: DockerEngine, index: Index
) -> None:
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    way = through(api_proxy, cluster)
    api_proxy.spoil("GET .*watch", empty(), times=20)
    with operating(way, index) as controller:
        ready(cluster)
        cluster.patch("DockerHost", "vm1", {"spec": {"suspend": True}})
        ready(cluster, "Unknown", "HostSuspended", seconds=SOON)
        assert controller.said("kopf ended") == 0
    assert watches(api_proxy) > 20


def watches(api_proxy: ApiProxy) -> int:
    """How many watches were asked for."""
    return sum("watch=true" in it for it in api_proxy.requests)


def test_fault_32_a_token_that_is_rotated_is_used_without_a_restart(
    cluster: Cluster, shop: DockerEngine, index: Index, tmp_path: Path
) -> None:
    cluster.apply(ADMIN)
    cluster.apply(SHOP.format(endpoint=shop.endpoint))
    token, bound_to = tmp_path / "token", "first"
    token.write_text(_token(cluster, bound_to))
    with operating(_with_token_file(cluster, token, tmp_path), index) as controller:
        ready(cluster)
        token.write_text(_token(cluster, "second"))
        cluster.delete("Secret", bound_to)  # and with it goes what the API server thinks of the first token
        shop.client.kill("web")
        ready(cluster, "False", "NotRunning")
        cluster.patch("DockerHost", "vm1", {"spec": {"suspend": True}})
        ready(cluster, "Unknown", "HostSuspended", seconds=SOON)
        assert controller.said("kopf ended") == 0


def _token(cluster: Cluster, secret: str) -> str:
    """A token of the operator's service account that is good for as long as a Secret is there."""
    (made,) = cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": secret}})
    bound = {"kind": "Secret", "apiVersion": "v1", "name": secret, "uid": made["metadata"]["uid"]}
    path = "/api/v1/namespaces/default/serviceaccounts/operator/token"
    answer = cluster.api.request("POST", path, {"spec": {"boundObjectRef": bound}})
    return str(answer["status"]["token"])


def _with_token_file(cluster: Cluster, token: Path, folder: Path) -> Path:
    """The kubeconfig of whoever has the token in a file."""
    config = json.loads(cluster.control_plane.kubeconfig_for("default/operator").read_text())
    config["users"][0]["user"] = {"tokenFile": str(token)}
    kubeconfig = folder / "kubeconfig"
    kubeconfig.write_text(json.dumps(config))
    return kubeconfig
