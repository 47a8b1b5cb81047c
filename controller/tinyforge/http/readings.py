"""Metrics that somebody else keeps the number of: it is looked at when they are asked for. A driver says where, once its term begins."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class Readings(Collector):
    """What is looked at. What nobody has said where to look for is left out: a standalone controller restarts no kopf, and not 0 times."""

    def __init__(self) -> None:
        self._reads: dict[str, Callable[[], Metric]] = {}

    def look_at_timers(self, silent: Callable[[], Iterable[str]]) -> None:
        """Show how many timers are silent: `host NAME` or `workload ID` for each, as `Beats.silent` says it."""

        def read() -> Metric:
            kinds = [timer.partition(" ")[0] for timer in silent()]
            gauge = GaugeMetricFamily(
                "tinyforge_silent_timers",
                "Timers that have not been heard of for three intervals; more than 0 fails /healthz.",
                labels=["kind"],
            )
            for kind in ("host", "workload"):
                gauge.add_metric([kind], kinds.count(kind))
            return gauge

        self._reads["timers"] = read

    def look_at_statuses(self, unwritten: Callable[[], int]) -> None:
        """Show how many objects do not have the status that they should."""
        about = "Objects whose status is not known to say what it should."
        self._reads["statuses"] = lambda: GaugeMetricFamily("tinyforge_unwritten_statuses", about, value=unwritten())

    def look_at_kopf(self, restarts: Callable[[], int]) -> None:
        """Show how often kopf had to be started again; the number only grows."""
        about = "How often kopf ended by itself and was started again."
        self._reads["kopf"] = lambda: CounterMetricFamily("tinyforge_kopf_restarts", about, value=restarts())

    def collect(self) -> Iterator[Metric]:
        """Look at everything now."""
        return (read() for read in list(self._reads.values()))
