"""How long a workload is left alone after its dispatch failed (rule D1), and which dispatches leave a trace (rule D3)."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.domain.dispatch import Attempt, DispatchOutcome, DispatchReason, DispatchReport, TraceUnchanged, back_off
from tinyforge.domain.traces import Traceparent

FAILURES = st.integers(0, 10**6)
INTERVALS = st.floats(0.01, 1e6)
ASKED_FOR = st.floats(0, 1e12)


@pytest.mark.parametrize(("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 240), (5, 300), (6, 300), (10**6, 300)])
def test_every_further_failure_doubles_the_wait_up_to_5_minutes(failures: int, seconds: float) -> None:
    assert back_off(failures, interval=30, asked_for=0) == seconds


def test_a_source_may_ask_for_more_patience_but_not_for_less() -> None:
    assert back_off(1, interval=30, asked_for=90) == 90
    assert back_off(3, interval=30, asked_for=90) == 120
    assert back_off(1, interval=30, asked_for=1e9) == 300


def test_a_long_interval_is_never_undercut() -> None:
    assert back_off(9, interval=900, asked_for=0) == 900


@quick
@given(FAILURES, INTERVALS, ASKED_FOR)
def test_the_wait_is_at_least_the_interval_and_at_most_5_minutes_or_the_interval(failures: int, interval: float, asked_for: float) -> None:
    assert interval <= back_off(failures, interval=interval, asked_for=asked_for) <= max(300, interval)


@quick
@given(FAILURES, FAILURES, INTERVALS, ASKED_FOR, ASKED_FOR)
def test_more_failures_or_more_patience_asked_for_never_shorten_the_wait(
    failures: int, more: int, interval: float, asked_for: float, further: float
) -> None:
    longer = back_off(failures + more, interval=interval, asked_for=asked_for + further)
    assert back_off(failures, interval=interval, asked_for=asked_for) <= longer


@quick
@given(FAILURES, INTERVALS, ASKED_FOR)
def test_what_the_source_asked_for_is_kept_to_within_the_bound(failures: int, interval: float, asked_for: float) -> None:
    assert back_off(failures, interval=interval, asked_for=asked_for) >= min(asked_for, 300)


@quick
@given(FAILURES, INTERVALS, st.sampled_from((float("nan"), float("inf"), float("-inf"), -1.0)))
def test_no_number_a_source_asks_for_stops_its_workloads_timer(failures: int, interval: float, asked_for: float) -> None:
    assert interval <= back_off(failures, interval=interval, asked_for=asked_for) <= max(300, interval)


@pytest.mark.parametrize("outcome", DispatchOutcome)
def test_only_a_failure_that_trying_again_cannot_help_is_hopeless(outcome: DispatchOutcome) -> None:
    failed = outcome is DispatchOutcome.FAILED
    assert DispatchReport(outcome=outcome).failed == failed
    assert DispatchReport(outcome=outcome).hopeless == failed
    assert not DispatchReport(outcome=outcome, retry_after=0.0).hopeless


UNCHANGED = DispatchReport(outcome=DispatchOutcome.UNCHANGED)
OTHERS = [it for it in DispatchOutcome if it is not DispatchOutcome.UNCHANGED]
ROUTINE = Attempt(before=UNCHANGED, untraced_for=30.0)
TIMER = DispatchReason.TIMER


def test_by_default_every_dispatch_leaves_a_trace() -> None:
    assert TraceUnchanged.ALL.keeps(UNCHANGED, TIMER, ROUTINE)


@pytest.mark.parametrize(("seconds", "kept"), [(0, False), (599, False), (600, True), (math.inf, True)])
def test_with_a_heartbeat_one_in_10_minutes_of_those_that_found_nothing_new_leaves_one(seconds: float, kept: bool) -> None:
    attempt = replace(ROUTINE, untraced_for=seconds)
    assert TraceUnchanged.HEARTBEAT.keeps(UNCHANGED, TIMER, attempt) == kept
    assert not TraceUnchanged.NONE.keeps(UNCHANGED, TIMER, attempt)


@pytest.mark.parametrize("policy", TraceUnchanged)
def test_what_is_news_leaves_a_trace_whatever_is_set(policy: TraceUnchanged) -> None:
    assert policy.keeps(UNCHANGED, TIMER, Attempt()), "the first one"
    for outcome in OTHERS:
        other = DispatchReport(outcome=outcome)
        assert policy.keeps(other, TIMER, ROUTINE), "another outcome"
        assert policy.keeps(UNCHANGED, TIMER, replace(ROUTINE, before=other)), "back to what it was"
    for reason in DispatchReason:
        assert reason is TIMER or policy.keeps(UNCHANGED, reason, ROUTINE), "something made it happen"


def test_only_a_failure_that_is_not_hopeless_is_tried_again() -> None:
    attempt = Attempt(rest=lambda _: 30.0)
    failed = DispatchReport(outcome=DispatchOutcome.FAILED, retry_after=0.0)
    assert attempt.retry_in(failed) == 30.0
    assert attempt.retry_in(replace(failed, retry_after=None)) is None
    assert [attempt.retry_in(DispatchReport(outcome=it)) for it in DispatchOutcome] == [None] * 4
    assert Attempt().retry_in(failed) is None, "nobody said that anybody would"


def test_a_report_names_the_id_of_its_trace_if_it_left_one() -> None:
    assert UNCHANGED.trace_id == ""
    assert replace(UNCHANGED, trace=Traceparent("a" * 32, "b" * 16)).trace_id == "a" * 32
