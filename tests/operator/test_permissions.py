"""Who may use which host, and whose containers are whose: between namespaces that belong to different people."""

import json

import pytest

from tests.e2e.index import Index, until
from tests.operator.conftest import Start
from tests.operator.looking import condition, counts, host, host_becomes, message, stack, workload_becomes
from tests.operator.running import Operator
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine

PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
SITE = "tinyforge.static-site"
WORKLOAD = "tinyforge.workload.id"


def test_a_workload_whose_namespace_the_host_does_not_allow_has_no_row_and_no_dispatch_until_it_is_allowed(
    operator: Operator, cluster: Cluster, docker_engine: DockerEngine, index: Index
):
    team = cluster.new_namespace()
    docker_engine.create("web", {PROJECT: f"tinyforge-{team}_shop", SERVICE: "web"})
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack(namespace=team, source={"kind": "external"}, trigger={"kind": "manual"}))
    found = workload_becomes(cluster, "False", "HostNotAllowed", namespace=team)
    assert message(found) == f'spec.host: DockerHost "local" does not allow namespace "{team}"; add it to its spec.allowedNamespaces'
    assert condition(found, "Stalled")["status"] == "True"
    assert not {"containers", "lastDispatch"} & found["status"].keys()
    host_becomes(cluster, "True", "PassComplete")
    assert (index.states(), index.sql("SELECT id FROM tinyforge.workloads")) == ({}, [])
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": [team]}})
    found = workload_becomes(cluster, "False", "NotRunning", namespace=team)
    assert (counts(found), found["status"]["lastDispatch"]["outcome"]) == ({"total": 1, "other": 1}, "unchanged")
    assert index.states() == {f"{team}/shop:web": "created"}
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": ["default"]}})
    found = workload_becomes(cluster, "False", "HostNotAllowed", namespace=team)
    assert "containers" not in found["status"]
    until(index.states, {f"{team}/shop:web": "missing (WorkloadRemoved)"})


@pytest.mark.parametrize("claim", [("stack", "composeProject", "tinyforge-shop"), ("site", "ref", "shop")], ids=["a project", "a ref"])
def test_what_a_workload_of_another_namespace_holds_is_refused_and_nothing_of_it_is_told(
    claim: tuple[str, str, str], start: Start, cluster: Cluster, docker_engine: DockerEngine, index: Index
):
    kind, field, claimed = claim
    first, second = (cluster.new_namespace() for _ in range(2))
    labels = {"stack": {PROJECT: claimed, SERVICE: "web"}, "site": {SITE: claimed}}[kind]
    docker_engine.create("web", labels)
    cluster.apply(host(docker_engine.endpoint, allowedNamespaces=["*"]))
    cluster.apply(stack("secretive", kind=kind, namespace=first, **{field: claimed}))
    operator = start()
    workload_becomes(cluster, "False", "NotRunning", "secretive", namespace=first)
    cluster.apply(stack("copycat", kind=kind, namespace=second, **{field: claimed}))
    found = workload_becomes(cluster, "False", "Conflict", "copycat", namespace=second)
    expected = f'spec.{field}: "{claimed}" on host "local" belongs to another workload; give "{second}/copycat" another one'
    assert message(found) == expected
    operator.until_written()
    until(lambda: reasons(cluster, second), ["Conflict"])
    told = json.dumps([found, *cluster.list("Event", second)])
    assert "secretive" not in told
    assert first not in told
    assert {row.partition(":")[0] for row in index.states()} == {f"{first}/secretive"}
    operator.stop()
    start()  # another leader decides the same
    workload_becomes(cluster, "False", "NotRunning", "secretive", namespace=first)
    assert condition(cluster.get("Workload", "copycat", second))["reason"] == "Conflict"
    cluster.delete("Workload", "secretive", first)
    workload_becomes(cluster, "False", "NotRunning", "copycat", namespace=second)
    until(lambda: reasons(cluster, second), ["Conflict", "NotRunning"])


def test_m5_a_workload_claims_no_container_of_another_ones_whatever_it_writes(
    operator: Operator, cluster: Cluster, docker_engine: DockerEngine, index: Index
):
    victim, thief = (cluster.new_namespace() for _ in range(2))
    theirs = {
        "a default project": {PROJECT: f"tinyforge-{victim}_shop", SERVICE: "web"},
        "a default ref": {SITE: f"{victim}/page"},
        "an id": {WORKLOAD: f"{victim}/shop", "tinyforge.role": "api"},
    }
    containers = {what: docker_engine.create(None, labels) for what, labels in theirs.items()}
    cluster.apply(host(docker_engine.endpoint, allowedNamespaces=["*"]))
    cluster.apply(stack(namespace=victim))
    cluster.apply(stack("page", kind="site", namespace=victim))
    workload_becomes(cluster, "False", "NotRunning", namespace=victim)
    workload_becomes(cluster, "False", "NotRunning", "page", namespace=victim)
    before = index.containers()
    cluster.apply(stack(namespace=thief, composeProject=f"tinyforge-{victim}_shop"))
    cluster.apply(stack("page", kind="site", namespace=thief, ref=f"{victim}/page"))
    cluster.apply(stack("default", kind="site", namespace=thief, ref="page"))
    for name in ("shop", "page"):
        workload_becomes(cluster, "False", "Conflict", name, namespace=thief)
    workload_becomes(cluster, "False", "NoContainers", "default", namespace=thief)
    assert index.containers() == before
    assert sorted(before.values()) == sorted(containers.values())
    assert {row.partition("/")[0] for row in before} == {victim}


def reasons(cluster: Cluster, namespace: str) -> list[str]:
    """Of what the Events of a namespace tell, in their order."""
    return [event["reason"] for event in sorted(cluster.list("Event", namespace), key=lambda it: it["eventTime"])]
