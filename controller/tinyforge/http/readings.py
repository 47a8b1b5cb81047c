"""Metrics that somebody else keeps the number of: it is looked at when they are asked for. A driver says where, once its term begins."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Protocol

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector


class TraceNumbers(Protocol):
    """What whoever sends traces counts: spans that a collector took, spans that were lost, failed attempts to send, spans that wait."""

    @property
    def exported(self) -> int:
        """Spans that the collector has taken."""
        ...

    @property
    def dropped(self) -> int:
        """Spans that are lost: the queue was full, or the collector did not take them."""
        ...

    @property
    def failures(self) -> int:
        """Attempts to send that failed."""
        ...

    @property
    def queued(self) -> int:
        """Spans that wait to be sent."""
        ...


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

    def look_at_rhythm(self, stale_after: Callable[[], float]) -> None:
        """Show for how many seconds a complete pass speaks: alerts compare with it, whatever the interval is."""
        about = "After so many seconds without a complete pass a host's containers read unknown."
        self._reads["rhythm"] = lambda: _gauge("tinyforge_stale_after_seconds", about, stale_after)

    def look_at_traces(self, traces: TraceNumbers) -> None:
        """Show what became of spans, in a process that sends any."""
        counters: dict[str, tuple[str, Callable[[], int]]] = {
            "tinyforge_trace_spans_exported": ("Spans that the collector has taken.", lambda: traces.exported),
            "tinyforge_trace_spans_dropped": (
                "Spans that are lost: the queue was full, or the collector did not take them.",
                lambda: traces.dropped,
            ),
            "tinyforge_trace_export_failures": ("Attempts to send spans that failed.", lambda: traces.failures),
        }
        for name, (about, look) in counters.items():
            self._reads[name] = partial(_counter, name, about, look)
        about = "Spans that wait to be sent; more than the queue holds, 2048 by default, are not kept."
        self._reads["queue"] = lambda: _gauge("tinyforge_trace_queue_size", about, lambda: traces.queued)

    def collect(self) -> Iterator[Metric]:
        """Look at everything now."""
        return (read() for read in list(self._reads.values()))


def _counter(name: str, about: str, look: Callable[[], float]) -> Metric:
    return CounterMetricFamily(name, about, value=look())


def _gauge(name: str, about: str, look: Callable[[], float]) -> Metric:
    return GaugeMetricFamily(name, about, value=look())
