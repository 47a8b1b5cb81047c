"""Kubernetes Events: one when the outcome that a person sees becomes another one, and none besides."""

from collections import Counter

from tests.cli.conftest import Tinyforge
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.operator.conftest import Start
from tests.operator.histories import history
from tests.operator.looking import condition, host, host_becomes, stack, workload_becomes
from tests.operator.running import OFTEN, Operator
from tests.servers.cluster import Cluster
from tests.servers.cutting_socket import CuttingSocket
from tests.servers.docker_engine import DockerEngine


def test_an_event_is_told_when_an_outcome_changes_and_never_for_a_pass_or_another_leader(
    start: Start, cluster: Cluster, docker_engine: DockerEngine, cutting_socket: CuttingSocket, index: Index
):
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(cutting_socket.endpoint))
    cluster.apply(stack())
    first = start(interval=OFTEN)
    workload_becomes(cluster, "True", "Running")
    until(lambda: told(cluster), {"local Normal PassComplete": 1, "shop Normal Running": 1})
    docker_engine.client.kill("web")
    workload_becomes(cluster, "False", "NotRunning")
    cutting_socket.refuse()
    workload_becomes(cluster, "Unknown", "HostUnreachable")
    so_far = {
        "local Normal PassComplete": 1,
        "local Warning ConnectFailed": 1,
        "shop Normal Running": 1,
        "shop Warning HostUnreachable": 1,
        "shop Warning NotRunning": 1,
    }
    until(lambda: told(cluster), so_far)
    first.stop()
    start(interval=OFTEN)
    index.passes(count=5)
    assert told(cluster) == so_far
    cutting_socket.accept()
    workload_becomes(cluster, "False", "NotRunning")
    until(lambda: told(cluster), so_far | {"local Normal PassComplete": 2, "shop Warning NotRunning": 2})


def test_an_event_says_what_the_condition_says_beside_the_object(operator: Operator, cluster: Cluster):
    cluster.apply(host("unix:///nowhere.sock"))
    found = host_becomes(cluster, "False", "ConnectFailed")
    until(lambda: told(cluster), {"local Warning ConnectFailed": 1})
    (event,) = cluster.list("Event", "default")
    assert event["message"] == condition(found)["message"]
    assert event["involvedObject"]["uid"] == found["metadata"]["uid"]
    assert event["source"] | {"component": event["reportingComponent"]} == {"component": "tinyforge.dev/controller"} | event["source"]
    shown = cluster.kubectl("describe", "dockerhost", "local").stdout
    assert "ConnectFailed" in shown.partition("Events:")[2]


def test_a_new_workload_is_first_spoken_of_when_its_host_was_looked_at(
    operator: Operator, cluster: Cluster, docker_engine: DockerEngine, tinyforge: Tinyforge
):
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(docker_engine.endpoint))
    host_becomes(cluster, "True", "PassComplete")
    with history(cluster, "Workload") as states:
        cluster.apply(stack())
        workload_becomes(cluster, "True", "Running")
        cluster.patch("Workload", "shop", {"spec": {"composeProject": "tinyforge-other"}})
        workload_becomes(cluster, "False", "NotRunning")
        cluster.patch("Workload", "shop", {"spec": {"composeProject": "tinyforge-default_shop"}})
        workload_becomes(cluster, "True", "Running")
    said = [
        (state["status"]["observedGeneration"], condition(state)["reason"]) for state in states if state.get("status", {}).get("conditions")
    ]
    assert list(dict.fromkeys(said)) == [(1, "Running"), (2, "NotRunning"), (3, "Running")]
    until(lambda: told(cluster), {"local Normal PassComplete": 1, "shop Normal Running": 2, "shop Warning NotRunning": 1})


def told(cluster: Cluster) -> dict[str, int]:
    """How often what was told of whom."""
    return dict(Counter(f"{it['involvedObject']['name']} {it['type']} {it['reason']}" for it in cluster.list("Event", "default")))
