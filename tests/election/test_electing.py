"""One of several replicas leads, and the next one when it steps down."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from tests.election.honest_database import HonestDatabase
from tests.election.replicas import Replicas
from tests.election.the_lease import TheLease
from tests.index.waiting import until
from tinyforge.domain.lease import MAX_EPOCH, LeaseTimes
from tinyforge.election import CampaignFailed
from tinyforge.ports import Fenced


async def test_where_nobody_ever_led_the_first_to_come_leads_at_once(replicas: Replicas, lease: TheLease, database: HonestDatabase):
    won = await replicas.start("a").elected()
    assert (won.term.epoch, won.term.holder) == (1, "a")
    assert won.renewer.valid()
    spec = await lease.spec()
    assert (spec["holderIdentity"], spec["leaseTransitions"], spec["leaseDurationSeconds"]) == ("a", 1, 4)
    assert database.claimed == [(1, "a")]


async def test_of_several_one_leads_and_the_others_say_whom_they_wait_for(replicas: Replicas, database: HonestDatabase, lease: TheLease):
    contenders = [replicas.start(name) for name in ("a", "b", "c")]
    await asyncio.wait({it.won for it in contenders}, timeout=10, return_when=asyncio.FIRST_COMPLETED)
    (leader,) = [it for it in contenders if it.won.done()]
    for standby in set(contenders) - {leader}:
        await until(lambda it=standby: it.elector.waits.startswith(f"{leader.holder} holds the Lease"))
    assert [it for it in contenders if it.leads] == [leader]
    assert len(database.claimed) == 1


async def test_a_release_is_seen_at_once_and_the_next_epoch_is_higher(replicas: Replicas, lease: TheLease, database: HonestDatabase):
    first = replicas.start("a", times=LeaseTimes())
    await first.elected()
    second = replicas.start("b", times=LeaseTimes())
    await until(lambda: "a holds" in second.elector.waits)
    began = time.monotonic()
    await first.step_down()
    won = await second.elected()
    assert time.monotonic() - began < 1.0  # measured: 0.04 s; the Lease is read every 2 s only
    assert database.claimed == [(1, "a"), (2, "b")]
    assert won.reason == "nobody holds the Lease"


async def test_who_steps_down_leaves_its_epoch_in_the_lease(replicas: Replicas, lease: TheLease):
    leader = replicas.start("a")
    won = await leader.elected()
    await leader.step_down()
    spec = await lease.spec()
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("", 1)
    assert not won.renewer.valid()
    assert not won.renewer.alive


async def test_a_term_that_is_cancelled_steps_down_too(replicas: Replicas, lease: TheLease):
    leader = replicas.start("a")
    await leader.elected()
    leader.task.cancel()
    await leader.ended()
    assert (await lease.spec())["holderIdentity"] == ""


async def test_who_finds_out_by_the_fence_that_it_was_deposed_gives_nothing_back(replicas: Replicas, lease: TheLease):
    leader = replicas.start("a")
    await leader.elected()
    leader.fail(Fenced("b took over"))
    assert isinstance(await leader.ended(), Fenced)
    assert (await lease.spec())["holderIdentity"] == "a"


async def test_events_on_the_lease_say_who_leads_and_why_and_who_stepped_down(replicas: Replicas, lease: TheLease):
    def told(count: int) -> Callable[[], Awaitable[bool]]:
        async def are() -> bool:
            return len(await lease.events()) == count

        return are

    first = replicas.start("a")
    await first.elected()
    await until(told(1))
    await first.step_down()
    await replicas.start("b").elected()
    await until(told(3))
    assert sorted(await lease.events()) == [
        ("LeaderElected", "a leads with epoch 1: there is no Lease, and nobody leads the database"),
        ("LeaderElected", "b leads with epoch 2: nobody holds the Lease"),
        ("LeaderSteppedDown", "a gave epoch 1 back"),
    ]


async def test_the_epoch_goes_on_from_the_database_where_the_lease_was_deleted(
    replicas: Replicas, lease: TheLease, database: HonestDatabase
):
    database.epoch = 41
    assert (await replicas.start("a").elected()).term.epoch == 42
    assert (await lease.spec())["leaseTransitions"] == 42


async def test_the_epoch_goes_on_from_the_lease_where_the_database_was_restored(replicas: Replicas, lease: TheLease):
    await lease.make(holderIdentity="", leaseTransitions=41, leaseDurationSeconds=4)
    assert (await replicas.start("a").elected()).term.epoch == 42


async def test_a_lease_that_nobody_renews_runs_out(replicas: Replicas, lease: TheLease):
    await lease.make(holderIdentity="gone", leaseTransitions=3, leaseDurationSeconds=4)
    began = time.monotonic()
    won = await replicas.start("a").elected(seconds=10)
    assert time.monotonic() - began >= 4
    assert won.term.epoch == 4
    assert "gone holds the Lease: 4.0 s of 4 s without a change" in won.reason


async def test_nobody_campaigns_while_postgresql_is_away(replicas: Replicas, lease: TheLease, database: HonestDatabase):
    database.away = True
    standby = replicas.start("a")
    await until(lambda: standby.elector.waits.startswith("PostgreSQL has not answered"))
    assert not standby.leads
    database.away = False
    await standby.elected()


async def test_a_campaign_whose_claim_fails_is_final_and_gives_the_lease_back(
    replicas: Replicas, lease: TheLease, database: HonestDatabase
):
    async def overtaken(step: str) -> None:
        if step == "before-claim":
            database.epoch, database.holder = 7, "newer"

    failed = await replicas.start("a", steps=overtaken).ended()
    assert isinstance(failed, CampaignFailed)
    assert str(failed) == "the Lease was taken with epoch 1, and the database could not be claimed: newer has epoch 7"
    assert (await lease.spec())["holderIdentity"] == ""
    assert database.claimed == []


async def test_a_claim_that_takes_longer_than_the_lease_is_worth_is_given_up(replicas: Replicas, database: HonestDatabase):
    async def away(step: str) -> None:
        database.away = step == "before-claim"

    began = time.monotonic()
    failed = await replicas.start("a", steps=away).ended()
    assert isinstance(failed, CampaignFailed)
    assert "PostgreSQL does not answer" in str(failed)
    assert time.monotonic() - began < 4


async def test_a_claim_that_came_too_late_leads_nothing(replicas: Replicas):
    async def late(step: str) -> None:
        if step == "after-claim":
            await asyncio.sleep(1.5)  # of 1.4

    failed = await replicas.start("a", steps=late).ended()
    assert isinstance(failed, CampaignFailed)
    assert str(failed) == "the campaign with epoch 1 took 1.5 s, and the Lease lasts 1.4 s"


async def test_who_loses_the_race_for_the_lease_goes_back_to_standing_by(replicas: Replicas, lease: TheLease):
    made: list[str] = []

    async def quicker(step: str) -> None:
        if step == "before-put" and not made:
            made.append(step)
            await lease.make(holderIdentity="quicker", leaseTransitions=9, leaseDurationSeconds=4)

    standby = replicas.start("a", steps=quicker)
    await until(lambda: "quicker holds the Lease" in standby.elector.waits)
    assert not standby.task.done()
    await lease.edit(holderIdentity="")
    assert (await standby.elected()).term.epoch == 10


async def test_nobody_leads_with_an_epoch_that_does_not_fit(replicas: Replicas, database: HonestDatabase, caplog: pytest.LogCaptureFixture):
    database.epoch = MAX_EPOCH
    standby = replicas.start("a")
    await until(lambda: "nobody can lead" in caplog.text)
    assert str(MAX_EPOCH) in standby.elector.waits
    assert not standby.leads
