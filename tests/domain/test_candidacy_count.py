"""A Lease that nobody changes any more is free, by this process's own clock and by the duration that the Lease says."""

from dataclasses import replace

import pytest

from tests.domain.standby import FREE, HELD, LEADS, ME, NOBODY_LEADS, OTHER, Standby
from tinyforge.domain.lease import Lease, LeaseTimes


def test_a_lease_without_a_holder_is_free_at_once() -> None:
    campaign = Standby(lease=FREE).campaigns()
    assert (campaign.epoch, campaign.over, campaign.reason) == (8, FREE, "nobody holds the Lease")


def test_a_lease_is_held_until_it_has_not_changed_for_its_duration() -> None:
    standby = Standby().goes_on(14.5)
    wait = standby.waits()
    assert wait.reason == "pod-1/ab12 holds the Lease: 14.5 s of 15 s without a change"
    assert (wait.until, wait.alert) == (1015.0, False)
    campaign = standby.goes_on(0.5).campaigns()
    assert (campaign.epoch, campaign.over) == (8, HELD)
    assert campaign.reason == "pod-1/ab12 holds the Lease: 15.0 s of 15 s without a change"


@pytest.mark.parametrize(
    "changed", [replace(HELD, renewed_at="10:07"), replace(HELD, holder=OTHER), replace(HELD, transitions=8), replace(HELD, duration=15.5)]
)
def test_any_change_of_the_spec_begins_the_count_anew(changed: Lease) -> None:
    standby = Standby().goes_on(14).reads(changed)
    assert standby.goes_on(14).waits().reason.startswith(f"{changed.holder} holds the Lease: 14.0 s of")
    assert standby.goes_on(2).campaigns().over == changed


def test_a_label_or_another_resource_version_alone_is_no_change_and_the_newest_one_is_written_over() -> None:
    labelled = replace(HELD, resource_version="42")
    assert Standby().goes_on(14).reads(labelled).goes_on(1).campaigns().over == labelled


@pytest.mark.parametrize("written", [5, 30])
def test_the_duration_that_counts_is_the_one_that_the_lease_says(written: float) -> None:
    lease = replace(HELD, duration=written)
    standby = Standby(lease=lease).goes_on(written - 0.5)
    assert standby.waits().until == 1000 + written
    standby.goes_on(0.5).campaigns()


@pytest.mark.parametrize(("written", "needed"), [(0, 15), (-1, 15), (2, 15), (1e9, 3600)])
def test_a_hostile_duration_is_bounded_and_said(written: float, needed: float) -> None:
    lease = replace(HELD, duration=written)
    standby = Standby(lease=lease)
    wait = standby.waits()
    assert wait.until == 1000 + needed
    assert (
        wait.reason == f"pod-1/ab12 holds the Lease: 0.0 s of {needed:g} s without a change (it says {written:g} s, which no leader writes)"
    )
    standby.goes_on(needed).campaigns()


@pytest.mark.parametrize("retry_period", [2.0, 0.5])
def test_reads_4_s_apart_count_as_watching(retry_period: float) -> None:
    Standby(times=LeaseTimes(retry_period=retry_period)).goes_on(16, every=4).campaigns()


def test_the_count_begins_anew_after_more_than_4_s_without_a_successful_read() -> None:
    standby = Standby().goes_on(10).goes_on(4.5, every=None)
    standby.reads(HELD)
    assert standby.goes_on(14.5).waits().reason.startswith("pod-1/ab12 holds the Lease: 14.5 s of 15 s")
    standby.goes_on(0.5).campaigns()


def test_after_an_outage_of_the_api_server_its_first_answer_frees_nothing() -> None:
    standby = Standby().goes_on(600, every=None)
    assert standby.waits().reason == "the Lease could not be read for 600.0 s"
    assert standby.reads(HELD).waits().reason.startswith("pod-1/ab12 holds the Lease: 0.0 s of 15 s")


def test_with_a_longer_retry_period_two_polls_count_as_watching() -> None:
    times = LeaseTimes(duration=60, renew_deadline=40, retry_period=5)
    lease = replace(HELD, duration=60)
    Standby(lease=lease, times=times).goes_on(60, every=10).campaigns()


def test_a_read_that_failed_changes_nothing_but_that_nobody_campaigns_until_the_next_one() -> None:
    standby = Standby().goes_on(16)
    standby.candidacy.blind(at=standby.now)
    assert standby.waits().reason == "the Lease could not be read for 0.0 s"
    standby.goes_on(2).campaigns()


def test_a_poll_that_failed_before_the_watch_told_something_newer_is_nothing() -> None:
    standby = Standby(lease=FREE)
    standby.candidacy.blind(at=standby.now - 1)
    standby.campaigns()


def test_fault_07_without_the_permission_to_read_the_lease_nobody_campaigns() -> None:
    standby = Standby()
    for _ in range(40):
        standby.goes_on(0.5, every=None).candidacy.blind(at=standby.now)
    assert standby.waits().reason == "the Lease could not be read for 20.0 s"


def test_nobody_campaigns_who_has_not_read_the_lease_yet() -> None:
    standby = Standby()
    standby.candidacy = type(standby.candidacy)(holder=ME, times=LeaseTimes(), started_at=1000.0)
    assert standby.goes_on(1, every=None).waits().reason == "the Lease could not be read for 1.0 s"


def test_a_lease_that_an_earlier_campaign_of_this_process_took_too_late_is_waited_for_like_any_other() -> None:
    late = replace(HELD, holder=ME, transitions=8)
    wait = Standby(lease=late, leaders=NOBODY_LEADS).waits()
    assert wait.reason == "pod-2/cd34 holds the Lease: 0.0 s of 15 s without a change; that is this process, by a write that came too late"


def test_a_lease_is_counted_where_postgresql_knows_another_leader_or_none() -> None:
    assert Standby(leaders=NOBODY_LEADS).waits().reason.endswith("0.0 s of 15 s without a change; in PostgreSQL nobody leads")
    assert Standby(leaders=replace(LEADS, holder=OTHER)).waits().reason.endswith("; in PostgreSQL pod-3/ef56 leads")


def test_a_hostile_holder_does_not_reach_the_reader_s_terminal() -> None:
    hostile = replace(HELD, holder="\x1b[2J" + "x" * 5000)
    reason = Standby(lease=hostile).waits().reason
    assert reason.isprintable()
    assert len(reason) < 300


@pytest.mark.parametrize("lease", [FREE, None])
def test_nobody_campaigns_unless_postgresql_answered_within_5_s(lease: Lease | None) -> None:
    standby = Standby(lease=lease, leaders=NOBODY_LEADS)
    standby.candidacy.deaf(at=standby.now)
    standby.now += 5
    standby.reads(lease).campaigns()
    standby.now += 0.1
    assert standby.reads(lease).waits().reason == "PostgreSQL has not answered as a writable primary for 5.1 s"
    standby.looks().campaigns()


def test_nobody_campaigns_whose_postgresql_cannot_be_written_to() -> None:
    standby = Standby(lease=FREE)
    standby.leaders = replace(LEADS, primary=False)
    assert standby.goes_on(0.5).waits().reason == "PostgreSQL has not answered as a writable primary for 0.5 s"


def test_nobody_campaigns_whom_postgresql_never_answered() -> None:
    standby = Standby(lease=FREE)
    standby.candidacy = type(standby.candidacy)(holder=ME, times=LeaseTimes(), started_at=1000.0)
    assert standby.reads(FREE).waits().reason.startswith("PostgreSQL has not answered")


@pytest.mark.parametrize(("transitions", "epoch", "next_epoch"), [(7, 7, 8), (9, 7, 10), (7, 9, 10), (0, 9, 10), (-5, 0, 1)])
def test_the_next_epoch_is_above_both_the_lease_s_and_postgresql_s(transitions: int, epoch: int, next_epoch: int) -> None:
    standby = Standby(lease=replace(FREE, transitions=transitions), leaders=replace(LEADS, epoch=epoch))
    assert standby.campaigns().epoch == next_epoch


def test_the_highest_epoch_is_claimed_but_none_above_it() -> None:
    assert Standby(lease=replace(FREE, transitions=2**31 - 3)).campaigns().epoch == 2**31 - 2
    assert Standby(leaders=replace(NOBODY_LEADS, epoch=2**31 - 3), lease=None).campaigns().epoch == 2**31 - 2


def test_where_no_epoch_is_left_nobody_campaigns_and_the_reason_says_what_to_put_right() -> None:
    wait = Standby(lease=replace(FREE, transitions=2**31 - 2)).waits()
    assert wait.alert
    assert wait.until is None
    assert wait.reason == (
        "nobody holds the Lease, but spec.leaseTransitions of the Lease says 2147483646, and no epoch may be above 2147483646: "
        "nobody leads until that is put right"
    )
    wait = Standby(lease=FREE, leaders=replace(LEADS, epoch=2**62)).waits()
    assert wait.alert
    assert f"leaders.epoch in PostgreSQL says {2**62}" in wait.reason
