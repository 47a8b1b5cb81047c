"""The times of a Lease, and when two Leases say the same."""

from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.domain.standby import HELD
from tests.domain.strategies import quick
from tinyforge.domain.lease import LONGEST_DURATION, SHORTEST_DURATION, Lease, LeaseTimes, readable_holder

short = st.integers(0, 5).map(float) | st.floats(max_value=5)
long = st.integers(0, 20).map(float) | st.floats()


def test_i7_the_times_of_client_go_fit_together() -> None:
    assert LeaseTimes().fault == ""


@pytest.mark.parametrize(
    ("times", "said"),
    [
        ({"duration": 14}, "at least renew deadline + request timeout + 2 s = 10 + 3 + 2 = 15 s, not 14 s"),
        ({"renew_deadline": 5}, "longer than retry period + request timeout = 2 + 3 = 5 s, not 5 s"),
        ({"duration": 15.5}, "whole seconds, not 15.5 s"),
        ({"duration": 3601}, "at most 3600 s, not 3601 s"),
        ({"duration": float("inf")}, "at most 3600 s, not inf s"),
        ({"duration": float("nan")}, "longer than 0 s"),
        ({"duration": 0}, "longer than 0 s"),
        ({"renew_deadline": float("nan")}, "longer than 0 s"),
        ({"retry_period": -1}, "longer than 0 s"),
        ({"request_timeout": 0}, "longer than 0 s"),
    ],
)
def test_i7_times_that_do_not_fit_together_are_refused_with_their_sum(times: dict[str, float], said: str) -> None:
    assert said in LeaseTimes(**times).fault


@quick
@given(st.builds(LeaseTimes, duration=long, renew_deadline=long, retry_period=short, request_timeout=short))
def test_i7_what_is_not_refused_leaves_the_next_leader_nothing_to_fear_and_is_believed_by_it(times: LeaseTimes) -> None:
    event(times.fault[:30] or "taken")
    if times.fault:
        return
    assert times.duration >= times.renew_deadline + times.request_timeout + 2
    assert times.survived_outage > 0
    assert replace(HELD, duration=times.duration).believed_duration(own=1) == times.duration


def test_an_outage_of_the_api_server_is_survived_that_leaves_time_for_a_lost_request_and_one_more() -> None:
    assert LeaseTimes().survived_outage == 10 - 2 - 3


@pytest.mark.parametrize(
    ("written", "believed"), [(0, 15), (-5, 15), (float("nan"), 15), (2, 15), (3, 3), (30, 30), (3600, 3600), (3601, 3600), (1e9, 3600)]
)
def test_a_duration_that_no_leader_writes_is_not_believed(written: float, believed: float) -> None:
    assert replace(HELD, duration=written).believed_duration(own=15) == believed


@quick
@given(st.floats(), st.integers(3, 3600).map(float))
def test_no_duration_that_anybody_writes_lasts_no_time_or_for_ever(written: float, own: float) -> None:
    assert SHORTEST_DURATION <= replace(HELD, duration=written).believed_duration(own=own) <= LONGEST_DURATION


def test_leases_say_the_same_whatever_their_resource_versions() -> None:
    assert HELD.same_spec(replace(HELD, resource_version="42"))


@pytest.mark.parametrize(
    "other",
    [
        replace(HELD, holder="x"),
        replace(HELD, duration=14),
        replace(HELD, transitions=8),
        replace(HELD, acquired_at=""),
        replace(HELD, renewed_at="10:07"),
    ],
)
def test_leases_that_differ_in_anything_else_do_not_say_the_same(other: Lease) -> None:
    assert not HELD.same_spec(other)


def test_a_holder_fits_a_sentence_whatever_somebody_wrote() -> None:
    assert readable_holder("pod-1/ab12") == "pod-1/ab12"
    assert readable_holder("\x1b[31mpod\n1") == "[31mpod 1"
    assert len(readable_holder("x" * 10_000)) == 128
