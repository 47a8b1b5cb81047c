"""A standby sees what becomes of the Lease, whichever way it can, and concludes nothing from what it cannot see."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.election.honest_database import HonestDatabase
from tests.election.replicas import TIMES, Replica, Replicas, standing
from tests.election.the_lease import TheLease
from tests.index.waiting import until
from tests.servers.api_proxy import ApiProxy, empty, hang, refuse, unanswered
from tests.servers.cluster import Cluster
from tests.servers.kubernetes_users import elector_in
from tinyforge.election import boottime

WATCH = "GET .*watch=true"
READ = "GET .*/leases/tinyforge"


@pytest.fixture
async def standby(replicas: Replicas, proxied: Path) -> Replica:
    """A standby behind the proxy, with a leader that is not."""
    await replicas.start("a").elected()
    standby = replicas.start("b", kubeconfig=proxied)
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    return standby


@pytest.mark.parametrize("fault", [refuse(403), refuse(410), hang(), empty()], ids=["403", "410", "hangs", "empty"])
async def test_without_a_watch_a_release_is_seen_by_reading(
    replicas: Replicas, proxied: Path, api_proxy: ApiProxy, lease: TheLease, fault: object
):
    api_proxy.spoil(WATCH, fault)  # type: ignore[arg-type] # pytest's parameters have no types
    leader = replicas.start("a")
    await leader.elected()
    standby = replicas.start("b", kubeconfig=proxied)
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    await leader.step_down()
    await standby.elected(seconds=3)
    asked = [request for request in api_proxy.requests if "watch=true" in request]
    assert len(asked) < 20  # it is not asked without end


async def test_fault_29_a_watch_that_has_gone_silent_is_noticed_and_replaced(standby: Replica, api_proxy: ApiProxy):
    watches = sum("watch=true" in request for request in api_proxy.requests)
    api_proxy.silence(WATCH)
    await until(lambda: sum("watch=true" in request for request in api_proxy.requests) > watches)
    assert "a holds the Lease" in standby.elector.waits


async def test_while_its_watch_talks_a_standby_does_not_read(standby: Replica, api_proxy: ApiProxy):
    before = len(api_proxy.requests)
    began = boottime()
    await until(lambda: boottime() - began > 5 * TIMES.retry_period)
    assert len(api_proxy.requests) - before <= 2


async def test_fault_07_a_standby_that_cannot_read_the_lease_does_not_campaign(
    standby: Replica, api_proxy: ApiProxy, database: HonestDatabase, lease: TheLease
):
    api_proxy.silence(WATCH)
    api_proxy.spoil(READ, refuse(403))
    api_proxy.spoil(WATCH, refuse(403))
    began = boottime()
    await until(lambda: boottime() - began > TIMES.duration + 1)
    assert "could not be read" in standby.elector.waits
    assert database.claimed == [(1, "a")]


async def test_what_is_wrong_is_said_once(replicas: Replicas, proxied: Path, api_proxy: ApiProxy, caplog: pytest.LogCaptureFixture):
    caplog.set_level("INFO")
    await replicas.start("a").elected()
    api_proxy.spoil(READ, refuse(403, message="no reading"))
    api_proxy.spoil(WATCH, refuse(403, message="no watching"))
    replicas.start("b", kubeconfig=proxied)
    await until(lambda: sum("watch=true" in request for request in api_proxy.requests) == 4)
    assert caplog.text.count("the Lease cannot be read: no reading") == 1
    assert caplog.text.count("the Lease cannot be watched: no watching") == 1
    api_proxy.heal()
    await until(lambda: "the Lease can be read again" in caplog.text)


async def test_who_may_not_write_the_lease_asks_seldom_and_says_so_once(
    replicas: Replicas, proxied: Path, api_proxy: ApiProxy, caplog: pytest.LogCaptureFixture, lease: TheLease
):
    await lease.make(holderIdentity="", leaseTransitions=1, leaseDurationSeconds=4)
    api_proxy.spoil("PUT .*", refuse(403, message="no writing"))
    standby = replicas.start("a", kubeconfig=proxied)
    began = boottime()
    await until(lambda: boottime() - began > 4 * TIMES.retry_period)
    assert 2 <= sum(request.startswith("PUT") for request in api_proxy.requests) <= 6
    assert caplog.text.count("the Lease could not be taken: no writing") == 1
    api_proxy.heal()
    assert (await standby.elected()).term.epoch == 2


async def test_fault_12_a_campaign_whose_write_was_done_and_not_answered_leads(
    replicas: Replicas, proxied: Path, api_proxy: ApiProxy, database: HonestDatabase
):
    api_proxy.spoil("POST .*/leases", unanswered(), times=1)
    assert (await replicas.start("a", kubeconfig=proxied).elected()).term.epoch == 1
    assert database.claimed == [(1, "a")]


async def test_fault_12_a_campaign_whose_write_arrives_late_leads_with_another_epoch(
    replicas: Replicas, proxied: Path, api_proxy: ApiProxy, database: HonestDatabase, lease: TheLease
):
    """The write of epoch 2 arrives when it has been given up: the Lease names a process that leads nothing, until it runs out."""
    await lease.make(holderIdentity="", leaseTransitions=1, leaseDurationSeconds=4)
    late = api_proxy.next_request("PUT .*")
    api_proxy.spoil("PUT .*", unanswered(after=0.7), times=1)
    first = replicas.start("a", kubeconfig=proxied)
    await asyncio.wrap_future(late)
    await lease.wait(lambda it: it["holderIdentity"] == "a")
    second = replicas.start("b")
    either: set[asyncio.Future[object]] = {first.won, second.won}  # type: ignore[arg-type] # futures are invariant, and these are only awaited
    await asyncio.wait(either, timeout=20, return_when=asyncio.FIRST_COMPLETED)
    (term,) = [it.won.result().term for it in (first, second) if it.won.done()]
    assert database.claimed == [(term.epoch, term.holder)]
    assert (await lease.spec())["leaseTransitions"] == term.epoch


@pytest.fixture
async def own_replicas(own_cluster: Cluster, database: HonestDatabase) -> AsyncIterator[Replicas]:
    namespace = own_cluster.new_namespace()
    async with standing(database, elector_in(own_cluster, namespace), namespace) as replicas:
        yield replicas


async def test_fault_28_an_api_server_that_is_frozen_for_longer_than_the_lease_deposes_nobody(
    own_replicas: Replicas, own_cluster: Cluster, database: HonestDatabase
):
    leader = own_replicas.start("a")
    won = await leader.elected()
    standby = own_replicas.start("b")
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    server = own_cluster.control_plane.api_server
    server.freeze()
    began = boottime()
    await until(lambda: boottime() - began > TIMES.duration + 2)
    assert not won.renewer.valid()
    server.thaw()
    await until(won.renewer.valid)
    await until(lambda: "a holds the Lease" in standby.elector.waits)
    assert leader.leads
    assert database.claimed == [(1, "a")]
