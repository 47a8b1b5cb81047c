"""The operator's benchmark works: it prints all of its figures, and calls nothing true that is not."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from tests.benchmarks.figures import Section
from tests.benchmarks.operator.api_requests import Asked, Requests
from tests.benchmarks.operator.audience import audience
from tests.benchmarks.operator.bench import OperatorBench
from tests.benchmarks.operator.controller_process import number
from tests.benchmarks.operator.fleet import NOWHERE, Fleet, Place
from tests.benchmarks.operator.scale import Scale
from tests.benchmarks.operator.truth import host_is_true, workload_is_true
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes_api import Object
from tests.servers.postgres import Postgres

SMALL = Scale(workloads=21, hosts=1, edits=10, interval=1.0, quiet=3.0, settled=1.0)
NAMES = """
First start
until the mirror is written
until every host has had a pass
until every object is true
a status for every object by the same client alone
until every object is true ÷ the statuses alone
statuses written, an object
finalizers written, an object
writes refused because the object had changed, an object
CPU time
slowest answer to a probe
Memory
import tinyforge.cli.controller
peak (VmHWM) of the first start
A minute in which nothing changes
statuses written of hosts
other writes
pages of lists; everything is listed every two minutes
watches of hosts and workloads
CPU time
slowest answer to a probe
memory (VmRSS)
threads
Second start, with everything true already
until every host has had a pass
statuses written of hosts
other writes
CPU time
slowest answer to a probe
An edit of one spec
from the edit until its status is true
10 edits of specs, as fast as the API server takes them
the edits
from the first edit until all is true
until all is true ÷ the edits
statuses written, an edit
CPU time
slowest answer to a probe
peak memory (VmHWM) since the second start
Passes, meanwhile
longest time between two of a host ÷ interval
"""


def values(sections: list[Section], title: str) -> dict[str, float]:
    (section,) = (it for it in sections if it.title == title)
    return {figure.name: figure.value for figure in section.figures}


def test_everything_is_measured_in_a_real_cluster(cluster: Cluster, docker_engine: DockerEngine, postgres_server: Postgres) -> None:
    bench = OperatorBench(cluster=cluster, engine=docker_engine, postgres=postgres_server, say=lambda _: None)
    sections = bench.measure(SMALL)
    assert [name for it in sections for name in (it.title, *(figure.name for figure in it.figures))] == NAMES.strip().splitlines()
    first, quiet = values(sections, "First start"), values(sections, "A minute in which nothing changes")
    assert 0 < first["until the mirror is written"] <= first["until every host has had a pass"] <= first["until every object is true"]
    assert first["statuses written, an object"] >= 1
    assert quiet["statuses written of hosts"] == pytest.approx(60, rel=0.4)
    assert quiet["other writes"] == 0
    assert values(sections, "Second start, with everything true already")["other writes"] == 1


def a_workload(place: int = 0, *, host: str = "", **status: object) -> Object:
    found = Place(number=place).workload(7)
    found["metadata"]["generation"] = 2
    found["spec"]["host"] = host or found["spec"]["host"]
    found["status"] = {
        "observedGeneration": 2,
        "conditions": [{"type": "Stalled", "status": "False", "reason": "NotStalled"}, *conditions("True", "Running")],
        "containers": {"total": 2},
        "lastDispatch": {"outcome": "unchanged"},
        **status,
    }
    return found


def conditions(status: str, reason: str) -> list[Object]:
    return [{"type": "Ready", "status": status, "reason": reason}]


def test_a_workload_is_true_if_its_status_says_what_is_so() -> None:
    assert workload_is_true(a_workload())
    assert workload_is_true(a_workload(4, conditions=conditions("False", "NotRunning")))
    assert workload_is_true(a_workload(5, conditions=conditions("False", "NotRunning"), lastDispatch={}))
    assert workload_is_true(a_workload(host=NOWHERE, conditions=conditions("False", "HostNotFound"), containers=None, lastDispatch=None))


@pytest.mark.parametrize(
    "status",
    [
        {"observedGeneration": 1},
        {"conditions": []},
        {"conditions": conditions("Unknown", "HostNeverSeen")},
        {"conditions": conditions("False", "NotRunning")},
        {"containers": {"total": 1}},
        {"lastDispatch": {"outcome": "failed"}},
        {"lastDispatch": {}},
    ],
)
def test_a_workload_is_not_true_if_anything_of_its_status_is_otherwise(status: Object) -> None:
    assert not workload_is_true(a_workload(**status))


def test_an_object_without_a_status_is_not_true() -> None:
    found = a_workload()
    del found["status"]
    assert not workload_is_true(found)
    assert not host_is_true(found, since=datetime.now(UTC))


def test_a_host_is_true_if_a_pass_since_then_found_all_well() -> None:
    now = datetime.now(UTC)
    found = {
        "metadata": {"name": "engine-0", "generation": 1},
        "status": {"observedGeneration": 1, "conditions": conditions("True", "PassComplete"), "lastPass": {"at": now.isoformat()}},
    }
    assert host_is_true(found, since=now)
    assert not host_is_true(found, since=now + timedelta(seconds=1))
    found["status"]["conditions"] = conditions("False", "HostUnreachable")
    assert not host_is_true(found, since=now)


@pytest.mark.parametrize("workloads", [1, 40, 41, 2000])
def test_a_fleet_has_as_many_workloads_as_were_asked_for(workloads: int) -> None:
    fleet = Fleet(scale=Scale(workloads=workloads, hosts=20), engine=None)  # type: ignore[arg-type]  # only its workloads are looked at
    written = [it for it in fleet.workloads() if it["kind"] == "Workload"]
    names = {it["metadata"]["name"] for it in written}
    claims = Counter((it["spec"]["host"], it["spec"]["composeProject"]) for it in written if it["spec"]["host"] != NOWHERE)
    assert len(names) == workloads
    assert fleet.mirrored == claims.total()
    assert set(claims.values()) == {1}


def test_an_audience_sees_when_an_edit_has_become_true(cluster: Cluster) -> None:
    cluster.apply(
        {"apiVersion": "tinyforge.dev/v1alpha1", "kind": "DockerHost", "metadata": {"name": "one"}, "spec": {"endpoint": "unix:///a"}}
    )
    with audience(cluster.api, "DockerHost", suspended) as hosts:
        with pytest.raises(AssertionError, match="1 are not true, such as one"):
            hosts.wait(0)
        edited = suspend(cluster, is_suspended=True)
        first = hosts.wait(10, edited=edited)
        assert hosts.wait(10) == first
        with pytest.raises(AssertionError, match="the edit has not been seen"):
            hosts.wait(0, edited=edited + 1000)
        suspend(cluster, is_suspended=False)
        assert hosts.wait(10, edited=suspend(cluster, is_suspended=True)) > first


def suspended(found: Object) -> bool:
    return bool(found["spec"].get("suspend"))


def suspend(cluster: Cluster, *, is_suspended: bool) -> int:
    return int(cluster.patch("DockerHost", "one", {"spec": {"suspend": is_suspended}})["metadata"]["resourceVersion"])


def test_what_an_api_server_is_asked_is_counted_by_what_and_how(cluster: Cluster) -> None:
    cluster.apply(
        {"apiVersion": "tinyforge.dev/v1alpha1", "kind": "DockerHost", "metadata": {"name": "one"}, "spec": {"endpoint": "unix:///a"}}
    )
    before = Requests.until_now(cluster.control_plane)
    cluster.patch("DockerHost", "one", {"status": {"observedGeneration": 1}}, subresource="status")
    suspend(cluster, is_suspended=True)
    cluster.list("Workload")
    asked = Requests.until_now(cluster.control_plane).since(before)
    assert asked.statuses("dockerhosts") == 1
    assert asked.count(lambda it: it.resource == "dockerhosts") == 1
    assert asked.of({"LIST"}, {"workloads"}) == 1
    assert asked.statuses("workloads") == 0


def test_a_look_is_no_write() -> None:
    assert not Asked(verb="LIST", resource="workloads", code="200").is_write
    assert not Asked(verb="WATCH", resource="workloads", code="200").is_write
    assert Asked(verb="APPLY", resource="workloads/status", code="409").is_write


def test_a_write_that_was_refused_has_changed_nothing() -> None:
    assert not Asked(verb="APPLY", resource="workloads/status", code="409").is_taken_write
    assert Asked(verb="PATCH", resource="workloads", code="200").is_taken_write
    assert Asked(verb="POST", resource="events", code="201").is_taken_write


def test_a_number_of_a_process_is_read_by_its_name() -> None:
    assert number("Threads", "NoThreads:\t7\nThreads:\t5\n") == 5
