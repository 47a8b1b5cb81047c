"""Metrics that somebody else keeps the number of: it is looked at when they are asked for. A driver says where, once its term begins."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

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

    def look_at_leadership(self, leads: Callable[[], bool], epoch: Callable[[], int], observes_only: Callable[[], bool]) -> None:
        """Show whether this process leads, the newest epoch that it knows of, and whether it leads but may change nothing on an engine."""
        gauges = {
            "tinyforge_leader": ("1 in the process that leads.", leads),
            "tinyforge_epoch": ("The newest epoch that this process knows of; its own if it leads.", epoch),
            "tinyforge_observe_only": (
                "1 in a leader that cannot renew its Lease: it goes on with the index and changes nothing on engines.",
                observes_only,
            ),
        }
        for name, (about, look) in gauges.items():
            self._reads[name] = partial(_gauge, name, about, look)

    def look_at_fence(self, refused: Callable[[], int]) -> None:
        """Show how many writes the fence refused; the number only grows."""
        about = "Transactions that were refused since another process leads: nothing of them was written."
        self._reads["fence"] = lambda: CounterMetricFamily("tinyforge_fenced_writes", about, value=refused())

    def collect(self) -> Iterator[Metric]:
        """Look at everything now."""
        return (read() for read in list(self._reads.values()))


def _gauge(name: str, about: str, look: Callable[[], float]) -> Metric:
    return GaugeMetricFamily(name, about, value=look())
