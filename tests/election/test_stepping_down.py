"""A Lease is given back by whoever holds it, and by nobody else (I6)."""

import pytest

from tests.election.replicas import Replicas
from tests.election.the_lease import TheLease
from tinyforge.election import Steps


def at(step: str, lease: TheLease, **edit: object) -> Steps:
    """Return what edits the Lease when a step is reached."""

    async def steps(reached: str) -> None:
        if reached == step:
            await lease.edit(**edit)

    return steps


@pytest.mark.parametrize("step", ["after-fresh-read", "before-release"])
async def test_i6_a_successor_who_comes_between_the_read_and_the_write_keeps_its_lease(replicas: Replicas, lease: TheLease, step: str):
    leader = replicas.start("a", steps=at(step, lease, holderIdentity="b", leaseTransitions=2))
    await leader.elected()
    await leader.step_down()
    spec = await lease.spec()
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("b", 2)


async def test_i6_a_later_epoch_of_the_same_name_is_not_given_back(replicas: Replicas, lease: TheLease):
    leader = replicas.start("a", steps=at("after-fresh-read", lease, leaseTransitions=2))
    await leader.elected()
    await leader.step_down()
    assert (await lease.spec())["holderIdentity"] == "a"


async def test_who_edits_a_label_meanwhile_does_not_keep_the_lease_from_being_given_back(replicas: Replicas, lease: TheLease):
    edited: list[str] = []

    async def edit_once(step: str) -> None:
        if step == "before-release" and not edited:
            edited.append(step)
            await lease.patch({"metadata": {"labels": {"touched": "yes"}}})

    leader = replicas.start("a", steps=edit_once)
    await leader.elected()
    await leader.step_down()
    assert edited
    assert (await lease.spec())["holderIdentity"] == ""


async def test_a_lease_that_is_gone_is_not_made_again(replicas: Replicas, lease: TheLease, caplog: pytest.LogCaptureFixture):
    async def delete(step: str) -> None:
        if step == "before-release":
            await lease.delete()

    leader = replicas.start("a", steps=delete)
    await leader.elected()
    await leader.step_down()
    with pytest.raises(AssertionError, match="not found"):
        await lease.get()
