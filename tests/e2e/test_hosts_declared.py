"""Hosts that are suspended, taken out, mended and exchanged in the manifests, under a running controller."""

import pytest

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine

WEB = "default/shop:web"


@pytest.fixture
def engines(docker_engine: DockerEngine, another_docker_engine: DockerEngine, manifests: Manifests) -> tuple[DockerEngine, DockerEngine]:
    """The engines of hosts a and b, with a container of the stack default/shop on both; the workload is declared for a."""
    for name, engine in (("a", docker_engine), ("b", another_docker_engine)):
        manifests.host(name, engine.endpoint)
        engine.create("web", belonging_to("shop", "web"), start=True)
    manifests.workload("shop", "stack", host="a")
    return docker_engine, another_docker_engine


def test_s5_t1_a_host_that_is_suspended_or_taken_out_leaves_its_rows_unknown_until_it_is_back(
    engines: tuple[DockerEngine, DockerEngine], manifests: Manifests, run: Start, index: Index
) -> None:
    controller = run()
    index.becomes({WEB: "running"})
    manifests.host("a", engines[0].endpoint, suspend=True)
    index.becomes({WEB: "unknown (HostSuspended)"})
    engines[0].client.kill("web")
    manifests.host("a", engines[0].endpoint)
    index.becomes({WEB: "stopped"})
    manifests.remove("host-a.yaml")
    index.becomes({WEB: "unknown (HostRemoved)"})
    assert 'no DockerHost "a" is declared; declared are: b' in controller.says("default/shop is refused")
    engines[0].client.start("web")
    manifests.host("a", engines[0].endpoint)
    index.becomes({WEB: "running"})
    assert index.host("a") == "reachable"


def test_m5_w7_a_workload_that_moves_to_another_host_takes_its_rows_along_once(
    engines: tuple[DockerEngine, DockerEngine], manifests: Manifests, run: Start, index: Index
) -> None:
    on_a, on_b = (engine.client.inspect_container("web")["Id"] for engine in engines)
    engines[0].create("db", belonging_to("shop", "db"), start=True)
    run()
    index.becomes({WEB: "running", "default/shop:db": "running"})
    assert index.containers()[WEB] == on_a
    index.record()
    manifests.workload("shop", "stack", host="b")
    index.becomes({WEB: "running", "default/shop:db": "missing (WorkloadRemoved)"})
    index.passes("a")
    index.passes("b")
    held = [container for id_, state, container, _ in index.history() if id_ == WEB and state != "missing"]
    assert held == [on_b]
    assert index.sql("SELECT host FROM tinyforge.containers WHERE id = %s", WEB) == [("b",)]


def test_a_host_that_is_unreachable_for_a_mistake_in_its_manifest_is_reached_once_that_is_mended(
    docker_engine: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    manifests.host("a", "unix:///nowhere/docker.sock")
    controller = run()
    index.host_becomes("unreachable (ConnectFailed)", "a")
    assert controller.says("host a: ConnectFailed") == (
        "host a: ConnectFailed: /nowhere/docker.sock: there is no such socket; is the Docker Engine running, and is this its path?; "
        "its containers are unknown until it answers"
    )
    manifests.host("a", docker_engine.endpoint)
    index.host_becomes("reachable", "a")
