"""The fast path: a leader that PostgreSQL shows to be dead, frozen or cut off need not be waited for."""

from dataclasses import replace

import pytest

from tests.domain.standby import BEATING, HELD, LEADS, OTHER, Standby
from tinyforge.domain.leaders import LeadersLook

NO_SESSION: dict[int, str | None] = {}
FROZEN: dict[int, str | None] = {1: "10:05:01", 2: "10:05:00"}
LASTING = replace(HELD, duration=600)
"""So that nothing but the fast path frees it in these tests."""


def standing_by() -> Standby:
    """A standby for whom both guards are met, over a leader that is alive."""
    return Standby(lease=LASTING).goes_on(6)


def test_fault_01_a_leader_without_a_session_in_two_looks_500_ms_apart_is_dead() -> None:
    standby = standing_by().sees(NO_SESSION, 0.5)
    standby.waits()
    campaign = standby.goes_on(0.5).campaigns()
    assert (campaign.epoch, campaign.over) == (8, LASTING)
    assert campaign.reason == "pod-1/ab12 has had no session in PostgreSQL for 0.5 s"


def test_two_looks_in_quick_succession_prove_nothing() -> None:
    standby = standing_by().sees(NO_SESSION, 0.5)
    standby.now += 0.3
    standby.looks().waits()
    standby.now += 0.2
    standby.looks().campaigns()


def test_one_look_proves_nothing_however_long_ago() -> None:
    standby = standing_by().sees(NO_SESSION, 0.5)
    standby.now += 1.5
    standby.waits()


def test_fault_03_a_leader_whose_sessions_have_not_moved_for_5_s_is_frozen_or_cut_off() -> None:
    standby = standing_by().sees(FROZEN, 5.5)  # the first of these looks is a change: the last beat
    assert standby.waits().reason.startswith("pod-1/ab12 holds the Lease: ")
    campaign = standby.goes_on(0.5).campaigns()
    assert campaign.reason == "pod-1/ab12 has given no sign of life in PostgreSQL for 5.5 s"


def test_fault_04_a_session_that_the_server_ends_is_no_sign_of_life() -> None:
    standby = standing_by().sees(FROZEN, 5)
    standby.sees({2: FROZEN[2]}, 1.0).campaigns()


def test_frozen_and_then_without_any_session_is_dead_all_the_same() -> None:
    standby = standing_by().sees(FROZEN, 5.5)
    standby.sees(NO_SESSION, 0.5).campaigns()


@pytest.mark.parametrize("sign", [{1: "10:05:02", 2: "10:05:00"}, {**FROZEN, 3: "10:04:00"}, {**FROZEN, 3: None}])
def test_a_session_that_moves_or_appears_or_cannot_be_read_is_a_sign_of_life(sign: dict[int, str | None]) -> None:
    standby = standing_by().sees(FROZEN, 5).sees(sign, 0.5)
    standby.sees(FROZEN, 5).waits()


def test_sessions_that_cannot_be_read_are_alive_for_ever() -> None:
    standing_by().sees({1: None}, 3).goes_on(7).waits()


def test_a_session_that_comes_back_begins_it_all_anew() -> None:
    standby = standing_by().sees(NO_SESSION, 0.5)
    standby.sees(BEATING, 0.5).sees(NO_SESSION, 0.5).waits()
    standby.goes_on(0.5).campaigns()


def test_a_frozen_leader_that_wakes_up_before_the_campaign_keeps_its_lease() -> None:
    standby = standing_by().sees(FROZEN, 5.5)
    standby.sees(BEATING, 0.5).waits()
    standby.sees(FROZEN, 5).waits()


@pytest.mark.parametrize("row", [replace(LEADS, epoch=8), replace(LEADS, session="tinyforge/cd"), replace(LEADS, holder=OTHER)])
def test_another_claim_in_between_begins_it_all_anew(row: LeadersLook) -> None:
    standby = standing_by().sees(NO_SESSION, 0.5)
    standby.leaders = row
    standby.goes_on(0.5).waits()
    standby.leaders = LEADS
    standby.goes_on(0.5).waits()
    standby.goes_on(0.5).campaigns()


def test_a_frozen_leader_that_claims_again_is_none() -> None:
    standby = standing_by().sees(FROZEN, 5)
    standby.leaders = replace(LEADS, session="tinyforge/cd")
    standby.goes_on(1).waits()


@pytest.mark.parametrize("row_holder", [OTHER, "", "pod-1/ab1", "pod-1/ab12 "])
def test_only_the_leader_that_the_lease_names_exactly_can_be_found_dead(row_holder: str) -> None:
    standby = standing_by()
    standby.leaders = replace(LEADS, holder=row_holder)
    standby.sees(NO_SESSION, 3).waits()


def test_a_lease_that_was_renewed_meanwhile_takes_two_looks_more() -> None:
    renewed = replace(LASTING, renewed_at="10:07", resource_version="42")
    standby = standing_by().sees(NO_SESSION, 0.5).reads(renewed)
    standby.goes_on(0.5).waits()
    assert standby.goes_on(0.5).campaigns().over == renewed


def test_a_lease_that_somebody_labelled_meanwhile_takes_two_looks_more() -> None:
    labelled = replace(LASTING, resource_version="42")
    standby = standing_by().sees(NO_SESSION, 0.5).reads(labelled)
    standby.goes_on(0.5).waits()
    assert standby.goes_on(0.5).campaigns().over == labelled


def test_the_lease_must_have_been_read_before_both_looks() -> None:
    standby = standing_by()
    standby.sessions = NO_SESSION
    standby.goes_on(6, every=None).reads(replace(LASTING, resource_version="42")).waits()
    standby.goes_on(0.5).waits()
    standby.goes_on(0.5).campaigns()


def test_a_leader_that_goes_on_renewing_but_is_cut_off_from_postgresql_is_replaced_between_two_renewals() -> None:
    standby = standing_by().sees(FROZEN, 5.5)
    renewed = replace(LASTING, renewed_at="10:07", resource_version="42")
    assert standby.reads(renewed).goes_on(1).campaigns().over == renewed


def test_the_own_session_must_have_been_up_for_more_than_5_s() -> None:
    standby = Standby(lease=LASTING, sessions=NO_SESSION).goes_on(5)
    assert standby.waits().reason == (
        "pod-1/ab12 holds the Lease: 5.0 s of 600 s without a change; it has had no session in PostgreSQL for 5.0 s, "
        "which proves nothing: our session or the server was up for 5.0 s only"
    )
    standby.goes_on(0.5).campaigns()


def test_the_server_must_have_been_up_for_more_than_5_s() -> None:
    standby = standing_by()
    standby.leaders = replace(LEADS, server_up=5.0)
    wait = standby.sees(NO_SESSION, 2).waits()
    assert wait.reason.endswith("which proves nothing: our session or the server was up for 5.0 s only")
    standby.leaders = replace(LEADS, server_up=5.1)
    standby.goes_on(0.5).campaigns()


@pytest.mark.parametrize("server_up", [-3600.0, 0.0])
def test_a_server_that_does_not_know_how_long_it_is_up_proves_nothing(server_up: float) -> None:
    standby = standing_by()
    standby.leaders = replace(LEADS, server_up=server_up)
    standby.sees(NO_SESSION, 3).waits()


def test_fault_13_a_restart_of_postgresql_does_not_depose_a_leader_that_takes_4_s_to_come_back() -> None:
    standby = standing_by()
    standby.candidacy.deaf(at=standby.now)
    standby.leaders = replace(LEADS, server_up=3600)  # even if its clock was put forward meanwhile
    for _ in range(8):
        standby.sees(NO_SESSION, 0.5).waits()
    standby.sees(BEATING, 6).waits()


def test_the_end_of_all_backends_does_not_depose_a_leader_though_the_server_itself_stayed_up() -> None:
    standby = standing_by()
    standby.candidacy.deaf(at=standby.now)
    standby.now += 0.5
    standby.candidacy.deaf(at=standby.now)
    wait = standby.waits()
    assert wait.reason == "pod-1/ab12 holds the Lease: 6.5 s of 600 s without a change; PostgreSQL has told nothing of it for 0.5 s"
    standby.sees(NO_SESSION, 3).waits()
    standby.sees(BEATING, 3).waits()


def test_a_look_that_failed_in_between_begins_it_all_anew() -> None:
    standby = standing_by().sees(NO_SESSION, 0.5)
    standby.candidacy.deaf(at=standby.now + 0.2)
    standby.goes_on(5)
    standby.reads(LASTING).waits()
    standby.goes_on(1).campaigns()


def test_a_pause_between_two_looks_begins_it_all_anew() -> None:
    standby = standing_by()
    standby.sessions = FROZEN
    standby.looks()
    standby.now += 60  # this replica was frozen itself, and the leader with it
    standby.reads(LASTING).looks().waits()
    standby.goes_on(4.5).waits()
    standby.goes_on(1).campaigns()


def test_what_was_seen_long_ago_proves_nothing_now() -> None:
    standby = standing_by().sees(NO_SESSION, 1)
    standby.campaigns()
    standby.now += 2.1
    standby.waits()


def test_fault_14_the_promotion_of_a_standby_server_does_not_depose_a_leader_that_is_on_its_way_to_it() -> None:
    standby = standing_by()
    standby.leaders = replace(LEADS, primary=False)  # it never sees the leader's sessions
    standby.sees(NO_SESSION, 10).reads(LASTING).waits()
    standby.leaders = LEADS
    standby.sees(NO_SESSION, 3).reads(LASTING).waits()
    standby.sees(BEATING, 3).waits()


def test_fault_09_the_clock_of_postgresql_decides_nothing() -> None:
    standby = standing_by()
    standby.leaders = replace(LEADS, server_up=1e9)
    standby.goes_on(30).waits()
