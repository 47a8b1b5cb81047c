"""The end of a term, by a signal or by another leader: nothing is said in its name afterwards."""

import asyncio
import signal
import threading
from typing import Any

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.controllers import SOON, Controller, environment_of_a_user
from tests.e2e.index import Index
from tests.operator.conftest import Start
from tests.operator.looking import host, stack, workload_becomes
from tests.operator.running import OFTEN, SECONDS, account
from tests.servers import kubeconfigs
from tests.servers.api_proxy import ApiProxy, hang
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tinyforge.cluster import NoCluster
from tinyforge.operator.controller import Controller as OperatorController
from tinyforge.ports import Engine, Fenced

TAKEN_OVER = "UPDATE tinyforge.leaders SET epoch = 7, holder = 'pod-1'; NOTIFY tinyforge_leaders"


@pytest.fixture
def shop(cluster: Cluster, docker_engine: DockerEngine) -> DockerEngine:
    """A host with the stack default/shop, of which a container runs."""
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack())
    return docker_engine


def test_p7_a_second_operator_deposes_the_first_which_ends_and_says_nothing_more(
    start: Start, cluster: Cluster, shop: DockerEngine, api_proxy: ApiProxy
):
    first = start(proxied=True, interval=OFTEN)
    workload_becomes(cluster, "True", "Running")
    start(interval=OFTEN)
    error = first.ends()
    assert isinstance(error, Fenced), repr(error)
    assert "epoch 2" in str(error)
    asked = len(api_proxy.requests)
    shop.client.kill("web")
    workload_becomes(cluster, "False", "NotRunning")
    assert len(api_proxy.requests) == asked


class SlowToClose:
    """An engine whose connection does not close before it may: no real one can be made to take its time."""

    def __init__(self, engine: Engine, closing: threading.Event, may_close: asyncio.Event) -> None:
        self._engine = engine
        self._closing = closing
        self._may_close = may_close

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    async def close(self) -> None:
        self._closing.set()
        await self._may_close.wait()
        await self._engine.close()


def test_p7_no_status_is_written_from_the_moment_on_at_which_another_one_leads(
    start: Start, cluster: Cluster, shop: DockerEngine, api_proxy: ApiProxy, index: Index
):
    closing, may_close = threading.Event(), asyncio.Event()
    operator = start(proxied=True, around=lambda engine: SlowToClose(engine, closing, may_close))
    workload_becomes(cluster, "True", "Running")
    operator.until_written()
    index.sql(TAKEN_OVER)
    assert closing.wait(SECONDS)
    asked = len(api_proxy.requests)
    edited = cluster.patch("Workload", "shop", {"status": {"conditions": []}}, subresource="status")
    operator.until(lambda it: seen_at(it, "default/shop") == edited["metadata"]["resourceVersion"])
    operator.ask(lambda _: may_close.set())
    assert isinstance(operator.ends(), Fenced)
    assert [request for request in api_proxy.requests[asked:] if request.startswith("PATCH")] == []
    assert cluster.get("Workload", "shop")["status"]["conditions"] == []


def seen_at(controller: OperatorController, name: str) -> str:
    """The resource version at which an object was last seen: nobody is told of it who does not write statuses."""
    found = controller._objects.find(name)
    return found.state.resource_version if found else ""


def test_p7_an_operator_that_waits_for_the_api_server_is_deposed_all_the_same(start: Start, cluster: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil("GET ", hang())
    first = start(proxied=True)
    start()
    assert isinstance(first.ends(), Fenced)


def test_an_operator_that_could_never_watch_does_not_begin(start: Start, cluster: Cluster):
    command: Any = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws"}}
    folder, authority = cluster.control_plane.folder, cluster.control_plane.authority
    kubeconfig = kubeconfigs.write(folder / "by-command", server=cluster.control_plane.url, authority=authority.root.pem, user=command)
    error = start(kubeconfig=kubeconfig).ends()
    assert isinstance(error, NoCluster), repr(error)
    assert str(error) == "the test: a user who logs in by a command cannot watch; use a token or a client certificate"


def test_the_installed_program_ends_with_0_at_a_signal_and_with_1_when_it_is_deposed(
    cluster: Cluster, shop: DockerEngine, database_url: str
):
    kubeconfig = account(cluster)
    environment = environment_of_a_user(
        KUBECONFIG=str(kubeconfig), TINYFORGE_DATABASE_URL=database_url, TINYFORGE_INTERVAL="200ms", TINYFORGE_HTTP_ADDRESS="127.0.0.1:0"
    )
    first = second = None
    try:
        first = Controller("--no-leader-election", verb="controller", environment=environment)
        workload_becomes(cluster, "True", "Running")
        second = Controller("--no-leader-election", verb="controller", environment=environment)
        assert first.ends(within=30) == 1
        assert first.messages[-1].startswith("Error: ")
        assert "took over with epoch 2" in first.messages[-1]
        shop.client.kill("web")
        workload_becomes(cluster, "False", "NotRunning")
        second.signal(signal.SIGTERM)
        assert second.ends(within=SOON) == 0
        assert [line["message"] for line in second.lines if line.get("level") not in ("INFO", None)] == []
    finally:
        for controller in filter(None, (first, second)):
            controller.kill()
