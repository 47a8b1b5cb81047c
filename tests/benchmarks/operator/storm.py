"""Many edits of workloads' specs, as fast as the API server takes them."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

from tests.benchmarks.figures import AtMost, Figure, Section
from tests.benchmarks.operator.api_requests import Requests
from tests.benchmarks.operator.audience import audience
from tests.benchmarks.operator.controller_process import ControllerProcess
from tests.benchmarks.operator.fleet import CREATORS
from tests.benchmarks.operator.probe import probing
from tests.benchmarks.operator.scale import Scale
from tests.benchmarks.operator.truth import last_pass, workload_is_true
from tests.servers.cluster import Cluster
from tests.servers.kubernetes_api import KubernetesApi, Object

PATIENCE = 120.0  # seconds


def storm_section(running: ControllerProcess, cluster: Cluster, scale: Scale) -> Section:
    """Edit, and watch until everything is true; then go on until every host has had a pass since."""
    before, cpu_before = Requests.until_now(cluster.control_plane), running.cpu_seconds
    passes_before = passes(cluster)
    with probing(running.port) as probe, audience(cluster.api, "Workload", workload_is_true) as workloads:
        begun = time.monotonic()
        edit(cluster.api, cluster.list("Workload")[: scale.edits])
        edited = time.monotonic()
        true = max(workloads.wait(PATIENCE), edited)
    requests = Requests.until_now(cluster.control_plane).since(before)
    cpu_seconds = running.cpu_seconds - cpu_before
    gap = longest_gap(cluster, passes_before, scale)
    return Section(
        f"{scale.edits:,} edits of specs, as fast as the API server takes them",
        (
            Figure("the edits", edited - begun, "{:.1f} s"),
            Figure("from the first edit until all is true", true - begun, "{:.1f} s"),
            Figure("statuses written, an edit", requests.statuses("workloads") / scale.edits, "{:.2f}", AtMost(1, "≤ 1")),
            Figure("CPU time", cpu_seconds, "{:.1f} s"),
            Figure("slowest answer to a probe", 1000 * probe.slowest, "{:.0f} ms", AtMost(1000, "≤ 1 s")),
            Figure("longest time between two passes of a host ÷ interval", gap / scale.interval, "{:.2f}", AtMost(1.1, "≤ 1.1")),
        ),
    )


def edit(api: KubernetesApi, found: list[Object]) -> None:
    """Change the spec of each."""
    with ThreadPoolExecutor(CREATORS) as editors:
        paths = [api.resource("Workload").path(it["metadata"]["name"], namespace=it["metadata"]["namespace"]) for it in found]
        list(editors.map(lambda path: api.patch(path, {"spec": {"group": "edited"}}), paths))


def longest_gap(cluster: Cluster, before: dict[str, datetime], scale: Scale) -> float:
    """Wait until every host has had a pass after the one before the storm, and return the longest time between two, in seconds."""
    seen = before
    longest = timedelta()
    deadline = time.monotonic() + 2 * scale.interval
    since = datetime.now(UTC)
    while min(seen.values()) < since:
        assert time.monotonic() < deadline
        now = passes(cluster)
        longest = max(longest, *(now[name] - seen[name] for name in now))
        seen = now
        time.sleep(scale.interval / 20)
    return longest.total_seconds()


def passes(cluster: Cluster) -> dict[str, datetime]:
    """When each host had its last pass."""
    return {found["metadata"]["name"]: last_pass(found) for found in cluster.list("DockerHost")}
