"""A leader and its Lease: what it takes to lose it, and what it survives."""

import asyncio
import time
from typing import Any

import pytest

from tests.election.honest_database import HonestDatabase
from tests.election.replicas import TIMES, Replica, Replicas
from tests.election.the_lease import TheLease
from tests.index.waiting import until
from tests.servers.api_proxy import ApiProxy, delay, hang, refuse, unanswered
from tests.servers.cluster import Cluster
from tinyforge.domain.lease import LeaseTimes
from tinyforge.domain.tenure import Standing
from tinyforge.election import LeaseLost, Won, boottime

RENEWAL = "PUT .*/leases/tinyforge"
ABOUT_THE_LEASE = ".* .*/leases.*"


@pytest.fixture
async def leader(replicas: Replicas) -> Replica:
    """A leader."""
    leader = replicas.start("a")
    await leader.elected()
    return leader


async def renewed(won: Won, *, times: int = 1) -> None:
    """Wait until it has been renewed so many times from now on."""
    for _ in range(times):
        before = won.renewer.renewed_at
        await until(lambda before=before: won.renewer.renewed_at > before)


async def test_fault_05_a_lease_that_is_deleted_is_written_again_with_the_same_epoch(
    leader: Replica, lease: TheLease, database: HonestDatabase
):
    before = await lease.get()
    await lease.delete()
    again = await lease.wait(lambda it: it.get("holderIdentity") == "a")
    assert again["leaseTransitions"] == 1
    assert (await lease.get())["metadata"]["uid"] != before["metadata"]["uid"]
    await renewed(await leader.elected(), times=2)
    assert leader.leads
    assert database.claimed == [(1, "a")]


async def test_fault_05_no_standby_takes_a_lease_that_is_deleted_under_a_leader(
    leader: Replica, replicas: Replicas, lease: TheLease, database: HonestDatabase
):
    standby = replicas.start("b")
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    for _ in range(3):
        await lease.delete()
        await lease.wait(lambda it: it.get("holderIdentity") == "a")
    assert leader.leads
    assert database.claimed == [(1, "a")]


async def test_fault_06_a_leader_ends_soon_after_somebody_wrote_another_holder(replicas: Replicas, lease: TheLease):
    leader = replicas.start("a", times=LeaseTimes())
    await renewed(await leader.elected())
    began = time.monotonic()
    await lease.edit(holderIdentity="b")
    lost = await leader.ended()
    assert time.monotonic() - began < 1.0  # measured: 0.02 s; the Lease is renewed every 2 s only
    assert isinstance(lost, LeaseLost)
    assert str(lost) == "b holds the Lease with epoch 1, and this term has 1"
    assert (await lease.spec())["holderIdentity"] == "b"  # nothing is given back that is another's


async def test_a_leader_ends_when_the_lease_has_another_epoch(leader: Replica, lease: TheLease):
    await lease.edit(leaseTransitions=7)
    assert isinstance(await leader.ended(), LeaseLost)


async def test_a_leader_whose_lease_is_lost_changes_no_engine_from_that_moment(leader: Replica, lease: TheLease):
    won = await leader.elected()
    await lease.edit(holderIdentity="b")
    await leader.ended()
    assert (won.renewer.valid(), won.renewer.left(), won.renewer.alive) == (False, 0.0, False)


async def test_a_holder_that_somebody_took_out_is_written_again(leader: Replica, lease: TheLease):
    await lease.edit(holderIdentity="")
    await lease.wait(lambda it: it["holderIdentity"] == "a")
    assert leader.leads


async def test_a_label_that_somebody_edits_stays_and_changes_nothing_else(leader: Replica, lease: TheLease, database: HonestDatabase):
    won = await leader.elected()
    for number in range(3):
        await lease.patch({"metadata": {"labels": {"touched": str(number)}}})
        await renewed(won)
    await renewed(won)
    assert leader.leads
    assert (await lease.get())["metadata"]["labels"] == {"touched": "2"}
    assert database.claimed == [(1, "a")]


async def test_times_that_somebody_edits_are_put_right(leader: Replica, lease: TheLease):
    await lease.edit(leaseDurationSeconds=3600, acquireTime="1970-01-01T00:00:00.000000Z")
    spec = await lease.wait(lambda it: it["leaseDurationSeconds"] == TIMES.duration)
    assert spec["acquireTime"] > "2000"


async def test_the_lease_is_renewed_while_the_main_loop_is_stuck(leader: Replica, lease: TheLease):
    won = await leader.elected()
    time.sleep(2 * TIMES.renew_deadline)  # noqa: ASYNC251 - that is the fault
    assert won.renewer.valid()


async def test_a_term_ends_when_the_thread_that_renews_its_lease_fails(replicas: Replicas, caplog: pytest.LogCaptureFixture):
    async def fail(step: str) -> None:
        if step == "before-renewal":
            raise RuntimeError("a mistake of ours")

    lost = await replicas.start("a", steps=fail).ended()
    assert isinstance(lost, LeaseLost)
    assert str(lost) == "the Lease can be renewed no more: RuntimeError('a mistake of ours')"
    assert "the thread that renews the Lease failed" in caplog.text


async def test_the_validity_counts_from_the_sending_of_a_renewal(replicas: Replicas, proxied: Any, api_proxy: ApiProxy):
    won = await replicas.start("a", kubeconfig=proxied).elected()

    api_proxy.spoil(RENEWAL, delay(0.3))
    await renewed(won, times=2)
    assert boottime() - won.renewer.renewed_at >= 0.3
    assert won.renewer.valid_until == won.renewer.renewed_at + TIMES.renew_deadline


async def test_a_renewal_that_was_done_and_not_answered_counts(replicas: Replicas, proxied: Any, api_proxy: ApiProxy, lease: TheLease):
    leader = replicas.start("a", kubeconfig=proxied)
    won = await leader.elected()
    api_proxy.spoil(RENEWAL, unanswered(), times=5)
    await renewed(won, times=5)
    assert won.renewer.valid()
    assert won.renewer.trouble == ""


async def test_fault_12_a_renewal_that_arrives_late_takes_nothing_away(replicas: Replicas, proxied: Any, api_proxy: ApiProxy):
    leader = replicas.start("a", kubeconfig=proxied)
    won = await leader.elected()
    api_proxy.spoil(RENEWAL, unanswered(after=0.7), times=1)
    await renewed(won, times=5)
    assert leader.leads


@pytest.mark.parametrize("fault", [hang(), refuse(503), refuse(403), refuse(429, retry_after=1)], ids=["hangs", "503", "403", "429"])
async def test_a_lease_that_cannot_be_renewed_is_observed_until_it_can(
    replicas: Replicas, proxied: Any, api_proxy: ApiProxy, fault: Any, caplog: pytest.LogCaptureFixture
):
    caplog.set_level("INFO")
    leader = replicas.start("a", kubeconfig=proxied)
    won = await leader.elected()
    api_proxy.spoil(ABOUT_THE_LEASE, fault)
    await until(lambda: won.renewer.standing is Standing.OBSERVING)
    await until(lambda: "could not be renewed for 1.4 s: the index goes on" in caplog.text)
    assert leader.leads
    assert won.renewer.trouble
    api_proxy.heal()
    await until(won.renewer.valid)
    await until(lambda: "the Lease is renewed again" in caplog.text)
    assert leader.leads


async def test_fault_07_without_the_right_to_the_lease_the_leader_observes_and_no_standby_campaigns(
    leader: Replica, replicas: Replicas, lease: TheLease, cluster: Cluster, database: HonestDatabase, namespace: str
):
    won = await leader.elected()
    standby = replicas.start("b")
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    right = await asyncio.to_thread(cluster.get, "RoleBinding", "elector", namespace)
    await asyncio.to_thread(cluster.delete, "RoleBinding", "elector", namespace)
    await until(lambda: not won.renewer.valid())
    began = boottime()
    await until(lambda: boottime() - began > TIMES.duration + 1)
    assert leader.leads
    assert "could not be read" in standby.elector.waits
    assert "cannot" in won.renewer.trouble
    body = {"apiVersion": right["apiVersion"], "kind": "RoleBinding", "roleRef": right["roleRef"], "subjects": right["subjects"]}
    await asyncio.to_thread(cluster.apply, {**body, "metadata": {"name": "elector", "namespace": namespace}})
    await until(won.renewer.valid)
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    assert leader.leads
    assert database.claimed == [(1, "a")]


async def test_fault_06_a_leader_that_cannot_watch_its_lease_notices_all_the_same(
    replicas: Replicas, proxied: Any, api_proxy: ApiProxy, lease: TheLease
):
    api_proxy.spoil("GET .*watch=true", refuse(403))
    leader = replicas.start("a", kubeconfig=proxied)
    await leader.elected()
    await lease.edit(holderIdentity="b")
    assert isinstance(await leader.ended(seconds=2), LeaseLost)
