"""What the metrics say, and that their labels stay few."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.http.metrics import Metrics
from tinyforge.ports import EngineReason

NOW = 1_700_000_000.0
OUTCOMES = st.sampled_from(DispatchOutcome)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(sources=["external", "image"], now=lambda: NOW)


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tinyforge_{name}", labels)


def series(metrics: Metrics) -> set[tuple[str, ...]]:
    return {(it.name, *it.labels.values()) for family in metrics.registry.collect() for it in family.samples}


def report(outcome: PassOutcome = PassOutcome.CHANGED, **facts: Any) -> PassReport:
    return PassReport(**{"host": "shop", "outcome": outcome, **facts})


COMPLETE = report(listed=7, matched=5, ignored=2, written=3, missing=1, duration_seconds=0.25)
FAILED = report(PassOutcome.FAILED, reason=EngineReason.TIMEOUT)


def test_a_complete_pass_says_what_it_found_when_and_how_long_it_took(metrics: Metrics) -> None:
    metrics.passed("shop", COMPLETE)
    found = {
        result: value(metrics, "pass_containers", host="shop", result=result) for result in ("matched", "ignored", "written", "missing")
    }
    assert found == {"matched": 5, "ignored": 2, "written": 3, "missing": 1}
    assert value(metrics, "host_last_complete_pass_timestamp_seconds", host="shop") == NOW - 0.25
    assert value(metrics, "pass_duration_seconds_count") == 1
    assert value(metrics, "pass_duration_seconds_sum") == 0.25


def test_a_pass_that_changes_nothing_is_a_complete_one(metrics: Metrics) -> None:
    metrics.passed("shop", report(PassOutcome.UNCHANGED, listed=7, matched=7))
    assert value(metrics, "pass_containers", host="shop", result="matched") == 7
    assert value(metrics, "host_last_complete_pass_timestamp_seconds", host="shop") == NOW


def test_a_failed_pass_counts_under_its_reason_and_leaves_what_is_known(metrics: Metrics) -> None:
    metrics.passed("shop", COMPLETE)
    metrics.passed("shop", FAILED)
    metrics.passed("shop", FAILED)
    assert value(metrics, "pass_failures_total", host="shop", reason="Timeout") == 2
    assert value(metrics, "pass_containers", host="shop", result="matched") == 5
    assert value(metrics, "host_last_complete_pass_timestamp_seconds", host="shop") == NOW - 0.25
    assert value(metrics, "pass_duration_seconds_count") == 1


def test_a_skipped_pass_says_nothing(metrics: Metrics) -> None:
    before = series(metrics)
    metrics.passed("shop", report(PassOutcome.SKIPPED, reason="HostSuspended"))
    assert series(metrics) == before


def test_a_host_that_is_no_longer_declared_leaves_no_series(metrics: Metrics) -> None:
    before = series(metrics)
    for host in ("shop", "mail"):
        metrics.passed(host, COMPLETE)
        metrics.passed(host, FAILED)
    metrics.keep_hosts(["mail"])
    assert not {each for each in series(metrics) if "shop" in each}
    assert value(metrics, "pass_failures_total", host="mail", reason="Timeout") == 1
    metrics.keep_hosts([])
    assert series(metrics) == before


def test_a_host_that_is_declared_again_starts_at_zero(metrics: Metrics) -> None:
    metrics.passed("shop", FAILED)
    metrics.keep_hosts([])
    metrics.passed("shop", FAILED)
    assert value(metrics, "pass_failures_total", host="shop", reason="Timeout") == 1


def test_a_dispatch_counts_under_its_source_and_outcome(metrics: Metrics) -> None:
    metrics.dispatched("image", DispatchReport(outcome=DispatchOutcome.FAILED, reason="PullFailed"), 3.0)
    assert value(metrics, "dispatch_duration_seconds_count", source="image", outcome="failed") == 1
    assert value(metrics, "dispatch_duration_seconds_bucket", source="image", outcome="failed", le="2.5") == 0
    assert value(metrics, "dispatch_duration_seconds_bucket", source="image", outcome="failed", le="5.0") == 1


@given(st.lists(st.tuples(st.text(), OUTCOMES)))
def test_whatever_workloads_name_as_their_source_there_is_one_label_for_what_is_not_installed(
    dispatches: list[tuple[str, DispatchOutcome]],
) -> None:
    metrics = Metrics(sources=["external"])
    for source, outcome in dispatches:
        metrics.dispatched(source, DispatchReport(outcome=outcome, reason=source), 0.1)
    sources = {it.labels["source"] for family in metrics.registry.collect() for it in family.samples if "source" in it.labels}
    assert sources <= {"external", "other"}


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


def test_what_nobody_counts_here_is_left_out(metrics: Metrics) -> None:
    assert not {name for name, *_ in series(metrics) if "kopf" in name or "statuses" in name or "timers" in name}


def test_two_processes_in_one_share_no_numbers() -> None:
    one, other = Metrics(sources=[]), Metrics(sources=[])
    one.passed("shop", COMPLETE)
    assert value(other, "pass_duration_seconds_count") == 0
