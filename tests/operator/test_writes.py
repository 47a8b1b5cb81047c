"""What the operator writes to the API server, and how seldom: seen by a proxy in front of it."""

import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from tests.cli.conftest import Tinyforge
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.objects.documents import workload
from tests.operator.conftest import Start
from tests.operator.looking import LIST, condition, held, host, host_becomes, stack, workload_becomes
from tests.operator.running import OFTEN
from tests.operator.storms import editor
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster
from tests.servers.cutting_socket import CuttingSocket
from tests.servers.docker_engine import DockerEngine

EDITS = 1000
OBJECTS = 200
LOOK_SECONDS = 0.25
NO_READ = re.compile("(?!GET)")


def writes(api_proxy: ApiProxy, *, since: int = 0) -> Counter[str]:
    """What was written, by the end of its path, and how often."""
    paths = (request.partition("?")[0].split("v1alpha1/")[-1] for request in api_proxy.requests[since:] if NO_READ.match(request))
    return Counter(paths)


def test_when_nothing_changes_only_a_hosts_last_pass_is_written_and_at_most_once_a_pass(
    start: Start, api_proxy: ApiProxy, cluster: Cluster, docker_engine: DockerEngine, cutting_socket: CuttingSocket, index: Index
):
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(cutting_socket.endpoint))
    cluster.apply(stack())
    cluster.apply(workload("not-there", host="nowhere"))
    operator = start(proxied=True, interval=OFTEN)
    workload_becomes(cluster, "True", "Running")
    workload_becomes(cluster, "False", "HostNotFound", "not-there")
    for kind, name in (("DockerHost", "local"), ("Workload", "shop"), ("Workload", "not-there")):
        held(cluster, kind, name)
    operator.until_written()
    before, passes = len(api_proxy.requests), cutting_socket.requests.count(LIST)
    index.passes(count=8)
    written = writes(api_proxy, since=before)
    assert set(written) == {"dockerhosts/local/status"}
    assert 1 <= written.total() <= cutting_socket.requests.count(LIST) - passes + 1


def test_two_new_objects_take_few_writes_and_have_no_annotation(
    start: Start, api_proxy: ApiProxy, cluster: Cluster, docker_engine: DockerEngine
):
    operator = start(proxied=True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack())
    workload_becomes(cluster, "False", "NoContainers")
    operator.until_written()
    for kind, name in (("DockerHost", "local"), ("Workload", "shop")):
        metadata = held(cluster, kind, name)["metadata"]
        assert metadata["finalizers"] == ["tinyforge.dev/finalizer"]
        assert not {"annotations", "labels"} & metadata.keys()
    written = writes(api_proxy)
    assert written["dockerhosts/local"] + written["namespaces/default/workloads/shop"] <= 4  # the finalizers, each perhaps once more
    assert written["dockerhosts/local/status"] + written["namespaces/default/workloads/shop/status"] <= 8


def test_a_thousand_edits_of_one_object_end_with_a_true_status_and_few_writes(
    start: Start, api_proxy: ApiProxy, cluster: Cluster, docker_engine: DockerEngine
):
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(stack())
    operator = start(proxied=True)
    workload_becomes(cluster, "True", "Running")
    before, began = len(api_proxy.requests), time.monotonic()
    with editor(cluster) as somebody:
        for number in range(EDITS):
            somebody.regroup("shop", f"g{number}")
    found = workload_becomes(cluster, "True", "Running")
    operator.until_written()
    assert found["metadata"]["generation"] == EDITS + 1
    looks = (time.monotonic() - began) / LOOK_SECONDS + 1
    assert writes(api_proxy, since=before)["namespaces/default/workloads/shop/status"] <= 2 * looks  # the object moves under the writer
    assert writes(api_proxy, since=before)["dockerhosts/local/status"] <= 2 * looks


def test_p6_a_storm_of_edits_of_two_hundred_objects_delays_no_other_hosts_pass(
    start: Start, cluster: Cluster, docker_engine: DockerEngine, cutting_socket: CuttingSocket, tinyforge: Tinyforge
):
    names = [f"shop-{number}" for number in range(OBJECTS)]
    docker_engine.create("web", belonging_to(names[-1], "web"), start=True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(host(cutting_socket.endpoint, "another"))
    start()
    host_becomes(cluster, "True", "PassComplete", "another")
    with editor(cluster) as somebody, ThreadPoolExecutor() as pool:
        somebody.create(stack(name) for name in names)
        answered = threading.Event()
        storm = pool.submit(somebody.regroup_all, names, answered)
        try:
            assert [tinyforge("sync", "--host", "another", "--json").json[0]["outcome"] for _ in range(3)] == ["unchanged"] * 3
        finally:
            answered.set()
        assert storm.result() > 0
    until(lambda: ready_reasons(cluster), dict.fromkeys(names[:-1], "NoContainers") | {names[-1]: "Running"})


def ready_reasons(cluster: Cluster) -> dict[str, str]:
    """What every workload says of what it is now."""
    return {
        found["metadata"]["name"]: condition(found)["reason"]
        for found in cluster.list("Workload")
        if found.get("status", {}).get("observedGeneration") == found["metadata"]["generation"]
    }
