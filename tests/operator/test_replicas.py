"""Several replicas: one leads and the others are ready to; the next one leads when it ends, however it ends, and says so."""

import signal
import time
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.controllers import SOON
from tests.e2e.index import Index, until
from tests.operator.installation import NAMESPACE, Installation
from tests.operator.looking import host, stack
from tests.operator.replicas import QUICK, Replicas, installation, replicas
from tests.plugins.held import HELD, HeldSource
from tests.plugins.site import site_packages
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine

__all__ = ["installation", "replicas"]

OUTCOME = "SELECT status #>> '{lastDispatch,outcome}' FROM tinyforge.workloads"
LONG_ENOUGH = 5.5
"""How long another replica and the server have to be up before whoever was killed is taken for dead by PostgreSQL."""


def holder(index: Index) -> str:
    ((name,),) = index.sql("SELECT holder FROM tinyforge.leaders")
    return str(name)


def test_one_leads_and_all_are_ready_and_say_what_they_are(replicas: Replicas, index: Index) -> None:
    first = replicas.leading()
    others = [replicas.standing_by(), replicas.standing_by()]
    for path in ("/healthz", "/readyz"):
        status, lines = first.ask(path)
        assert (status, lines[0]) == (200, "ok")
        assert lines[1].startswith("leads with epoch 1 since 20")
    for other in others:
        until(partial(other.metric, "tinyforge_epoch"), 1.0)
        status, lines = other.ask("/readyz")
        assert (status, lines[0]) == (200, "ok")
        assert lines[1].startswith(f"standby: {holder(index)} leads with epoch 1; ")
    assert [it.metric("tinyforge_leader") for it in (first, *others)] == [1, 0, 0]
    assert [it.metric("tinyforge_observe_only") for it in (first, *others)] == [0, 0, 0]
    assert first.metric("tinyforge_fenced_writes_total") == 0
    assert replicas.lease["holderIdentity"] == holder(index)
    assert replicas.lease["leaseTransitions"] == 1


def test_a_standby_writes_nothing(replicas: Replicas, index: Index, cluster: Cluster, docker_engine: DockerEngine) -> None:
    replicas.leading()
    replicas.standing_by()
    index.record()
    cluster.apply(host(docker_engine.endpoint))
    index.host_becomes("reachable")
    assert {session for *_, session in index.history("%")} == {session for (session,) in index.sql("SELECT session FROM tinyforge.leaders")}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_fault_02_one_that_is_asked_to_end_gives_everything_back_and_the_next_one_leads(
    number: signal.Signals, replicas: Replicas, cluster: Cluster
) -> None:
    leading, waiting = replicas.leading(), replicas.standing_by()
    leading.process.signal(number)
    waiting.elected(2)
    assert leading.process.ends(within=SOON) == {signal.SIGTERM: 0, signal.SIGINT: 130}[number]
    assert leading.process.said("the Lease was given back") == 1
    assert waiting.process.said("with epoch 2: nobody holds the Lease") == 1
    told = {"LeaderElected": 2, "LeaderSteppedDown": 1}
    until(lambda: Counter(event["reason"] for event in cluster.list("Event", NAMESPACE)), told)


def test_the_last_one_that_ends_leaves_a_lease_and_a_database_that_nobody_holds(replicas: Replicas, index: Index) -> None:
    only = replicas.leading()
    only.process.signal(signal.SIGTERM)
    assert only.process.ends(within=SOON) == 0
    assert (holder(index), replicas.lease["holderIdentity"]) == ("", "")
    assert replicas.lease["leaseTransitions"] == 1, "the epoch stays"


def test_fault_01_when_the_leader_is_killed_the_next_one_leads_within_moments(replicas: Replicas, index: Index) -> None:
    killed = replicas.leading()
    others = [replicas.standing_by(), replicas.standing_by()]
    time.sleep(LONG_ENOUGH)
    killed.process.kill()
    began = time.monotonic()
    until(lambda: sum(it.metric("tinyforge_leader") for it in others), 1.0)
    assert time.monotonic() - began < SOON, "15 s is what an unseen death takes"
    assert index.sql("SELECT epoch FROM tinyforge.leaders") == [(2,)]


def test_fault_06_a_leader_whose_lease_somebody_gave_to_another_ends_and_says_to_whom(
    replicas: Replicas, cluster: Cluster, index: Index
) -> None:
    first, second = replicas.leading(**QUICK), replicas.standing_by(**QUICK)
    cluster.patch("Lease", "tinyforge", {"spec": {"holderIdentity": "somebody"}}, NAMESPACE)
    assert first.process.ends(within=SOON) == 1
    assert [line for line in first.process.messages if line.startswith("Error: ")] == [
        "Error: somebody holds the Lease with epoch 1, and this term has 1"
    ]
    second.elected(2)


def test_fault_07_without_the_right_to_renew_a_leader_only_observes_and_leads_on_when_it_is_given_back(
    replicas: Replicas, cluster: Cluster, docker_engine: DockerEngine, index: Index
) -> None:
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack())
    leading, waiting = replicas.leading(**QUICK), replicas.standing_by(**QUICK)
    index.becomes({"default/shop:web": "running"})
    role = cluster.get("Role", "tinyforge", NAMESPACE)
    kept = [rule for rule in role["rules"] if "leases" not in rule["resources"]]
    cluster.patch("Role", "tinyforge", {"rules": kept}, NAMESPACE)
    until(lambda: leading.metric("tinyforge_observe_only"), 1.0)
    status, lines = leading.ask("/readyz")
    assert (status, lines[0]) == (200, "ok")
    assert "the Lease cannot be renewed since 20" in lines[1]
    assert lines[1].endswith(": nothing is changed on engines, the index goes on")
    assert leading.process.said("could not be renewed") == 1
    docker_engine.client.kill("web")
    index.becomes({"default/shop:web": "stopped"})
    time.sleep(float(QUICK["TINYFORGE_LEASE_DURATION"].rstrip("s")) + 1)
    status, lines = waiting.ask("/readyz")
    assert (status, lines[0]) == (200, "ok")
    assert "the Lease could not be read" in lines[1]
    cluster.patch("Role", "tinyforge", {"rules": role["rules"]}, NAMESPACE)
    until(lambda: leading.metric("tinyforge_observe_only"), 0.0)
    leading.process.says("the Lease is renewed again")
    assert index.sql("SELECT epoch FROM tinyforge.leaders") == [(1,)]
    assert (leading.process.runs, waiting.process.runs) == (True, True)


def test_fault_10_a_second_release_has_a_lease_of_its_own_and_is_refused_the_database_of_the_first(
    replicas: Replicas, cluster: Cluster, index: Index
) -> None:
    replicas.leading(**QUICK)
    cluster.patch("Role", "tinyforge", {"rules": [*cluster.get("Role", "tinyforge", NAMESPACE)["rules"], SECOND]}, NAMESPACE)
    second = replicas.start(TINYFORGE_LEASE_NAME="second", **QUICK)
    assert second.process.ends() == 1
    (error,) = [line for line in second.process.messages if line.startswith("Error: ")]
    uid = cluster.get("Namespace", NAMESPACE)["metadata"]["uid"]
    assert f"this database is led by {holder(index)} (driver operator under Lease {uid}/tinyforge)" in error
    assert "--take-over" in error
    assert cluster.get("Lease", "second", NAMESPACE)["spec"].get("holderIdentity", "") == ""


SECOND: dict[str, Any] = {
    "apiGroups": ["coordination.k8s.io"],
    "resources": ["leases"],
    "resourceNames": ["second"],
    "verbs": ["get", "watch", "update"],
}


def test_without_election_one_leads_at_once_without_a_lease_and_the_newest_deposes_the_others(
    cluster: Cluster, index: Index, replicas: Replicas
) -> None:
    first = replicas.start("--no-leader-election")
    first.elected(1)
    assert first.ask("/readyz")[1][1].startswith("leads with epoch 1 since 20")
    assert first.metric("tinyforge_leader") == 1
    assert cluster.list("Lease", NAMESPACE) == []
    second = replicas.start("--no-leader-election")
    second.elected(2)
    assert first.process.ends(within=SOON) == 1
    assert f"{holder(index)} took over with epoch 2" in first.process.messages[-1]
    second.process.signal(signal.SIGTERM)
    assert second.process.ends(within=SOON) == 0
    assert holder(index) == ""


def test_it_is_ready_once_it_is_warm_and_says_what_it_waits_for(cluster: Cluster, replicas: Replicas) -> None:
    role = cluster.get("Role", "tinyforge", NAMESPACE)
    kept = [rule for rule in role["rules"] if "namespaces" not in rule["resources"]]
    cluster.patch("Role", "tinyforge", {"rules": kept}, NAMESPACE)
    cold = replicas.start()
    cold.process.says("trying again every 2 s")
    status, lines = cold.ask("/readyz")
    assert status == 503
    assert lines[0].startswith("not begun yet: ")
    assert 'cannot get resource "namespaces"' in lines[0]
    assert cold.ask("/healthz") == (200, ["ok"])
    cluster.patch("Role", "tinyforge", {"rules": role["rules"]}, NAMESPACE)
    cold.elected(1)
    assert cold.ask("/readyz")[0] == 200


def test_a_cluster_that_does_not_know_the_objects_is_waited_for(own_cluster: Cluster, database_url: str, index: Index) -> None:
    installation = Installation(own_cluster)
    own_cluster.kubectl("delete", "crd", "dockerhosts.tinyforge.dev", "workloads.tinyforge.dev")
    installation.initialise(database_url)
    process = installation.run()
    try:
        process.says("knows no DockerHost: apply what `tinyforge crds` prints")
        assert holder(index) == ""
        installation.apply()
        process.says("leads with epoch 1")
    finally:
        process.kill()


def test_a_leader_that_is_asked_to_end_lets_a_dispatch_of_kopfs_timer_end_while_it_renews_and_begins_no_other(
    tmp_path: Path, replicas: Replicas, cluster: Cluster, docker_engine: DockerEngine, index: Index
) -> None:
    with site_packages(tmp_path / "site-packages") as site:
        source = HeldSource(site)
        cluster.apply(host(docker_engine.endpoint))
        leading = replicas.leading(PYTHONPATH=source.path, **QUICK)
        waiting = replicas.standing_by(PYTHONPATH=source.path, **QUICK)
        cluster.apply(stack(source={"kind": "theirs"}, trigger={"kind": "manual"}))
        source.let_go()
        until(lambda: index.sql(OUTCOME), [("changed",)])
        source.hold()
        leading.process.says(HELD)
        leading.process.signal(signal.SIGTERM)
        leading.process.says("workload default/shop")
        renewed = replicas.lease["renewTime"]
        time.sleep(float(QUICK["TINYFORGE_LEASE_DURATION"].rstrip("s")) + 1)
        assert replicas.lease["renewTime"] > renewed
        assert (leading.process.runs, leading.process.said(HELD)) == (True, 1)
        assert leading.ask("/readyz")[0] == 200
        source.let_go()
        waiting.elected(2)
        assert leading.process.ends(within=SOON) == 0
        assert leading.process.said("and cancelled") == 0
        assert waiting.process.said("with epoch 2: nobody holds the Lease") == 1
