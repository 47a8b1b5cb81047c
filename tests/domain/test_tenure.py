"""What a leader makes of the answers about its Lease, and until when it may change engines."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.standby import HELD, LEADER, OTHER
from tests.domain.strategies import quick
from tinyforge.domain.lease import Lease, LeaseTimes
from tinyforge.domain.tenure import Lost, Renewed, Standing, Tenure, Unknown, Unreadable, WriteAgain

SENT = replace(HELD, renewed_at="10:07", resource_version="")
OURS_NOW = replace(SENT, resource_version="42")


@pytest.fixture
def tenure() -> Tenure:
    """The tenure of a leader that took its Lease at second 100 and sent a renewal at second 102, which was not answered."""
    tenure = Tenure(holder=LEADER, epoch=7, times=LeaseTimes(), sent_at=100.0)
    tenure.sending(SENT, at=102.0)
    return tenure


def test_a_lease_is_valid_for_the_renew_deadline_after_the_write_that_took_it_was_sent(tenure: Tenure) -> None:
    assert tenure.valid_until == 110.0
    assert [tenure.valid(at) for at in (100.0, 109.9, 110.0, 200.0)] == [True, True, False, False]
    assert [tenure.left(at) for at in (100.0, 109.0, 110.0, 200.0)] == [10.0, 1.0, 0.0, 0.0]


def test_a_leader_whose_validity_ran_out_observes_and_leads_again_once_it_has_renewed(tenure: Tenure) -> None:
    assert (tenure.state(109.9), tenure.state(110.0)) == (Standing.LEADING, Standing.OBSERVING)
    tenure.renewed(sent_at=600.0)
    assert (tenure.state(609.9), tenure.state(610.0)) == (Standing.LEADING, Standing.OBSERVING)


def test_a_late_answer_takes_nothing_back(tenure: Tenure) -> None:
    tenure.renewed(sent_at=104.0)
    tenure.renewed(sent_at=102.0)
    assert (tenure.renewed_at, tenure.valid_until) == (104.0, 114.0)


def test_fault_12_our_own_words_found_after_a_failure_count_from_the_time_of_their_sending(tenure: Tenure) -> None:
    assert tenure.after_failure(OURS_NOW) == Renewed(sent_at=102.0)
    assert tenure.valid_until == 112.0


def test_the_same_words_sent_twice_count_from_the_first_time(tenure: Tenure) -> None:
    tenure.sending(SENT, at=109.0)  # a clock that stands still
    assert tenure.after_failure(OURS_NOW) == Renewed(sent_at=102.0)


def test_only_the_last_words_that_were_sent_count_as_renewed(tenure: Tenure) -> None:
    tenure.sending(replace(SENT, renewed_at="10:09"), at=104.0)
    assert isinstance(tenure.after_failure(OURS_NOW), WriteAgain)
    assert tenure.valid_until == 110.0


def test_a_renewal_that_did_not_arrive_is_written_again(tenure: Tenure) -> None:
    assert tenure.after_failure(HELD) == WriteAgain(over=HELD, reason="the Lease was changed, but still names this process")
    assert tenure.valid_until == 110.0


@pytest.mark.parametrize(
    "edited",
    [replace(HELD, resource_version="42"), replace(HELD, duration=1e9, resource_version="42"), replace(OURS_NOW, acquired_at="")],
)
def test_our_lease_in_which_somebody_edited_something_else_is_written_again_over_what_he_left(edited: Lease, tenure: Tenure) -> None:
    reaction = tenure.after_failure(edited)
    assert isinstance(reaction, WriteAgain)
    assert reaction.over == edited
    assert tenure.valid_until == 110.0


@pytest.mark.parametrize("transitions", [7, 6, 0, -1])
def test_a_holder_that_was_taken_out_is_written_again(transitions: int, tenure: Tenure) -> None:
    emptied = replace(HELD, holder="", transitions=transitions, resource_version="42")
    assert tenure.after_failure(emptied) == WriteAgain(over=emptied, reason="the holder of the Lease was taken out")


def test_fault_05_a_lease_that_was_deleted_is_written_again(tenure: Tenure) -> None:
    assert tenure.after_failure(None) == WriteAgain(over=None, reason="the Lease was deleted")


def test_fault_06_a_lease_that_names_another_holder_is_lost(tenure: Tenure) -> None:
    other = replace(HELD, holder=OTHER, transitions=8)
    assert tenure.after_failure(other) == Lost(reason="pod-3/ef56 holds the Lease with epoch 8, and this term has 7")
    assert isinstance(tenure.after_failure(replace(HELD, holder=OTHER)), Lost)


@pytest.mark.parametrize("transitions", [6, 8])
def test_a_lease_that_says_another_epoch_under_our_name_is_lost(transitions: int, tenure: Tenure) -> None:
    reaction = tenure.after_failure(replace(HELD, transitions=transitions))
    assert reaction == Lost(reason=f"the Lease names this process (pod-1/ab12) with epoch {transitions}, and this term has 7")


def test_a_lease_that_somebody_held_and_gave_up_since_is_lost(tenure: Tenure) -> None:
    assert tenure.after_failure(replace(HELD, holder="", transitions=8)) == Lost(
        reason="the Lease was given up with epoch 8, and this term has 7"
    )


def test_fault_07_a_lease_that_cannot_be_read_is_unknown_and_the_validity_runs_out_by_itself(tenure: Tenure) -> None:
    assert tenure.after_failure(Unreadable("HTTP 403")) == Unknown(reason="the Lease could not be read: HTTP 403")
    assert tenure.after_failure(Unreadable()) == Unknown(reason="the Lease could not be read: no answer")
    assert tenure.valid_until == 110.0


def test_a_hostile_holder_does_not_reach_the_reader_s_terminal(tenure: Tenure) -> None:
    lost = tenure.after_failure(replace(HELD, holder="\x1b[2J" + "x" * 5000))
    assert isinstance(lost, Lost)
    assert lost.reason.isprintable()
    assert len(lost.reason) < 300


def test_i6_only_a_lease_with_our_identity_and_our_epoch_may_be_cleared(tenure: Tenure) -> None:
    assert tenure.may_release(HELD)
    assert tenure.may_release(OURS_NOW)
    for other in (None, replace(HELD, holder=OTHER), replace(HELD, holder=""), replace(HELD, transitions=8), replace(HELD, transitions=6)):
        assert not tenure.may_release(other)


found = st.builds(
    Lease,
    holder=st.sampled_from((LEADER, LEADER, OTHER, "", "\0")),
    duration=st.sampled_from((15, 0, 1e9)),
    transitions=st.integers(6, 8),
    acquired_at=st.sampled_from(("10:00", "")),
    renewed_at=st.sampled_from(("10:05", "10:07")),
    resource_version=st.sampled_from(("41", "42", "")),
)


@quick
@given(found)
def test_i6_whatever_is_found_is_written_over_only_if_it_is_ours_or_nobody_s_and_of_no_later_epoch(found: Lease) -> None:
    tenure = Tenure(holder=LEADER, epoch=7, times=LeaseTimes(), sent_at=100.0)
    tenure.sending(SENT, at=102.0)
    reaction = tenure.after_failure(found)
    match reaction:
        case Renewed():
            assert found.same_spec(SENT)
        case WriteAgain():
            assert reaction.over == found
            assert (found.holder, found.transitions) == (LEADER, 7) or (found.holder == "" and found.transitions <= 7)
        case Lost():
            assert found.holder not in (LEADER, "") or found.transitions != 7
            assert not tenure.may_release(found)
        case _:
            raise AssertionError(reaction)
    assert (tenure.valid_until == 112.0) is isinstance(reaction, Renewed)
