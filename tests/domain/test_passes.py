"""How often a pass runs, for how long it speaks, and whether it leaves a trace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.domain.passes import Kept, PassOutcome, PassReason, effective_interval, stale_after, why_kept


@pytest.mark.parametrize(
    ("setting", "interval"), [(0, 30), (-1, 30), (-0.0, 30), (30, 30), (0.5, 0.5), (300, 300), (300.1, 300), (1e9, 300)]
)
def test_p2_an_interval_is_30_s_unless_set_and_5_minutes_at_most(setting: float, interval: float) -> None:
    assert effective_interval(setting) == interval


@quick
@given(st.floats())
def test_p2_no_setting_switches_truth_off(setting: float) -> None:
    assert 0 < effective_interval(setting) <= 300


@pytest.mark.parametrize(("interval", "seconds"), [(1, 120), (30, 120), (40, 120), (41, 123), (300, 900)])
def test_a_complete_pass_speaks_for_three_intervals_and_at_least_two_minutes(interval: float, seconds: float) -> None:
    assert stale_after(interval) == seconds


@pytest.mark.parametrize(
    ("outcome", "reason", "seconds", "since_kept", "why"),
    [
        ("unchanged", "timer", 0.1, None, Kept.FIRST),
        ("changed", "sync", 9.0, None, Kept.FIRST),
        ("changed", "sync", 9.0, 30.0, Kept.CHANGED),
        ("failed", "sync", 9.0, 30.0, Kept.FAILED),
        ("unchanged", "sync", 9.0, 30.0, Kept.FORCED),
        ("unchanged", "spec", 0.1, 30.0, Kept.FORCED),
        ("unchanged", "boot", 0.1, 30.0, Kept.FORCED),
        ("unchanged", "timer", 1.01, 30.0, Kept.SLOW),
        ("unchanged", "timer", 1.01, 600.0, Kept.SLOW),
        ("unchanged", "timer", 1.0, 600.0, Kept.HEARTBEAT),
        ("unchanged", "timer", 1.0, 599.9, None),
    ],
)
def test_a_pass_that_tells_something_new_leaves_a_trace(
    outcome: str, reason: str, seconds: float, since_kept: float | None, why: Kept | None
) -> None:
    assert why_kept(PassOutcome(outcome), PassReason(reason), seconds=seconds, since_kept=since_kept) is why


@quick
@given(st.sampled_from(PassReason), st.floats(0, 1e4), st.floats(0, 599))
def test_of_a_row_of_passes_that_cannot_be_written_down_none_is_news_but_the_first(
    reason: PassReason, seconds: float, since_kept: float
) -> None:
    assert why_kept(PassOutcome.FAILED, reason, seconds=seconds, since_kept=since_kept, repeats=True) is None
    assert why_kept(PassOutcome.FAILED, reason, seconds=seconds, since_kept=600, repeats=True) is Kept.HEARTBEAT
    assert why_kept(PassOutcome.FAILED, reason, seconds=seconds, since_kept=since_kept) is Kept.FAILED


@quick
@given(st.sampled_from(PassReason), st.floats(0, 1e4), st.none() | st.floats(0, 1e6))
def test_a_pass_that_was_skipped_leaves_no_trace(reason: PassReason, seconds: float, since_kept: float | None) -> None:
    assert why_kept(PassOutcome.SKIPPED, reason, seconds=seconds, since_kept=since_kept) is None
