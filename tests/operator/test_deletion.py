"""What is deleted leaves the index, and the index before its object is gone: whoever leads then, and whatever happened meanwhile."""

import asyncio
from collections.abc import Iterator, Sized
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.operator.conftest import Start
from tests.operator.histories import history
from tests.operator.looking import LIST, condition, counts, delete_by_hand, held, host, host_becomes, message, stack, workload_becomes
from tests.operator.running import OFTEN, Operator
from tests.plugins.site import SOURCE, site_packages
from tests.servers.api_proxy import ApiProxy, hang
from tests.servers.cluster import Cluster
from tests.servers.cutting_socket import CuttingSocket, silent
from tests.servers.docker_engine import DockerEngine
from tinyforge.operator import declared_objects
from tinyforge.operator.controller import Controller

CAREFUL: dict[str, Any] = {"source": {"kind": "careful"}, "trigger": {"kind": "manual"}}
TEARDOWN = """
        if any(it.state == "unknown" for it in seen.containers):
            return Failed(reason="NobodyKnows", message="nobody can say now what runs", retry_after=0.0)
        return Unchanged()
"""
PASSING = 3
FINALIZER = "tinyforge.dev/finalizer"
WEB = "default/shop:web"
REASON = "SELECT status #>> '{conditions,0,reason}' FROM tinyforge.workloads"
REMOVED = {WEB: "missing (WorkloadRemoved)"}


@pytest.fixture
def shop(cluster: Cluster, docker_engine: DockerEngine, cutting_socket: CuttingSocket) -> DockerEngine:
    """A host behind the socket, with the stack default/shop, of which a container was created."""
    docker_engine.create("web", belonging_to("shop", "web"))
    cluster.apply(host(cutting_socket.endpoint))
    cluster.apply(stack())
    return docker_engine


@pytest.fixture
def careful_source(tmp_path: Path) -> Iterator[None]:
    """A source that takes nothing down of which nobody knows how it is: none of ours put anything up yet."""
    code, changed = SOURCE.rsplit("        return Unchanged()\n", 1)[0] + TEARDOWN, "import Unchanged"
    with site_packages(tmp_path / "site-packages") as site:
        site.source(code.replace(changed, "import Failed, Unchanged"), kind="careful")
        yield


def test_s4_a_deleted_workload_is_out_of_the_index_when_its_object_is_gone(
    operator: Operator, cluster: Cluster, shop: DockerEngine, index: Index
):
    workload_becomes(cluster, "False", "NotRunning")
    assert held(cluster, "Workload", "shop")["metadata"]["finalizers"] == [FINALIZER]
    cluster.patch("Workload", "shop", {"metadata": {"finalizers": None}})
    held(cluster, "Workload", "shop")
    cluster.delete("Workload", "shop")
    cluster.wait_until_gone("Workload", "shop")
    assert index.sql("SELECT count(*) FROM tinyforge.workloads") == [(0,)]
    until(index.states, REMOVED)


def test_s5_a_deleted_hosts_workloads_say_so_and_its_rows_are_unknown_until_it_is_declared_again(
    start: Start, cluster: Cluster, shop: DockerEngine, cutting_socket: CuttingSocket, index: Index
):
    start(interval=OFTEN)
    workload_becomes(cluster, "False", "NotRunning")
    cluster.delete("DockerHost", "local")
    cluster.wait_until_gone("DockerHost", "local")
    assert index.states() == {WEB: "unknown (HostRemoved)"}
    found = workload_becomes(cluster, "False", "HostNotFound")
    assert message(found) == 'spec.host: no DockerHost "local" is declared'
    with history(cluster, "Workload") as states:
        until(lambda: index.sql(REASON), [("HostRemoved",)])  # as its own turns see it
        index.sql("UPDATE tinyforge.workloads SET status = '{}'")
        until(lambda: index.sql(REASON), [("HostRemoved",)])
    assert [condition(it)["reason"] for it in states if it["metadata"]["name"] == "shop"] == []
    cluster.apply(host(cutting_socket.endpoint))
    workload_becomes(cluster, "False", "NotRunning")
    assert index.states() == {WEB: "created"}


def test_fault_31_what_was_deleted_while_no_operator_ran_is_handled_at_its_return(
    start: Start, cluster: Cluster, shop: DockerEngine, index: Index
):
    first = start()
    workload_becomes(cluster, "False", "NotRunning")
    host_becomes(cluster, "True", "PassComplete")
    for kind, name in (("Workload", "shop"), ("DockerHost", "local")):
        held(cluster, kind, name)
    first.stop()
    for kind, name in (("Workload", "shop"), ("DockerHost", "local")):
        cluster.delete(kind, name)
        assert cluster.get(kind, name)["metadata"]["finalizers"] == [FINALIZER]
    start()
    cluster.wait_until_gone("Workload", "shop")
    cluster.wait_until_gone("DockerHost", "local")
    assert index.states() == {WEB: "unknown (HostRemoved)"}
    assert index.sql("SELECT count(*) FROM tinyforge.workloads") == [(0,)]


def vanishes_while_no_operator_runs(start: Start, cluster: Cluster) -> None:
    """Have an operator see the workload shop, end it, and delete the workload as somebody does who does not wait for it."""
    operator = start()
    workload_becomes(cluster, "False", "NotRunning")
    held(cluster, "Workload", "shop")
    operator.stop()
    delete_by_hand(cluster, "Workload", "shop")


def test_p10_what_vanished_while_no_operator_ran_is_found_out_at_its_return(
    start: Start, cluster: Cluster, shop: DockerEngine, index: Index
):
    vanishes_while_no_operator_runs(start, cluster)
    start()
    until(index.states, REMOVED)


def test_what_was_made_anew_under_the_same_name_while_no_operator_ran_is_taken_for_what_it_is(
    start: Start, cluster: Cluster, shop: DockerEngine, index: Index
):
    vanishes_while_no_operator_runs(start, cluster)
    cluster.apply(stack(composeProject="tinyforge-other"))
    second = start()
    workload_becomes(cluster, "False", "NotRunning")
    assert index.states() == {WEB: "missing (NotMatched)"}
    held(cluster, "Workload", "shop")
    second.stop()
    delete_by_hand(cluster, "Workload", "shop")
    cluster.apply(stack(kind="site"))
    start(interval=OFTEN)
    found = workload_becomes(cluster, "False", "KindChanged")
    assert message(found) == 'spec.kind: is "stack" and cannot become "site"; give the workload another name, or remove it first'
    held(cluster, "Workload", "shop")
    cluster.delete("Workload", "shop")
    cluster.wait_until_gone("Workload", "shop")
    cluster.apply(stack(kind="site"))
    workload_becomes(cluster, "False", "NotRunning")


def test_p5_a_host_is_gone_at_once_though_its_pass_hangs(start: Start, cluster: Cluster, shop: DockerEngine, cutting_socket: CuttingSocket):
    start(interval=OFTEN)
    host_becomes(cluster, "True", "PassComplete")
    held(cluster, "DockerHost", "local")
    cutting_socket.spoil(LIST, silent())
    cutting_socket.next_request(LIST).result(10)
    cluster.delete("DockerHost", "local")
    cluster.wait_until_gone("DockerHost", "local")


def test_objects_that_were_deleted_while_postgresql_was_stuck_are_gone_when_it_goes_on(
    start: Start, cluster: Cluster, shop: DockerEngine, index: Index
):
    operator = start(interval=OFTEN)
    workload_becomes(cluster, "False", "NotRunning")
    for kind, name in (("Workload", "shop"), ("DockerHost", "local")):
        held(cluster, kind, name)
    with psycopg.connect(index.url) as somebody:
        somebody.execute("LOCK TABLE tinyforge.containers, tinyforge.workloads, tinyforge.hosts")
        operator.until(lambda it: sum(it._leading.beats._ticking.values()) == 2)  # the timers of both objects
        for kind, name in (("Workload", "shop"), ("DockerHost", "local")):
            cluster.delete(kind, name)
            assert cluster.get(kind, name)["metadata"]["finalizers"] == [FINALIZER]
        operator.until(lambda it: len(it._leading._applied._waiters) == 2)  # both are waited for, their timers looked at
    cluster.wait_until_gone("Workload", "shop")
    cluster.wait_until_gone("DockerHost", "local")


@pytest.mark.usefixtures("careful_source")
def test_a_workload_whose_teardown_waits_for_its_host_says_so_and_can_be_let_go_by_hand(
    start: Start, cluster: Cluster, shop: DockerEngine, cutting_socket: CuttingSocket, index: Index
):
    cluster.patch("Workload", "shop", {"spec": CAREFUL})
    operator = start()
    workload_becomes(cluster, "False", "NotRunning")
    operator.until_written()
    tasks = operator.ask(lambda _: len(asyncio.all_tasks()))
    cutting_socket.refuse()
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": ["*"]}})
    workload_becomes(cluster, "Unknown", "HostUnreachable")
    held(cluster, "Workload", "shop")
    cluster.delete("Workload", "shop")
    found = cluster.wait("Workload", "shop", lambda it: condition(it, "Reconciling")["reason"] == "Retrying")
    assert message(found, "Reconciling").endswith("nobody can say now what runs")
    assert (found["metadata"]["finalizers"], counts(found)) == ([FINALIZER], {"total": 1, "unknown": 1})
    cluster.patch("Workload", "shop", {"metadata": {"finalizers": None}})
    cluster.wait_until_gone("Workload", "shop")
    cluster.apply(stack(**CAREFUL))
    workload_becomes(cluster, "Unknown", "HostUnreachable")
    operator.until_written()
    until(lambda: operator.ask(lambda _: len(asyncio.all_tasks())) <= tasks, True)
    cluster.delete("Workload", "shop")
    cutting_socket.accept()
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": ["default"]}})
    cluster.wait_until_gone("Workload", "shop")
    until(index.states, REMOVED)


@pytest.mark.usefixtures("careful_source")
def test_an_operator_that_stops_lets_nothing_go_that_is_not_torn_down(
    start: Start, cluster: Cluster, shop: DockerEngine, cutting_socket: CuttingSocket
):
    cluster.patch("Workload", "shop", {"spec": CAREFUL})
    operator = start()
    workload_becomes(cluster, "False", "NotRunning")
    cutting_socket.refuse()
    cluster.patch("DockerHost", "local", {"spec": {"allowedNamespaces": ["*"]}})
    workload_becomes(cluster, "Unknown", "HostUnreachable")
    held(cluster, "Workload", "shop")
    cluster.delete("Workload", "shop")
    cluster.wait("Workload", "shop", lambda it: condition(it, "Reconciling")["reason"] == "Retrying")
    operator.stop()
    assert cluster.get("Workload", "shop")["metadata"]["finalizers"] == [FINALIZER]
    cutting_socket.accept()
    start()
    cluster.wait_until_gone("Workload", "shop")


def test_what_no_watch_tells_of_the_next_list_does(
    start: Start, cluster: Cluster, shop: DockerEngine, api_proxy: ApiProxy, index: Index, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(declared_objects, "RELIST_SECONDS", 0.2)
    api_proxy.spoil("GET .*watch=true", hang())
    start(proxied=True)
    workload_becomes(cluster, "False", "NotRunning")
    cluster.apply(stack("other"))
    workload_becomes(cluster, "False", "NoContainers", "other")
    cluster.patch("Workload", "shop", {"spec": {"composeProject": "tinyforge-other"}})
    workload_becomes(cluster, "False", "NotRunning")
    until(index.states, {WEB: "missing (NotMatched)"})
    held(cluster, "Workload", "shop")
    delete_by_hand(cluster, "Workload", "shop")
    until(lambda: index.sql("SELECT id FROM tinyforge.workloads"), [("default/other",)])


def test_what_is_gone_leaves_nothing_behind_in_memory(start: Start, cluster: Cluster, shop: DockerEngine):
    operator = start(interval=OFTEN)
    workload_becomes(cluster, "False", "NotRunning")
    operator.until_written()
    before = operator.ask(remembered)
    for number in range(PASSING):
        cluster.apply(stack(f"passing-{number}", source={"kind": "none"}, trigger={"kind": "manual"}))
        cluster.apply(host("unix:///nowhere.sock", f"passing-{number}"))
    for number in range(PASSING):
        workload_becomes(cluster, "False", "SourceNotFound", f"passing-{number}")
        host_becomes(cluster, "False", "ConnectFailed", f"passing-{number}")
    assert all(now > then for now, then in zip(operator.ask(remembered), before, strict=True))
    for kind in ("Workload", "DockerHost"):
        for number in range(PASSING):
            cluster.delete(kind, f"passing-{number}")
            cluster.wait_until_gone(kind, f"passing-{number}")
    until(lambda: operator.ask(remembered), before)


def remembered(controller: Controller) -> list[int]:
    """How much of what grows with the objects there is: nobody can ask for that from outside, and nobody needs to."""
    kept: tuple[Sized, ...] = (
        controller._publisher._published,
        controller.writer._records,
        controller._leading._turns.known,
        controller._leading._standing.known,
    )
    return [len(list(controller._objects)), *map(len, kept), len(controller._leading._hosts.by_name)]
