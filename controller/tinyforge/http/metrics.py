"""What this process has done and found, as metrics. The drivers tell it; `/metrics` shows it.

The names are a contract: dashboards and alerts are made of them. Labels are bounded by what operators wrote or installed, never by what a
container, an engine or an object says: a host that is no longer declared leaves with all its series, and a source that is not installed
counts as `other`.
"""

import time
from collections.abc import Callable, Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.http.readings import Readings

OTHER = "other"
"""The source of dispatches whose source is not installed."""

_PASS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""From a small host's pass to what a list may take by default."""
_DISPATCH_SECONDS = (0.005, 0.025, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 180.0)
"""From a source that only compares to three calls that each take all the time they have by default."""


class Metrics:
    """The metrics of one process.

    Args:
        sources: the kinds of the sources that are installed.
        now: the time, in seconds since 1970.
    """

    def __init__(self, *, sources: Collection[str], now: Callable[[], float] = time.time) -> None:
        self._sources = frozenset(sources)
        self._now = now
        self.registry = CollectorRegistry()
        """Where the metrics are, for `Exposition`."""
        self._pass_seconds = Histogram(
            "tinyforge_pass_duration_seconds",
            "From asking an engine for its list to the commit, of passes that got one.",
            buckets=_PASS_SECONDS,
            registry=self.registry,
        )
        self._containers = Gauge(
            "tinyforge_pass_containers",
            "What a host's last complete pass found; its list was matched + ignored.",
            ["host", "result"],
            registry=self.registry,
        )
        self._failures = Counter(
            "tinyforge_pass_failures_total", "Passes that could say nothing.", ["host", "reason"], registry=self.registry
        )
        self._completed_at = Gauge(
            "tinyforge_host_last_complete_pass_timestamp_seconds",
            "When the list of a host's last complete pass was asked for, by this process's clock.",
            ["host"],
            registry=self.registry,
        )
        self._dispatch_seconds = Histogram(
            "tinyforge_dispatch_duration_seconds",
            "How long dispatches took.",
            ["source", "outcome"],
            buckets=_DISPATCH_SECONDS,
            registry=self.registry,
        )
        self.readings = Readings()
        """What others keep the number of."""
        self.registry.register(self.readings)

    def passed(self, host: str, report: PassReport) -> None:
        """Count a pass of a declared host. Numbers of a complete pass stay until the next one; a skipped pass says nothing."""
        match report.outcome:
            case PassOutcome.CHANGED | PassOutcome.UNCHANGED:
                self._complete(host, report)
            case PassOutcome.FAILED:
                self._failures.labels(host, report.reason).inc()
            case PassOutcome.SKIPPED:
                pass

    def dispatched(self, source: str, report: DispatchReport, seconds: float) -> None:
        """Count a dispatch to a source of some kind, and for how many seconds it went on."""
        known = source if source in self._sources else OTHER
        self._dispatch_seconds.labels(known, report.outcome.value).observe(seconds)

    def keep_hosts(self, hosts: Collection[str]) -> None:
        """Keep the series of these hosts and of no others: call it whenever what is declared was applied."""
        for metric in (self._containers, self._failures, self._completed_at):
            shown = {sample.labels["host"] for family in metric.collect() for sample in family.samples}
            for gone in shown - set(hosts):
                metric.remove_by_labels({"host": gone})

    def _complete(self, host: str, report: PassReport) -> None:
        self._pass_seconds.observe(report.duration_seconds)
        self._completed_at.labels(host).set(self._now() - report.duration_seconds)
        counts = {"matched": report.matched, "ignored": report.ignored, "written": report.written, "missing": report.missing}
        for result, number in counts.items():
            self._containers.labels(host, result).set(number)
