"""What is declared acts within a second, not at the next tick of a timer; and what cannot be used disturbs nothing else."""

from typing import Any

import pytest

from tests.cli.conftest import Tinyforge
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.operator.conftest import Start
from tests.operator.definitions import laxer_definition
from tests.operator.looking import condition, counts, delete_by_hand, held, host, host_becomes, message, stack, workload_becomes
from tests.operator.rights_by_namespace import allow, limited
from tests.operator.running import Operator
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tinyforge.operator import declared_objects

EXTERNAL: dict[str, Any] = {"source": {"kind": "external"}, "trigger": {"kind": "manual"}}
WEB = "default/shop:web"
PIGEON = "carrier-pigeon://vm1"
BEYOND = {"kind": "external", "config": {"roles": {"web": {"image": "\0"}}}}
"""What the API server takes, whose schemas cannot look into a config, and what the index could not hold."""


@pytest.fixture
def web(docker_engine: DockerEngine) -> DockerEngine:
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    return docker_engine


def test_an_edit_of_a_host_or_a_workload_acts_at_once(operator: Operator, cluster: Cluster, web: DockerEngine, index: Index):
    cluster.apply(host("unix:///nowhere.sock"))
    cluster.apply(stack(composeProject="tinyforge-another"))
    host_becomes(cluster, "False", "ConnectFailed")
    workload_becomes(cluster, "Unknown", "HostUnreachable")
    cluster.patch("DockerHost", "local", {"spec": {"endpoint": web.endpoint}})
    host_becomes(cluster, "True", "PassComplete")
    workload_becomes(cluster, "False", "NoContainers")
    cluster.patch("Workload", "shop", {"spec": {"composeProject": "tinyforge-default_shop"}})
    workload_becomes(cluster, "True", "Running")
    assert index.states() == {WEB: "running"}
    cluster.patch("Workload", "shop", {"spec": {"composeProject": "tinyforge-another"}})
    workload_becomes(cluster, "False", "NotRunning", unless=lambda it: not counts(it).get("missing"))
    assert index.states() == {WEB: "missing (NotMatched)"}


def test_sync_and_deploy_are_answered(operator: Operator, cluster: Cluster, web: DockerEngine, tinyforge: Tinyforge, index: Index):
    cluster.apply(host(web.endpoint))
    cluster.apply(stack(**EXTERNAL))
    workload_becomes(cluster, "True", "Running")
    web.client.kill("web")
    (found,) = tinyforge("sync", "--json").json
    assert (found["host"], found["outcome"], found["written"]) == ("local", "changed", 1)
    assert index.states() == {WEB: "stopped"}
    workload_becomes(cluster, "False", "NotRunning")
    deployed = tinyforge("deploy", "default/shop", "--json").json
    assert (deployed["outcome"], deployed["reason"]) == ("skipped", "ExternallyManaged")


def test_d1_d2_a_source_that_is_not_installed_is_said_of_its_workload_and_of_no_other(
    operator: Operator, cluster: Cluster, web: DockerEngine
):
    cluster.apply(host(web.endpoint))
    cluster.apply(stack(**EXTERNAL))
    cluster.apply(stack("odd", source={"kind": "frobnicator"}, trigger={"kind": "manual"}))
    found = workload_becomes(cluster, "False", "SourceNotFound", "odd")
    assert "frobnicator" in message(found)
    assert (condition(found, "Stalled")["status"], condition(found, "Reconciling")["status"]) == ("True", "False")
    assert found["status"]["lastDispatch"]["outcome"] == "failed"
    found = workload_becomes(cluster, "True", "Running")
    assert found["status"]["lastDispatch"]["outcome"] == "unchanged"
    cluster.patch("Workload", "odd", {"spec": {"source": None, "trigger": None}})
    found = workload_becomes(cluster, "False", "NoContainers", "odd")
    assert condition(found, "Stalled")["status"] == "False"


def test_an_object_that_cannot_be_used_is_held_and_says_so_and_disturbs_nothing(
    start: Start, cluster: Cluster, web: DockerEngine, index: Index
):
    cluster.apply(host(web.endpoint))
    cluster.apply(stack(**EXTERNAL))
    first = start()
    workload_becomes(cluster, "True", "Running")
    cluster.patch("Workload", "shop", {"spec": {"source": BEYOND}})
    found = workload_becomes(cluster, "False", "InvalidSpec")
    assert message(found).startswith("spec.source.config.roles.web.image: holds the character U+0000")
    assert condition(found, "Stalled")["status"] == "True"
    assert "containers" not in found["status"]
    first.stop()
    second = start()
    cluster.apply(stack("other"))
    workload_becomes(cluster, "False", "NoContainers", "other")
    second.until_written()
    assert index.states() == {WEB: "running"}
    assert index.sql("SELECT id, source_config FROM tinyforge.workloads ORDER BY id") == [("default/other", {}), ("default/shop", {})]
    assert condition(cluster.get("Workload", "shop"))["reason"] == "InvalidSpec"
    cluster.patch("Workload", "shop", {"spec": {"source": {"config": None}}})
    workload_becomes(cluster, "True", "Running")


def test_a_host_that_cannot_be_used_is_held_with_its_workloads_and_a_new_one_is_none(
    operator: Operator, cluster: Cluster, web: DockerEngine, tinyforge: Tinyforge
):
    cluster.apply(host(web.endpoint))
    cluster.apply(stack())
    workload_becomes(cluster, "True", "Running")
    with laxer_definition(cluster, host(PIGEON)):
        cluster.patch("DockerHost", "local", {"spec": {"endpoint": PIGEON}})
        cluster.apply(host(PIGEON, "new"))
        found = host_becomes(cluster, "False", "InvalidSpec")
        assert message(found).startswith(f"spec.endpoint: '{PIGEON}' is no address")
        assert (condition(found, "Reachable")["status"], found["status"]["lastPass"]["listed"]) == ("Unknown", 1)
        assert "lastPass" not in host_becomes(cluster, "False", "InvalidSpec", "new")["status"]
        cluster.apply(stack("homing", host="new"))
        homing = workload_becomes(cluster, "False", "HostUnusable", "homing")
        assert message(homing).startswith('spec.host: DockerHost "new" exists, but what is written there is invalid')
        assert condition(homing, "Stalled")["status"] == "True"
        web.client.kill("web")
        assert [it["host"] for it in tinyforge("sync", "--json").json] == ["local"]
        workload_becomes(cluster, "False", "NotRunning")
        assert condition(cluster.get("DockerHost", "local"))["reason"] == "InvalidSpec"
        cluster.patch("DockerHost", "local", {"spec": {"endpoint": web.endpoint}})
        host_becomes(cluster, "True", "PassComplete")
        cluster.delete("DockerHost", "new")
        cluster.wait_until_gone("DockerHost", "new")


def test_p10_a_namespace_that_may_not_be_listed_is_said_and_removes_nothing_but_what_was_seen_to_be_deleted(
    start: Start,
    cluster: Cluster,
    docker_engine: DockerEngine,
    index: Index,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
):
    ours, theirs = cluster.new_namespace(), cluster.new_namespace()
    cluster.apply(host(docker_engine.endpoint, allowedNamespaces=[ours, theirs]))
    for name, namespace in (("gone", ours), ("going", ours), ("shop", theirs)):
        cluster.apply(stack(name, namespace=namespace))
    every = {f"{ours}/gone", f"{ours}/going", f"{theirs}/shop"}
    first = start(namespaces=[ours, theirs])
    until(lambda: mirrored(index), every)
    held(cluster, "Workload", "gone", ours)
    first.stop()
    delete_by_hand(cluster, "Workload", "gone", ours)
    monkeypatch.setattr(declared_objects, "REFUSED_SECONDS", 0.2)
    start(namespaces=[ours, theirs], kubeconfig=limited(cluster, ours))
    cluster.apply(stack("new", namespace=ours))
    until(lambda: mirrored(index), every | {f"{ours}/new"})
    said = f"the workloads of namespace {theirs} may not be listed, so nothing is removed from the index until they may: "
    assert sum(said in it for it in caplog.messages) == 1
    held(cluster, "Workload", "going", ours)
    cluster.delete("Workload", "going", ours)
    cluster.wait_until_gone("Workload", "going", ours)
    assert mirrored(index) == {f"{ours}/gone", f"{ours}/new", f"{theirs}/shop"}
    caplog.set_level("INFO", "tinyforge.operator.declared_objects")
    allow(cluster, theirs)
    until(lambda: mirrored(index), {f"{ours}/new", f"{theirs}/shop"})
    assert caplog.messages.count(f"the workloads of namespace {theirs} may be listed again") == 1


def mirrored(index: Index) -> set[str]:
    """The workloads in the mirror."""
    return {id_ for (id_,) in index.sql("SELECT id FROM tinyforge.workloads")}
