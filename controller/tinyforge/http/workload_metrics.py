"""How many workloads are as they should be, as metrics. `Metrics` hands the status of every turn over.

Workloads are counted and never named: there may be thousands of them, and anybody may name one. `tinyforge workloads` says which.
"""

from collections import Counter
from collections.abc import Collection, Iterator

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from tinyforge.domain.dispatch import DispatchReport
from tinyforge.objects.workload import WorkloadStatus

_READY = "Ready"
_UNKNOWN = "Unknown"
_ANSWERS = ("True", "False", _UNKNOWN)


class WorkloadMetrics(Collector):
    """Remembers of each workload in force whether it is ready, and whether its last dispatch failed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[str, bool]] = {}

    def assessed(self, workload: str, status: WorkloadStatus, dispatch: DispatchReport | None) -> None:
        """Take note of a workload's status, and of its last dispatch if it has had one."""
        ready = next((it.status for it in status.conditions if it.type == _READY), _UNKNOWN)
        self._known[workload] = ready, dispatch is not None and dispatch.failed

    def keep(self, workloads: Collection[str]) -> None:
        """Count these workloads and no others."""
        for gone in self._known.keys() - set(workloads):
            del self._known[gone]

    def collect(self) -> Iterator[Metric]:
        """Count them."""
        ready = Counter(answer for answer, _ in self._known.values())
        gauge = GaugeMetricFamily(
            "tinyforge_workloads", "Workloads that have had a turn, by their condition Ready: true, false or unknown.", labels=["ready"]
        )
        for answer in _ANSWERS:
            gauge.add_metric([answer.lower()], ready[answer])
        yield gauge
        about = "Workloads whose last dispatch failed, whether or not it is tried again."
        yield GaugeMetricFamily("tinyforge_failing_workloads", about, value=sum(failed for _, failed in self._known.values()))
