"""Containers that are started, paused, killed, removed and made anew, and declarations that change under them: a row, and its state."""

import pytest

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine

WEB = "default/shop:web"
GONE = "missing (ContainerGone)"

DEPLOYERS_ROW = """
INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host, state) VALUES ('new', 'default/shop', 'stack', 'local', 'failed')
"""


@pytest.fixture
def watched(docker_engine: DockerEngine, manifests: Manifests, run: Start, index: Index) -> DockerEngine:
    """The engine of a running controller, with the stack default/shop on it."""
    manifests.host("local", docker_engine.endpoint)
    manifests.workload("shop", "stack")
    run()
    index.host_becomes("reachable")
    return docker_engine


def test_w4_w6_a_row_follows_its_container_from_created_to_gone_and_those_that_come_after_it(watched: DockerEngine, index: Index) -> None:
    first = watched.create("web", belonging_to("shop", "web"))
    index.becomes({WEB: "created"})
    for change, state in (
        (watched.client.start, "running"),
        (watched.client.pause, "paused"),
        (watched.client.unpause, "running"),
        (watched.client.kill, "stopped"),
        (watched.client.start, "running"),
    ):
        change(first)
        index.becomes({WEB: state})
    watched.client.remove_container(first, force=True)
    index.becomes({WEB: GONE})
    assert index.containers() == {WEB: first}
    second = watched.create("web", belonging_to("shop", "web"), start=True)
    index.becomes({WEB: "running"})
    assert index.containers() == {WEB: second}
    watched.client.remove_container(second, force=True)
    third = watched.create("web", belonging_to("shop", "web"), command=["false"])
    watched.client.update_container(third, restart_policy={"Name": "always"})
    watched.client.start(third)
    index.becomes({WEB: "restarting"})


def test_t1_s1_stopped_missing_and_not_there_yet_are_told_apart(watched: DockerEngine, index: Index) -> None:
    for service in ("stopped", "gone", "up"):
        watched.create(service, belonging_to("shop", service), start=True)
    index.sql(DEPLOYERS_ROW)
    up = {f"default/shop:{service}": "running" for service in ("stopped", "gone", "up")}
    index.becomes(up | {"new": "failed"})
    watched.client.stop("stopped")
    watched.client.remove_container("gone", force=True)
    index.becomes({"default/shop:gone": GONE, "default/shop:stopped": "stopped", "default/shop:up": "running", "new": "failed"})


def test_s4_t1_a_row_whose_workload_is_taken_out_or_changed_is_missing_until_it_is_put_back(
    watched: DockerEngine, manifests: Manifests, index: Index
) -> None:
    container = watched.create("web", belonging_to("shop", "web"), start=True)
    index.becomes({WEB: "running"})
    manifests.workload("shop", "stack", composeProject="tinyforge-other")
    index.becomes({WEB: "missing (NotMatched)"})
    manifests.workload("shop", "stack")
    index.becomes({WEB: "running"})
    manifests.remove("shop.yaml")
    index.becomes({WEB: "missing (WorkloadRemoved)"})
    manifests.workload("shop", "stack")
    index.becomes({WEB: "running"})
    assert index.containers() == {WEB: container}


def test_p8_w5_while_nothing_changes_no_row_is_written_and_what_is_seen_stays_fresh(watched: DockerEngine, index: Index) -> None:
    for service in ("web", "db"):
        watched.create(service, belonging_to("shop", service), start=True)
    index.becomes({"default/shop:db": "running", WEB: "running"})
    index.record()
    (before,) = index.sql("SELECT min(last_seen_at) FROM tinyforge.container_status")
    index.passes(count=3)
    assert index.history() == []
    (after,) = index.sql("SELECT min(last_seen_at) FROM tinyforge.container_status")
    assert after > before
