"""A time in which nothing changes, and nobody but the controller asks the API server anything."""

import time

from tests.benchmarks.figures import AtMost, Figure, Section
from tests.benchmarks.operator.api_requests import OURS, STATUSES, Requests
from tests.benchmarks.operator.controller_process import ControllerProcess
from tests.benchmarks.operator.probe import probing
from tests.benchmarks.operator.scale import Scale
from tests.servers.kubernetes import ControlPlane

WRITTEN = OURS | STATUSES | {"events"}


def quiet_section(running: ControllerProcess, control_plane: ControlPlane, scale: Scale) -> Section:
    """Look at the controller for so long."""
    before, cpu_before = Requests.until_now(control_plane), running.cpu_seconds
    begun = time.monotonic()
    with probing(running.port) as probe:
        time.sleep(scale.quiet)
    requests, cpu_seconds = Requests.until_now(control_plane).since(before), running.cpu_seconds - cpu_before
    minutes = (time.monotonic() - begun) / 60
    of_hosts = requests.statuses("dockerhosts")
    writes = requests.count(lambda asked: asked.is_write and asked.resource in WRITTEN)
    most = scale.hosts * 60 / scale.interval
    return Section(
        "A minute in which nothing changes",
        (
            Figure("statuses written of hosts", of_hosts / minutes, "{:.0f}", AtMost(1.05 * most, f"{most:.0f}: one a pass")),
            Figure("other writes", (writes - of_hosts) / minutes, "{:.0f}", AtMost(0, "0")),
            Figure("pages of lists; everything is listed every two minutes", requests.of({"LIST"}, OURS) / minutes, "{:.1f}"),
            Figure("watches of hosts and workloads", requests.of({"WATCH"}, OURS) / minutes, "{:.1f}"),
            Figure("CPU time", cpu_seconds / minutes, "{:.1f} s"),
            Figure("slowest answer to a probe", 1000 * probe.slowest, "{:.0f} ms"),
            Figure("memory (VmRSS)", running.resident, "{:.0f} MiB"),
            Figure("threads", running.threads, "{:.0f}"),
        ),
    )
