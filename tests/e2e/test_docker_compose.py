"""The real Docker Compose under a running controller: its labels, and the moments in between."""

import time
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.compose import Compose
from tests.servers.docker_engine import DockerEngine

PROJECT = "tinyforge-default_shop"
GONE = "missing (ContainerGone)"


@pytest.fixture
def compose(docker_engine: DockerEngine, manifests: Manifests, run: Start, tmp_path: Path) -> Compose:
    """Docker Compose for the stack default/shop, with services web and db."""
    manifests.host("local", docker_engine.endpoint)
    manifests.workload("shop", "stack")
    run()
    (tmp_path / "compose").mkdir()
    return Compose(docker_engine, tmp_path / "compose", PROJECT, {"web": {}, "db": {}})


def test_m7_m11_each_service_has_its_row_and_each_further_container_of_it_a_numbered_one(compose: Compose, index: Index) -> None:
    compose.up("--scale=web=3")
    up = {"default/shop:db": "running", "default/shop:web": "running", "default/shop:web:2": "running", "default/shop:web:3": "running"}
    index.becomes(up)
    index.record()
    compose.up("--scale=web=1")
    index.becomes(up | {"default/shop:web:2": GONE, "default/shop:web:3": GONE})
    compose.down()
    index.becomes(dict.fromkeys(up, GONE))
    compose.up()
    index.becomes({"default/shop:db": "running", "default/shop:web": "running", "default/shop:web:2": GONE, "default/shop:web:3": GONE})
    assert {id_ for id_, *_ in index.history()} == up.keys()


def test_m11_what_compose_run_leaves_never_takes_its_services_row(compose: Compose, index: Index, docker_engine: DockerEngine) -> None:
    compose.up("web")
    index.becomes({"default/shop:web": "running"})
    index.record()
    compose.run("web", "true")
    (one_off,) = (it["Id"] for it in docker_engine.client.containers(all=True) if it["State"] == "exited")
    index.becomes({"default/shop:web": "running", f"default/shop:{one_off}": "stopped"})
    assert index.sql("SELECT role FROM tinyforge.containers WHERE container_id = %s", one_off) == [("web",)]
    compose.down()
    index.becomes({"default/shop:web": GONE, f"default/shop:{one_off}": GONE})
    assert {container for id_, _, container, _ in index.history() if id_ == "default/shop:web"} == {index.containers()["default/shop:web"]}


def test_m9_w6_a_recreated_service_passes_from_the_old_container_to_the_new_one_once(compose: Compose, index: Index) -> None:
    compose.up()
    index.becomes({"default/shop:db": "running", "default/shop:web": "running"})
    before = index.containers()
    index.record()
    compose.change({"web": {"environment": {"CHANGED": "yes"}}, "db": {}})
    compose.up()
    index.becomes({"default/shop:db": "running", "default/shop:web": "running"})
    index.passes(count=3)
    after = index.containers()
    assert after["default/shop:web"] != before["default/shop:web"]
    assert {id_ for id_, *_ in index.history()} == {"default/shop:web"}
    held = [container for _, _, container, _ in index.history()]
    assert held == sorted(held, key=[before["default/shop:web"], after["default/shop:web"]].index)
    assert index.states() == {"default/shop:db": "running", "default/shop:web": "running"}


def test_m9_while_there_are_two_containers_under_one_number_the_running_one_has_the_row_and_then_the_younger(
    compose: Compose, index: Index, docker_engine: DockerEngine
) -> None:
    """A recreate has them for a moment; here the moment lasts, by a second container with the very labels that Compose wrote."""
    compose.up("web")
    index.becomes({"default/shop:web": "running"})
    old = index.containers()["default/shop:web"]
    (seen,) = docker_engine.client.containers()
    until(lambda: int(time.time()) > seen["Created"], True)  # Docker lists ages in whole seconds
    index.record()
    young = docker_engine.create("web-young", docker_engine.client.inspect_container(old)["Config"]["Labels"])
    index.passes(count=3)
    assert index.history() == []
    docker_engine.client.kill(old)
    index.becomes({"default/shop:web": "created"})
    docker_engine.client.start(young)
    index.becomes({"default/shop:web": "running"})
    docker_engine.client.remove_container(old)
    index.passes(count=3)
    assert {container for _, _, container, _ in index.history()} == {young}
    assert index.containers() == {"default/shop:web": young}
