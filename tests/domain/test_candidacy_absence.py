"""No Lease at all: it was deleted under its leader, or there never was one."""

from dataclasses import replace

from tests.domain.standby import BEATING, HELD, LEADS, Standby
from tinyforge.domain.leaders import LeadersLook

NO_SESSION: dict[int, str | None] = {}


def absent(leaders: LeadersLook, sessions: dict[int, str | None] | str) -> Standby:
    standby = Standby(lease=None, leaders=leaders, sessions=sessions)
    return standby.goes_on(6)


def test_without_a_lease_and_without_a_leader_in_postgresql_it_is_free_at_once() -> None:
    campaign = Standby(lease=None, leaders=replace(LEADS, holder="", epoch=4)).campaigns()
    assert (campaign.epoch, campaign.over) == (5, None)
    assert campaign.reason == "there is no Lease, and nobody leads the database"


def test_fault_05_without_a_lease_a_leader_that_is_dead_in_postgresql_is_not_waited_for() -> None:
    campaign = absent(LEADS, NO_SESSION).campaigns()
    assert (campaign.epoch, campaign.over) == (8, None)
    assert campaign.reason == "pod-1/ab12 has had no session in PostgreSQL for 6.0 s"


def test_fault_05_without_a_lease_a_leader_that_is_alive_has_one_duration_to_write_it_again() -> None:
    standby = absent(LEADS, BEATING)
    wait = standby.waits()
    assert (wait.reason, wait.until) == ("pod-1/ab12 leads, but its Lease is gone: 6.0 s of 15 s without one", 1015.0)
    standby.goes_on(8.5).waits()
    assert standby.goes_on(0.5).campaigns().reason == "pod-1/ab12 leads, but its Lease is gone: 15.0 s of 15 s without one"


def test_fault_05_a_lease_that_was_written_again_is_held() -> None:
    standby = absent(LEADS, BEATING).goes_on(8.5)
    standby.reads(HELD).goes_on(14.5).waits()


def test_a_lease_that_was_deleted_is_missed_for_as_long_as_its_leader_said_that_it_lasts() -> None:
    slow = replace(HELD, duration=30)
    standby = Standby(lease=slow).reads(None)
    standby.goes_on(29.5).waits()
    standby.goes_on(0.5).campaigns()


def test_a_lease_that_said_less_than_our_own_duration_is_missed_for_ours() -> None:
    standby = Standby(lease=replace(HELD, duration=5)).reads(None)
    standby.goes_on(14.5).waits()
    standby.goes_on(0.5).campaigns()


def test_reads_that_fail_are_no_absence() -> None:
    standby = absent(LEADS, BEATING)
    for _ in range(20):
        standby.goes_on(0.5, every=None).candidacy.blind(at=standby.now)
    assert standby.waits().reason == "the Lease could not be read for 10.0 s"
    assert standby.reads(None).waits().reason == "pod-1/ab12 leads, but its Lease is gone: 0.0 s of 15 s without one"


def test_a_lease_that_disappears_under_a_dead_leader_takes_two_looks_more() -> None:
    standby = Standby().goes_on(6).sees(NO_SESSION, 0.5).reads(None)
    standby.goes_on(0.5).waits()
    assert standby.goes_on(0.5).campaigns().over is None
