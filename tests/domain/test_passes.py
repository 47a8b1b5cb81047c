"""How often a pass runs, and for how long it speaks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.domain.passes import effective_interval, stale_after


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
