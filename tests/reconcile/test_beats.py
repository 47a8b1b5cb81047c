"""A timer that has stopped is found, and one that is only busy is not taken for it."""

import pytest

from tinyforge.reconcile.beats import Beats


class Clock:
    """The time of the beats, which passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("tinyforge.reconcile.beats.time", clock)
    return clock


def test_a_timer_is_silent_when_it_has_not_ticked_for_three_intervals(clock: Clock) -> None:
    beats = beats_of("a", "b")
    clock.now = 60
    tick(beats, "b")
    clock.now = 90
    assert beats.silent() == []
    clock.now = 90.1
    assert beats.silent() == ["a"]
    clock.now = 150.1
    assert beats.silent() == ["a", "b"]
    tick(beats, "a")
    assert beats.silent() == ["b"]


def test_p6_a_tick_that_takes_long_is_no_silence_and_its_end_begins_three_more_intervals(clock: Clock) -> None:
    beats = beats_of("a")
    with beats.tick("a"):
        clock.now = 1000
        assert beats.silent() == []
        with beats.tick("a"):
            pass
        assert beats.silent() == [], "another tick of it is under way"
        clock.now = 2000
    assert beats.silent() == []
    clock.now = 2090.1
    assert beats.silent() == ["a"]


def test_a_tick_that_failed_is_a_tick(clock: Clock) -> None:
    beats = beats_of("a")
    clock.now = 1000
    with pytest.raises(ValueError, match="failed"), beats.tick("a"):
        raise ValueError("failed")
    assert beats.silent() == []


def test_a_timer_that_is_expected_anew_has_all_its_time_and_the_others_keep_theirs(clock: Clock) -> None:
    beats = beats_of("a")
    clock.now = 89
    beats.expect(["a", "b"])
    clock.now = 91
    assert beats.silent() == ["a"]
    clock.now = 180
    assert beats.silent() == ["a", "b"]


def test_a_timer_that_is_expected_no_more_is_not_silent_and_not_remembered(clock: Clock) -> None:
    beats = beats_of("a")
    beats.expect([])
    tick(beats, "a")
    clock.now = 1000
    assert beats.silent() == []
    beats.expect(["a"])
    assert beats.silent() == []


def beats_of(*timers: str) -> Beats:
    beats = Beats(interval=30)
    beats.expect(timers)
    return beats


def tick(beats: Beats, timer: str) -> None:
    with beats.tick(timer):
        pass
