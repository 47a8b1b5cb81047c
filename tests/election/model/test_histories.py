"""Single histories: what is too rare for the adversary to come by soon, and what the protocol does not promise."""

import pytest

from tests.election.model.flaws import Flaw
from tests.election.model.installation import Installation
from tests.election.model.witness import I3
from tinyforge.domain.lease import LeaseTimes

EXPIRY = 10.0


def installation(flaw: Flaw | None = None) -> Installation:
    return Installation(3, times=LeaseTimes(duration=6, renew_deadline=3, retry_period=1, request_timeout=1), flaw=flaw, tick=1.0)


def late_claim_of_an_epoch_that_was_claimed_again(world: Installation) -> None:
    """One takes the Lease and is paused; the Lease, all that knows its epoch, is deleted; another takes that epoch; the first claims."""
    leader, first, second = world.replicas
    leader.pause()
    second.pause()
    first.stop_at = "before-claim"
    world.pass_time(seconds=EXPIRY)
    assert first.paused
    world.api.edit(None)
    second.wake()
    world.pass_time(seconds=EXPIRY)
    assert second.leading
    assert first.epoch == second.epoch == 2
    first.wake()
    world.pass_time(seconds=1)


def test_i3_the_guard_of_the_claim_keeps_an_epoch_from_being_claimed_twice() -> None:
    world = installation()
    late_claim_of_an_epoch_that_was_claimed_again(world)
    assert world.replicas[1].ended
    assert world.postgres.state.leaders.holder == world.replicas[2].identity


def test_i3_without_the_guard_an_epoch_is_claimed_twice() -> None:
    with pytest.raises(I3):
        late_claim_of_an_epoch_that_was_claimed_again(installation(Flaw.UNGUARDED_CLAIM))


def test_a_lease_that_is_deleted_while_a_failover_loses_its_claim_leaves_nobody_who_knows_the_epoch() -> None:
    """Outside of what is promised: two leaders had epoch 2, one in a history that is lost. It ends when it comes back."""
    world = installation()
    first, second, third = world.replicas
    first.pause()
    third.pause()
    world.pass_time(seconds=EXPIRY)
    assert second.leading
    second.pause()
    world.postgres.fail_over(lost=world.commits_since_claim())
    world.api.edit(None)
    third.wake()
    world.pass_time(seconds=2 * EXPIRY)
    assert third.leading
    assert second.epoch == third.epoch == 2
    second.wake()
    world.pass_time(seconds=EXPIRY)
    assert second.ended
    assert world.postgres.state.leaders.holder == third.identity
