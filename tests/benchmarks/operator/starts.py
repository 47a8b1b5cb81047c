"""The controller's first start, with everything to be done, and a second one, with everything done already."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import psycopg

from tests.benchmarks.figures import AtMost, Figure, Section
from tests.benchmarks.operator.api_requests import OURS, STATUSES, Requests
from tests.benchmarks.operator.audience import audience
from tests.benchmarks.operator.controller_process import ControllerProcess, peak_of_imports
from tests.benchmarks.operator.fleet import Fleet
from tests.benchmarks.operator.probe import probing
from tests.benchmarks.operator.scale import Scale
from tests.benchmarks.operator.truth import host_is_true, workload_is_true
from tests.servers.cluster import Cluster

PATIENCE = 120.0  # seconds
MIRRORED = "SELECT count(*) FROM tinyforge.workloads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How long after the start of the process what was done, in seconds, and what that took."""

    mirrored: float
    passed: float
    true: float
    requests: Requests
    cpu_seconds: float
    peak: float
    slowest_probe: float


def boot(running: ControllerProcess, cluster: Cluster, fleet: Fleet, *, url: str) -> Start:
    """Watch a start until everything is true."""
    before = Requests.until_now(cluster.control_plane)
    since = datetime.now(UTC)
    with (
        audience(cluster.api, "DockerHost", partial(host_is_true, since=since)) as hosts,
        audience(cluster.api, "Workload", workload_is_true) as workloads,
        probing(running.port) as probe,
    ):
        mirrored = await_mirror(url, fleet.mirrored)
        passed = hosts.wait(PATIENCE)
        true = workloads.wait(PATIENCE)
        time.sleep(fleet.scale.settled)
        workloads.wait(0)
    return Start(
        mirrored=mirrored - running.started,
        passed=passed - running.started,
        true=max(true, passed) - running.started,
        requests=Requests.until_now(cluster.control_plane).since(before),
        cpu_seconds=running.cpu_seconds,
        peak=running.peak,
        slowest_probe=probe.slowest,
    )


def boot_section(start: Start, fleet: Fleet, alone: float) -> list[Section]:
    """Return the figures of a first start; `alone` is how long its statuses take alone, in seconds."""
    objects = fleet.scale.workloads + fleet.scale.hosts
    imports = peak_of_imports()
    statuses = start.requests.count(lambda asked: asked.is_taken_write and asked.resource in STATUSES)
    finalizers = start.requests.count(lambda asked: asked.is_taken_write and asked.resource in OURS)
    refused = start.requests.count(lambda asked: asked.is_write and not asked.is_taken_write and asked.resource in OURS | STATUSES)
    return [
        Section(
            "First start",
            (
                Figure("until the mirror is written", start.mirrored, "{:.1f} s"),
                Figure("until every host has had a pass", start.passed, "{:.1f} s"),
                Figure("until every object is true", start.true, "{:.1f} s"),
                Figure("a status for every object by the same client alone", alone, "{:.1f} s"),
                Figure("until every object is true ÷ the statuses alone", start.true / alone, "{:.2f}"),
                Figure("statuses written, an object", statuses / objects, "{:.2f}", AtMost(2, "≤ 2")),
                Figure("finalizers written, an object", finalizers / objects, "{:.2f}", AtMost(1, "≤ 1")),
                Figure("writes refused because the object had changed, an object", refused / objects, "{:.2f}"),
                Figure("CPU time", start.cpu_seconds, "{:.1f} s"),
                Figure("slowest answer to a probe", 1000 * start.slowest_probe, "{:.0f} ms", AtMost(1000, "≤ 1 s")),
            ),
        ),
        Section(
            "Memory",
            (
                Figure("import tinyforge.cli.controller", imports, "{:.0f} MiB"),
                Figure("peak (VmHWM) of the first start", start.peak, "{:.0f} MiB", AtMost(256, "≤ 256 MiB")),
            ),
        ),
    ]


def again_section(running: ControllerProcess, cluster: Cluster, scale: Scale) -> Section:
    """Watch a start that finds everything true."""
    before = Requests.until_now(cluster.control_plane)
    since = datetime.now(UTC)
    with audience(cluster.api, "DockerHost", partial(host_is_true, since=since)) as hosts, probing(running.port) as probe:
        passed = hosts.wait(PATIENCE)
        time.sleep(scale.settled)
    requests = Requests.until_now(cluster.control_plane).since(before)
    everything = requests.count(lambda asked: asked.is_write and asked.resource.partition("/")[0] in ("workloads", "dockerhosts", "events"))
    of_hosts = requests.statuses("dockerhosts")
    return Section(
        "Second start, with everything true already",
        (
            Figure("until every host has had a pass", passed - running.started, "{:.1f} s"),
            Figure("statuses written of hosts", of_hosts, "{:.0f}"),
            Figure("other writes", everything - of_hosts, "{:.0f}", AtMost(1, "1: the Event of the election")),
            Figure("CPU time", running.cpu_seconds, "{:.1f} s"),
            Figure("slowest answer to a probe", 1000 * probe.slowest, "{:.0f} ms", AtMost(1000, "≤ 1 s")),
        ),
    )


def await_mirror(url: str, workloads: int) -> float:
    """Wait until the mirror has so many workloads, and return when that was, on the monotonic clock."""
    deadline = time.monotonic() + PATIENCE
    with psycopg.connect(url, autocommit=True) as connection:
        while connection.execute(MIRRORED).fetchone() != (workloads,):
            assert time.monotonic() < deadline, f"after {PATIENCE:.0f} s the mirror does not have {workloads} workloads"
            time.sleep(0.02)
    return time.monotonic()
