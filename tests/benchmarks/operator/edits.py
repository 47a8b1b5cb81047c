"""Edits of workloads' specs: some one after another, then many as fast as the API server takes them."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median

import psycopg

from tests.benchmarks.figures import AtMost, Figure, Section, milliseconds
from tests.benchmarks.operator.api_requests import Requests
from tests.benchmarks.operator.audience import Audience, audience
from tests.benchmarks.operator.controller_process import ControllerProcess
from tests.benchmarks.operator.fleet import CREATORS
from tests.benchmarks.operator.probe import probing
from tests.benchmarks.operator.scale import Scale
from tests.benchmarks.operator.truth import workload_is_true
from tests.servers.cluster import Cluster

PATIENCE = 120.0  # seconds
SINGLE_EDITS = 10
LAST_PASSES = "SELECT name, last_complete_pass_at FROM tinyforge.hosts"

Passes = Mapping[str, datetime]


def edits_sections(running: ControllerProcess, cluster: Cluster, scale: Scale, *, url: str) -> list[Section]:
    """Edit, and watch until everything is true; then go on until every host has had a pass since."""
    names = sorted(found["metadata"]["name"] for found in cluster.list("Workload"))
    before = passes(url)
    with audience(cluster.api, "Workload", workload_is_true) as workloads:
        single = median(seconds_of_an_edit(cluster, workloads, name) for name in names[:SINGLE_EDITS])
        storm = _storm_figures(running, cluster, workloads, names[: scale.edits])
    gap = longest_gap(url, before, scale.interval) / scale.interval
    return [
        Section("An edit of one spec", (milliseconds("from the edit until its status is true", single),)),
        Section(f"{scale.edits:,} edits of specs, as fast as the API server takes them", storm),
        Section(
            "Passes, meanwhile",
            (Figure("longest time between two of a host ÷ interval", gap, "{:.2f}", AtMost(1.1, "≤ 1.1")),),
        ),
    ]


def seconds_of_an_edit(cluster: Cluster, workloads: Audience, name: str) -> float:
    """Edit one workload, and return how long it took until its status told of it."""
    begun = time.monotonic()
    return workloads.wait(PATIENCE, edited=edit(cluster, name, "alone")) - begun


def _storm_figures(running: ControllerProcess, cluster: Cluster, workloads: Audience, names: list[str]) -> tuple[Figure, ...]:
    before, cpu_before = Requests.until_now(cluster.control_plane), running.cpu_seconds
    with probing(running.port) as probe:
        begun = time.monotonic()
        with ThreadPoolExecutor(CREATORS) as editors:
            edited = max(editors.map(lambda name: edit(cluster, name, "together"), names))
        done = time.monotonic()
        true = workloads.wait(PATIENCE, edited=edited)
    requests, cpu_seconds = Requests.until_now(cluster.control_plane).since(before), running.cpu_seconds - cpu_before
    return (
        Figure("the edits", done - begun, "{:.1f} s"),
        Figure("from the first edit until all is true", true - begun, "{:.1f} s"),
        Figure("until all is true ÷ the edits", (true - begun) / (done - begun), "{:.2f}"),
        Figure("statuses written, an edit", requests.statuses("workloads") / len(names), "{:.2f}", AtMost(1, "≤ 1")),
        Figure("CPU time", cpu_seconds, "{:.1f} s"),
        Figure("slowest answer to a probe", 1000 * probe.slowest, "{:.0f} ms", AtMost(1000, "≤ 1 s")),
        Figure("peak memory (VmHWM) since the second start", running.peak, "{:.0f} MiB", AtMost(256, "≤ 256 MiB")),
    )


def edit(cluster: Cluster, name: str, group: str) -> int:
    """Change a workload's spec, and return its resource version then."""
    return int(cluster.patch("Workload", name, {"spec": {"group": group}})["metadata"]["resourceVersion"])


def longest_gap(url: str, before: Passes, interval: float) -> float:
    """Wait until every host has had a pass from now on, and return the longest time between two since `before`, in seconds."""
    since, deadline = datetime.now(UTC), time.monotonic() + PATIENCE
    seen, longest = before, timedelta()
    while min(seen.values()) < since:
        assert time.monotonic() < deadline, f"some host has had no pass since {since}"
        time.sleep(interval / 20)
        now = passes(url)
        longest = max(longest, *(now[name] - at for name, at in seen.items()))
        seen = now
    return longest.total_seconds()


def passes(url: str) -> Passes:
    """Return when each host had its last pass. The index knows; a status may be written later."""
    with psycopg.connect(url, autocommit=True) as connection:
        return dict(connection.execute(LAST_PASSES).fetchall())
