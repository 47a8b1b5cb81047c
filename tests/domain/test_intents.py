"""What may be begun with so much validity left, and when what an earlier term has begun is over (leadership: I4, I5)."""

import math
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.domain.intents import ENDING_SECONDS, LONGEST_SECONDS, Intent, Unsettled, intent_fault, settled, validity_fault
from tinyforge.domain.lease import LeaseTimes

STEADY = 5.0

some_seconds = st.floats(0, LONGEST_SECONDS, exclude_min=True)
some_validity = st.floats(-100, 100)
some_steady = st.floats(0, 100, exclude_min=True)


@st.composite
def unsettled_intents(draw: st.DrawFn) -> list[Unsettled]:
    lefts = draw(st.lists(st.floats(0, LONGEST_SECONDS), max_size=6))
    return [Unsettled(intent=intent(number), left=left) for number, left in enumerate(lefts, 1)]


def intent(number: int) -> Intent:
    return Intent(id=number, epoch=1, host="local", object=f"it-{number}", action="create", deadline=datetime(2030, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(("left", "may"), [(10.0, True), (5.0, True), (4.9, False), (0.0, False), (-3.0, False)])
def test_a_call_begins_only_if_the_validity_that_is_left_covers_it_and_its_ending(left: float, may: bool) -> None:
    assert (validity_fault(left=left, seconds=3.0, steady=STEADY) == "") is may


@pytest.mark.parametrize(("left", "may"), [(10.0, True), (5.0, True), (4.9, False)])
def test_a_call_that_no_validity_can_cover_begins_as_long_as_renewals_are_answered(left: float, may: bool) -> None:
    assert (validity_fault(left=left, seconds=60.0, steady=STEADY) == "") is may


def test_a_refusal_says_what_is_waited_for_and_how_much_was_missing() -> None:
    assert validity_fault(left=-7.0, seconds=1.5, steady=STEADY) == (
        "the Lease could not be renewed: nothing is changed until it is (its validity is 0.0 s more, and this needs 3.5 s)"
    )


@quick
@given(seconds=some_seconds)
def test_without_a_lease_everything_may_begin(seconds: float) -> None:
    assert validity_fault(left=math.inf, seconds=seconds, steady=math.inf) == ""


@quick
@given(left=some_validity, seconds=some_seconds, steady=some_steady)
def test_nothing_begins_once_the_validity_is_over(left: float, seconds: float, steady: float) -> None:
    assume(left <= 0)
    assert validity_fault(left=left, seconds=seconds, steady=steady)


@quick
@given(left=some_validity, seconds=some_seconds, steady=some_steady)
def test_what_begins_though_its_validity_does_not_cover_it_began_while_renewals_were_answered(
    left: float, seconds: float, steady: float
) -> None:
    if not validity_fault(left=left, seconds=seconds, steady=steady):
        assert left >= seconds + ENDING_SECONDS or left >= steady


@quick
@given(left=some_validity, more=st.floats(0, 100), seconds=some_seconds, shorter=some_seconds, steady=some_steady)
def test_more_validity_or_a_shorter_call_is_never_refused_where_less_or_a_longer_one_is_not(
    left: float, more: float, seconds: float, shorter: float, steady: float
) -> None:
    assume(shorter <= seconds)
    if not validity_fault(left=left, seconds=seconds, steady=steady):
        assert not validity_fault(left=left + more, seconds=shorter, steady=steady)


def test_with_the_lease_times_that_are_the_default_a_call_of_three_seconds_is_covered_at_any_moment() -> None:
    times = LeaseTimes()
    steady = times.renew_deadline - times.retry_period - times.request_timeout
    assert not validity_fault(left=steady, seconds=3.0, steady=math.inf)


@pytest.mark.parametrize("name", ["", "a\0b", "half \ud800", "line\nline", "ü" * 128])
def test_an_object_without_a_usable_name_is_refused(name: str) -> None:
    assert "must be a printable name of 1 to 255 bytes" in intent_fault(object=name, seconds=1.0)


@pytest.mark.parametrize("name", ["default_app_web_1", "ü" * 127, "x" * 255])
def test_an_object_with_a_usable_name_is_not(name: str) -> None:
    assert intent_fault(object=name, seconds=LONGEST_SECONDS) == ""


@pytest.mark.parametrize("seconds", [0.0, -1.0, 600.1, math.inf, math.nan])
def test_a_change_without_a_bound_is_refused(seconds: float) -> None:
    assert intent_fault(object="it", seconds=seconds).startswith("a change must be given more than 0 and at most 600 s, not ")


def test_the_clocks_may_part_by_less_in_the_longest_call_than_its_ending_takes() -> None:
    assert LONGEST_SECONDS * 0.0005 < ENDING_SECONDS / 2


@quick
@given(unsettled=unsettled_intents(), waited=st.floats(0, 2 * LONGEST_SECONDS), seen=st.frozensets(st.integers(0, 7)))
def test_settled_is_exactly_what_is_past_its_deadline_or_was_seen(unsettled: list[Unsettled], waited: float, seen: frozenset[int]) -> None:
    over = {it.intent.id for it in settled(unsettled, waited=waited, seen=seen)}
    assert over == {it.intent.id for it in unsettled if it.left <= waited or it.intent.id in seen}


@quick
@given(unsettled=unsettled_intents(), waited=st.floats(0, LONGEST_SECONDS), longer=st.floats(0, LONGEST_SECONDS))
def test_what_is_settled_stays_settled_and_everything_is_in_the_end(unsettled: list[Unsettled], waited: float, longer: float) -> None:
    first = {it.intent.id for it in settled(unsettled, waited=waited, seen=())}
    assert first <= {it.intent.id for it in settled(unsettled, waited=waited + longer, seen=())}
    assert len(settled(unsettled, waited=LONGEST_SECONDS, seen=())) == len(unsettled)


def test_why_an_intent_is_settled_is_said() -> None:
    both = [Unsettled(intent=intent(1), left=0.0), Unsettled(intent=intent(2), left=9.0)]
    assert [it.reason for it in settled(both, waited=1.0, seen={2})] == ["its deadline is past", "its effect was seen in a full list"]
