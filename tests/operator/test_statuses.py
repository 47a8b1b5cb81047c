"""What `kubectl get dockerhosts,workloads` shows is true, and since when."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.index import Index
from tests.operator.conftest import Start
from tests.operator.looking import (
    LIST,
    condition,
    counts,
    host,
    host_becomes,
    last_pass,
    message,
    since,
    stack,
    workload_becomes,
)
from tests.operator.running import OFTEN, Operator
from tests.servers.cluster import Cluster
from tests.servers.cutting_socket import CuttingSocket, engine_id, silent
from tests.servers.docker_engine import DockerEngine


@dataclass(frozen=True)
class Trouble:
    """Something that can be wrong with an engine's socket, and what a host says then."""

    begin: Callable[[CuttingSocket], None]
    end: Callable[[CuttingSocket], None]
    reason: str


DEAD = Trouble(CuttingSocket.refuse, CuttingSocket.accept, "ConnectFailed")
FROZEN = Trouble(lambda socket: socket.spoil(LIST, silent()), CuttingSocket.heal, "Timeout")
LONG_AGO = "2020-01-01T00:00:00Z"
AGED = """
    UPDATE tinyforge.workloads SET status = regexp_replace(
        status::text, '"lastTransitionTime": "[^"]*"', '"lastTransitionTime": "2020-01-01T00:00:00Z"', 'g')::jsonb
"""
INFO = "/info"


@pytest.fixture
def shop(cluster: Cluster, docker_engine: DockerEngine, cutting_socket: CuttingSocket) -> DockerEngine:
    """A host behind the socket, with the stack default/shop, of which web runs and db has ended."""
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    docker_engine.create("db", belonging_to("shop", "db"), command=["true"])
    docker_engine.client.start("db")
    docker_engine.client.wait("db")
    cluster.apply(host(cutting_socket.endpoint))
    cluster.apply(stack())
    return docker_engine


def test_a_workload_is_ready_when_all_its_containers_run_and_says_which_do_not(start: Start, cluster: Cluster, shop: DockerEngine):
    start(interval=OFTEN)
    found = workload_becomes(cluster, "False", "NotRunning")
    assert message(found) == "1/2 running; stopped: db"
    assert counts(found) == {"total": 2, "running": 1, "stopped": 1}
    assert found["status"]["containers"]["summary"] == "1/2 running"
    shop.client.remove_container("db")
    found = workload_becomes(cluster, "False", "NotRunning", unless=lambda it: "stopped" in message(it))
    assert message(found) == "1/2 running; missing: db"
    assert counts(found) == {"total": 2, "running": 1, "missing": 1}
    shop.create("db", belonging_to("shop", "db"), start=True)
    cluster.kubectl("wait", "--for=condition=Ready", "workload/shop", "--timeout=30s")
    found = workload_becomes(cluster, "True", "Running")
    assert (message(found), counts(found)) == ("2/2 running", {"total": 2, "running": 2})
    shop.remove_all()
    workload_becomes(cluster, "False", "NotRunning", unless=lambda it: counts(it) != {"total": 2, "missing": 2})


def test_a_host_shows_its_engine_and_what_its_last_pass_found(operator: Operator, cluster: Cluster, shop: DockerEngine):
    shop.create("other")
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": ["*"]}})
    found = host_becomes(cluster, "True", "PassComplete", unless=lambda it: it["status"]["lastPass"]["listed"] < 3)
    status = found["status"]
    assert condition(found, "Reachable")["reason"] == "Answers"
    assert status["engine"] == {"id": shop.id, "version": shop.client.version()["Version"], "apiVersion": "1.41"}
    assert {name: status["lastPass"][name] for name in ("listed", "matched", "ignored", "missing")} == {
        "listed": 3,
        "matched": 2,
        "ignored": 1,
        "missing": 0,
    }
    assert abs((datetime.now(UTC) - last_pass(found)).total_seconds()) < 60


@pytest.mark.parametrize("trouble", [DEAD, FROZEN], ids=["dead", "frozen"])
def test_while_a_host_does_not_answer_nobody_knows_and_its_last_complete_pass_stays(
    trouble: Trouble, start: Start, cluster: Cluster, shop: DockerEngine, cutting_socket: CuttingSocket
):
    start(interval=OFTEN)
    known = workload_becomes(cluster, "False", "NotRunning")
    trouble.begin(cutting_socket)
    found = host_becomes(cluster, "False", trouble.reason)
    assert condition(found, "Reachable")["status"] == "False"
    last = found["status"]["lastPass"]
    assert (last["outcome"], last["listed"], last["matched"]) == ("failed", 2, 2)
    found = workload_becomes(cluster, "Unknown", "HostUnreachable")
    assert counts(found) == {"total": 2, "unknown": 2}
    assert found["status"]["containers"]["summary"] == "0/2 running"
    assert message(found).startswith('host "local" does not answer (last complete pass: 20')
    assert " UTC)" in message(found)
    trouble.end(cutting_socket)
    host_becomes(cluster, "True", "PassComplete")
    found = workload_becomes(cluster, "False", "NotRunning")
    assert found["status"]["containers"] == known["status"]["containers"]


def test_a_suspended_host_says_so_and_so_do_its_workloads(operator: Operator, cluster: Cluster, shop: DockerEngine):
    workload_becomes(cluster, "False", "NotRunning")
    cluster.patch("DockerHost", "local", {"spec": {"suspend": True}})
    found = host_becomes(cluster, "False", "HostSuspended")
    assert (condition(found, "Reachable")["status"], found["status"]["lastPass"]["listed"]) == ("Unknown", 2)
    found = workload_becomes(cluster, "Unknown", "HostSuspended")
    assert counts(found) == {"total": 2, "unknown": 2}
    cluster.patch("DockerHost", "local", {"spec": {"suspend": False}})
    host_becomes(cluster, "True", "PassComplete")
    workload_becomes(cluster, "False", "NotRunning")


def test_fault_26_another_engine_is_said_with_the_way_out_and_left_alone_until_it_is_acknowledged(
    operator: Operator, cluster: Cluster, shop: DockerEngine, cutting_socket: CuttingSocket
):
    workload_becomes(cluster, "False", "NotRunning")
    before = shop.id
    cutting_socket.spoil(INFO, engine_id("SOMEBODY:ELSE"))
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": ["*"]}})
    found = host_becomes(cluster, "False", "EngineChanged")
    assert condition(found, "Reachable")["status"] == "True"
    assert all(told in message(found) for told in (before, "SOMEBODY:ELSE", "set spec.acknowledgedEngineID to the new id"))
    assert found["status"]["engine"]["id"] == "SOMEBODY:ELSE"
    assert counts(workload_becomes(cluster, "Unknown", "EngineChanged")) == {"total": 2, "unknown": 2}
    cluster.patch("DockerHost", "local", {"spec": {"acknowledgedEngineID": "SOMEBODY:ELSE"}})
    host_becomes(cluster, "True", "PassComplete")
    workload_becomes(cluster, "False", "NotRunning")


def test_the_observed_generation_follows_every_edit_of_a_spec(operator: Operator, cluster: Cluster, shop: DockerEngine):
    workload_becomes(cluster, "False", "NotRunning")
    for kind, name, edit in (
        ("Workload", "shop", {"group": "shops"}),
        ("Workload", "shop", {"suspend": False}),  # which it was without a word
        ("DockerHost", "local", {"allowedNamespaces": ["default", "another"]}),
        ("DockerHost", "local", {"suspend": False}),
    ):
        edited = cluster.patch(kind, name, {"spec": edit})["metadata"]["generation"]
        found = cluster.wait(kind, name, lambda it: it["status"]["observedGeneration"] == it["metadata"]["generation"])
        assert {edited} == {it["observedGeneration"] for it in found["status"]["conditions"]}
    assert [cluster.get(kind, name)["metadata"]["generation"] for kind, name in (("Workload", "shop"), ("DockerHost", "local"))] == [3, 3]


def test_what_stays_as_it_is_keeps_its_time_from_one_operator_to_the_next(start: Start, cluster: Cluster, shop: DockerEngine, index: Index):
    first = start()
    workload_becomes(cluster, "False", "NotRunning")
    conditions = host_becomes(cluster, "True", "PassComplete")["status"]["conditions"]
    first.stop()
    cluster.patch(
        "DockerHost",
        "local",
        {"status": {"conditions": [it | {"lastTransitionTime": LONG_AGO} for it in conditions]}},
        subresource="status",
    )
    index.sql(AGED)
    shop.client.remove_container("db")
    began = datetime.now(UTC).replace(microsecond=0)
    start(interval=OFTEN)
    found = workload_becomes(cluster, "False", "NotRunning", unless=lambda it: "missing" not in message(it))
    assert {it["lastTransitionTime"] for it in found["status"]["conditions"]} == {LONG_AGO}
    found = host_becomes(cluster, "True", "PassComplete", unless=lambda it: last_pass(it) < began)
    assert {it["lastTransitionTime"] for it in found["status"]["conditions"]} == {LONG_AGO}
    shop.create("db", belonging_to("shop", "db"), start=True)
    found = workload_becomes(cluster, "True", "Running")
    assert since(found) >= began
    assert {since(found, type_) for type_ in ("Reconciling", "Stalled")} == {datetime.fromisoformat(LONG_AGO)}


@pytest.mark.parametrize(
    "edit",
    [
        {"conditions": [], "containers": None},
        {"containers": {"total": 7, "running": 7, "stopped": 0, "missing": 0, "unknown": 0, "other": 0, "summary": "7/7 running"}},
    ],
    ids=["removed", "invented"],
)
def test_a_status_that_somebody_edits_is_put_right(edit: dict[str, Any], operator: Operator, cluster: Cluster, shop: DockerEngine):
    before = workload_becomes(cluster, "False", "NotRunning")["status"]
    operator.until_written()
    cluster.patch("Workload", "shop", {"status": edit}, subresource="status")
    assert cluster.wait("Workload", "shop", lambda it: it["status"] == before)["status"] == before
