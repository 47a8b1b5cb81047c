"""How long the API server is left alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.cluster import ClusterUnavailable
from tinyforge.operator.patience import LONGEST, SHORTEST, ServerPause, delay_after, longest_delay

chances = st.floats(0, 1)
AWAY = ClusterUnavailable("no connection")


@given(st.integers(1, 10**6), chances)
@quick
def test_an_object_waits_half_a_second_to_a_minute(failures: int, chance: float):
    assert SHORTEST <= delay_after(failures, chance=chance) <= LONGEST
    assert LONGEST / 2 <= longest_delay(chance=chance) <= LONGEST


@given(st.integers(1, 100), chances)
@quick
def test_every_failure_makes_the_wait_longer_until_it_is_the_longest(failures: int, chance: float):
    assert delay_after(failures, chance=chance) <= delay_after(failures + 1, chance=chance)


def test_a_server_that_answers_is_asked_by_many_at_once():
    assert ServerPause(places=8).places(0.0) == 8


def test_a_server_that_is_away_is_asked_by_nobody_and_then_by_one():
    pause = ServerPause(places=8)
    assert pause.failed(AWAY, now=0.0, chance=0.0)
    assert pause.places(0.0) == 0
    assert pause.places(pause.until) == 1
    pause.answered(pause.until)
    assert pause.places(pause.until) == 8


def test_fault_28_a_server_that_stays_away_is_asked_every_second_or_two():
    pause = ServerPause(places=8)
    for _ in range(20):
        now = pause.until
        pause.failed(AWAY, now=now, chance=1.0)
        assert 0.5 <= pause.until - now <= 2.0


def test_requests_that_fail_together_count_as_one():
    together, alone = ServerPause(places=8), ServerPause(places=8)
    for _ in range(8):
        together.failed(AWAY, now=0.0, chance=0.5)
    alone.failed(AWAY, now=0.0, chance=0.5)
    assert together.until == alone.until


@pytest.mark.parametrize("status", [429, 503])
def test_fault_30_a_server_that_asks_to_be_left_alone_is_left_alone_to_the_second(status: int):
    pause = ServerPause(places=8)
    pause.failed(ClusterUnavailable("busy", status=status, retry_after=30.0), now=100.0, chance=0.5)
    assert (pause.places(129.9), pause.places(130.0)) == (0, 1)


def test_fault_30_an_answer_to_an_older_request_does_not_end_the_pause():
    pause = ServerPause(places=8)
    pause.failed(ClusterUnavailable("busy", status=429, retry_after=30.0), now=100.0, chance=0.5)
    pause.answered(101.0)
    assert pause.places(129.9) == 0


def test_answers_are_counted_whatever_they_are():
    pause = ServerPause(places=8)
    pause.answered(0.0)
    pause.failed(ClusterUnavailable("field not declared in schema", status=500), now=0.0, chance=0.5)
    pause.failed(AWAY, now=0.0, chance=0.5)
    assert pause.answers == 2


def test_nobody_is_left_alone_until_tomorrow():
    pause = ServerPause(places=8)
    pause.failed(ClusterUnavailable("busy", status=429, retry_after=86400.0), now=0.0, chance=0.5)
    assert pause.places(600.0) == 1


def test_what_the_server_cannot_do_for_one_object_is_no_matter_of_the_others():
    pause = ServerPause(places=8)
    assert not pause.failed(ClusterUnavailable("field not declared in schema", status=500), now=0.0, chance=0.5)
    assert pause.places(0.0) == 8
