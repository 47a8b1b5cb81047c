"""What passes found, host by host, as metrics. `Metrics` hands every pass of a declared host over.

Labels are bounded by what operators declared and by what Tinyforge itself can say: a host that is no longer declared leaves with all its
series, and a reason that no engine adapter knows counts as `other`.
"""

from collections.abc import Callable, Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from tinyforge.domain.host_status import WhyUnknown
from tinyforge.domain.hosts import HostState
from tinyforge.domain.passes import PassOutcome, PassReason, PassReport
from tinyforge.http.exemplars import exemplar
from tinyforge.ports import EngineReason

OTHER = "other"
"""The reason of failures whose reason is none of ours."""

_PASS_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""From a small host's pass to what a list may take by default."""
_STALE_SECONDS = (1.0, 2.0, 5.0, 11.0, 16.0, 32.0, 62.0, 95.0, 125.0, 310.0, 620.0, 920.0, 1800.0, 3600.0)
"""A little above one to three intervals of 5, 10, 15, 30, 60 and 300 s, so that a missed pass is a step; then half an hour and an hour."""
_REASONS = frozenset({*EngineReason, WhyUnknown.ENGINE_CHANGED})


class HostMetrics:
    """The series of the hosts.

    Args:
        registry: where they are shown.
        now: the time, in seconds since 1970.
        clock: a clock in seconds that never goes back.
    """

    def __init__(self, registry: CollectorRegistry, *, now: Callable[[], float], clock: Callable[[], float]) -> None:
        self._now = now
        self._clock = clock
        self._states: dict[str, HostState] = {}
        self._spoke_at: dict[str, float] = {}
        self._state = Gauge(
            "tinyforge_host_state",
            "1 under the state that a host's last pass left it in: reachable, unreachable, engine_changed or suspended.",
            ["host", "state"],
            registry=registry,
        )
        self._containers = Gauge(
            "tinyforge_pass_containers",
            "What a host's last complete pass found; its list was matched + ignored.",
            ["host", "result"],
            registry=registry,
        )
        self._failures = Counter("tinyforge_pass_failures_total", "Passes that could say nothing.", ["host", "reason"], registry=registry)
        self._completed_at = Gauge(
            "tinyforge_host_last_complete_pass_timestamp_seconds",
            "When the list of a host's last complete pass was asked for, by this process's clock.",
            ["host"],
            registry=registry,
        )
        self._pass_seconds = Histogram(
            "tinyforge_pass_duration_seconds",
            "From asking an engine for its list to the commit, of passes that got one.",
            buckets=_PASS_SECONDS,
            registry=registry,
        )
        self._changes = Counter(
            "tinyforge_changes_found_total", "Rows that passes changed, by what had the pass made.", ["by"], registry=registry
        )
        self._changes.labels(PassReason.TIMER.value)  # shown from the start on, so that its first change is an increase
        self._stale_seconds = Histogram(
            "tinyforge_staleness_seconds",
            "How old a host's last complete pass had become when its next pass ended, complete or not.",
            buckets=_STALE_SECONDS,
            registry=registry,
        )

    def passed(self, host: str, report: PassReport) -> None:
        """Count a pass. Numbers of a complete pass stay until the next one; a skipped pass tells of the state alone."""
        self._stands(host, _state(report))
        match report.outcome:
            case PassOutcome.CHANGED | PassOutcome.UNCHANGED:
                self._grew_stale(host)
                self._complete(host, report)
            case PassOutcome.FAILED:
                self._grew_stale(host)
                self._failures.labels(host, report.reason if report.reason in _REASONS else OTHER).inc()
            case PassOutcome.SKIPPED:
                self._spoke_at.pop(host, None)  # nobody wants a suspended host to be fresh

    def keep(self, hosts: Collection[str]) -> None:
        """Keep the series of these hosts and of no others."""
        kept = set(hosts)
        for metric in (self._state, self._containers, self._failures, self._completed_at):
            shown = {sample.labels["host"] for family in metric.collect() for sample in family.samples}
            for gone in shown - kept:
                metric.remove_by_labels({"host": gone})
        for known in (self._states, self._spoke_at):
            for gone in known.keys() - kept:
                del known[gone]

    def _stands(self, host: str, state: HostState) -> None:
        before = self._states.get(host)
        if before is not state:
            if before:
                self._state.remove(host, before.value)
            self._states[host] = state
            self._state.labels(host, state.value).set(1)

    def _grew_stale(self, host: str) -> None:
        spoke_at = self._spoke_at.get(host)
        if spoke_at is not None:
            self._stale_seconds.observe(self._clock() - spoke_at)

    def _complete(self, host: str, report: PassReport) -> None:
        self._spoke_at[host] = self._clock() - report.duration_seconds
        self._completed_at.labels(host).set(self._now() - report.duration_seconds)
        self._pass_seconds.observe(report.duration_seconds, exemplar(report.trace_id))
        if report.asked_by is PassReason.TIMER:
            self._changes.labels(report.asked_by.value).inc(report.written)
        counts = {"matched": report.matched, "ignored": report.ignored, "written": report.written, "missing": report.missing}
        for result, number in counts.items():
            self._containers.labels(host, result).set(number)


def _state(report: PassReport) -> HostState:
    match report.outcome:
        case PassOutcome.CHANGED | PassOutcome.UNCHANGED:
            return HostState.REACHABLE
        case PassOutcome.SKIPPED:
            return HostState.SUSPENDED
        case PassOutcome.FAILED:
            return HostState.ENGINE_CHANGED if report.reason == WhyUnknown.ENGINE_CHANGED else HostState.UNREACHABLE
