"""What this process has done and found, as metrics. The drivers tell it; `/metrics` shows it.

The names are a contract: dashboards and alerts are made of them, and docs/metrics.md explains each. Labels are bounded by what operators
wrote or installed, never by what a container, an engine, a plugin or an object says.
"""

import time
from collections.abc import Callable, Collection
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Gauge, Histogram, PlatformCollector, ProcessCollector

from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.passes import PassReport
from tinyforge.http.exemplars import exemplar
from tinyforge.http.host_metrics import HostMetrics
from tinyforge.http.readings import Readings
from tinyforge.http.workload_metrics import WorkloadMetrics
from tinyforge.objects.workload import WorkloadStatus

OTHER = "other"
"""The source of dispatches whose source is not installed."""

_DISPATCH_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
"""From a source that only compares to three calls that each take all the time they have by default."""


class Metrics:
    """The metrics of one process.

    Args:
        sources: the kinds of the sources that are installed.
        now: the time, in seconds since 1970.
        clock: a clock in seconds that never goes back.
    """

    def __init__(
        self, *, sources: Collection[str], now: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._sources = frozenset(sources)
        self.registry = CollectorRegistry()
        """Where the metrics are, for `Exposition`."""
        self._hosts = HostMetrics(self.registry, now=now, clock=clock)
        self._workloads = WorkloadMetrics()
        self._dispatch_seconds = Histogram(
            "tinyforge_dispatch_duration_seconds",
            "How long dispatches took.",
            ["source", "outcome"],
            buckets=_DISPATCH_SECONDS,
            registry=self.registry,
        )
        self.readings = Readings()
        """What others keep the number of."""
        self.registry.register(self._workloads)
        self.registry.register(self.readings)
        build = Gauge("tinyforge_build_info", "1 under the version that runs.", ["version"], registry=self.registry)
        build.labels(version("tinyforge")).set(1)
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def passed(self, host: str, report: PassReport) -> None:
        """Count a pass of a declared host."""
        self._hosts.passed(host, report)

    def dispatched(self, source: str, report: DispatchReport, seconds: float) -> None:
        """Count a dispatch to a source of some kind, and for how many seconds it went on."""
        known = source if source in self._sources else OTHER
        self._dispatch_seconds.labels(known, report.outcome.value).observe(seconds, exemplar(report.trace_id))

    def assessed(self, workload: str, status: WorkloadStatus, dispatch: DispatchReport | None) -> None:
        """Take note of a workload's status after a turn, and of its last dispatch if it has had one."""
        self._workloads.assessed(workload, status, dispatch)

    def keep(self, *, hosts: Collection[str], workloads: Collection[str]) -> None:
        """Keep what is said of these and of no others: call it whenever what is declared was applied."""
        self._hosts.keep(hosts)
        self._workloads.keep(workloads)
