"""What fails again and again is said once, then counted, then said again when it changes."""

from hypothesis import given
from hypothesis import strategies as st

from tinyforge.domain.complaints import Complaint


def test_it_is_said_when_it_begins_and_when_it_changes() -> None:
    complaint = Complaint()
    assert [complaint.is_news(text) for text in ("away", "away", "full", "full", "away")] == [True, False, True, False, True]
    assert complaint.over() == 5


def test_a_failure_without_a_word_is_said_too() -> None:
    complaint = Complaint()
    assert [complaint.is_news("") for _ in range(2)] == [True, False]


def test_once_it_is_over_the_same_is_news_again() -> None:
    complaint = Complaint()
    complaint.is_news("away")
    assert (complaint.over(), complaint.failures, complaint.over()) == (1, 0, 0)
    assert complaint.is_news("away")


@given(st.lists(st.sampled_from(["away", "full", None])))
def test_however_it_goes_no_two_neighbours_are_both_said_unless_they_differ(outcomes: list[str | None]) -> None:
    complaint = Complaint()
    said, counted = [], 0
    for before, outcome in zip([None, *outcomes], outcomes, strict=False):
        if outcome is None:
            counted += complaint.over()
        elif complaint.is_news(outcome):
            said.append((before, outcome))
    assert all(before != outcome for before, outcome in said)
    assert len(said) == sum(1 for before, outcome in zip([None, *outcomes], outcomes, strict=False) if outcome and outcome != before)
    assert counted + complaint.over() == sum(outcome is not None for outcome in outcomes)
