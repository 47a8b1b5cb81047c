"""What others keep the number of, looked up when it is asked for."""

from dataclasses import dataclass

from tests.http.series import series, value
from tinyforge.http.metrics import Metrics


def test_silent_timers_are_counted_when_they_are_asked_for(metrics: Metrics) -> None:
    silent: list[str] = []
    metrics.readings.look_at_timers(lambda: silent)
    assert value(metrics, "silent_timers", kind="host") == 0
    silent += ["host shop", "workload shop/host", "workload default/web"]
    assert value(metrics, "silent_timers", kind="host") == 1
    assert value(metrics, "silent_timers", kind="workload") == 2


def test_unwritten_statuses_and_kopfs_restarts_are_looked_up_when_they_are_asked_for(metrics: Metrics) -> None:
    numbers = [1, 2]
    metrics.readings.look_at_statuses(lambda: numbers[0])
    metrics.readings.look_at_kopf(lambda: numbers[1])
    numbers[:] = [5, 6]
    assert value(metrics, "unwritten_statuses") == 5
    assert value(metrics, "kopf_restarts_total") == 6


def test_who_leads_with_which_epoch_and_whether_it_only_observes_is_looked_up_when_it_is_asked_for(metrics: Metrics) -> None:
    now = {"leads": False, "epoch": 6, "observes": False}
    metrics.readings.look_at_leadership(lambda: now["leads"] == 1, lambda: now["epoch"], lambda: now["observes"] == 1)
    assert [value(metrics, name) for name in ("leader", "epoch", "observe_only")] == [0, 6, 0]
    now |= {"leads": True, "epoch": 7, "observes": True}
    assert [value(metrics, name) for name in ("leader", "epoch", "observe_only")] == [1, 7, 1]


def test_writes_that_the_fence_refused_are_counted_by_whoever_writes(metrics: Metrics) -> None:
    metrics.readings.look_at_fence(lambda: 3)
    assert value(metrics, "fenced_writes_total") == 3


def test_what_became_of_spans_is_looked_up_when_it_is_asked_for(metrics: Metrics) -> None:
    @dataclass
    class Numbers:
        exported: int = 1
        dropped: int = 2
        failures: int = 3
        queued: int = 4

    traces = Numbers()
    metrics.readings.look_at_traces(traces)
    names = ("trace_spans_exported_total", "trace_spans_dropped_total", "trace_export_failures_total", "trace_queue_size")
    assert [value(metrics, name) for name in names] == [1, 2, 3, 4]
    traces.dropped = 9
    assert value(metrics, "trace_spans_dropped_total") == 9


def test_for_how_long_a_pass_speaks_is_shown(metrics: Metrics) -> None:
    metrics.readings.look_at_rhythm(lambda: 120.0)
    assert value(metrics, "stale_after_seconds") == 120


def test_what_nobody_counts_here_is_left_out(metrics: Metrics) -> None:
    unsaid = ("kopf", "statuses", "timers", "leader", "trace", "stale_after")
    assert not {name for name, *_ in series(metrics) if any(word in name for word in unsaid)}
