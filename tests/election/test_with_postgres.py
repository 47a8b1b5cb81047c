"""The election with the real PostgreSQL behind it: presence, claim and fence are the index's own."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import psycopg
import pytest

from tests.election.replicas import TIMES, Replica, connecting
from tests.election.the_lease import TheLease
from tests.index.waiting import until
from tinyforge.election import CampaignFailed, Elector, Watchdog
from tinyforge.index.leadership import OPERATOR, EpochClaiming, Identity
from tinyforge.index.presence import Presence


class Replicas:
    """Replicas over one database."""

    def __init__(self, url: str, kubeconfig: Path, namespace: str) -> None:
        self.url = url
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._made: list[tuple[Replica, Presence]] = []

    async def start(self, name: str) -> Replica:
        """Let a replica stand for election."""
        connect = connecting(self._kubeconfig, self.namespace)
        leases = connect()
        lease = await leases.qualified_name()
        await leases.close()
        identity = Identity.draw(name)
        presence = Presence(self.url, session=identity.session)
        claiming = EpochClaiming(conninfo=self.url, identity=identity, driver=OPERATOR, lease=lease, take_over=False)
        watchdog = Watchdog(end=lambda _reason: None)
        elector = Elector(holder=identity.holder, connect=connect, presence=presence, claiming=claiming, times=TIMES, watchdog=watchdog)
        self._made.append((Replica(elector, holder=identity.holder, presence=presence), presence))
        return self._made[-1][0]

    async def crash(self, replica: Replica) -> None:
        """Let a leader do nothing any more, and its sessions end, as if its process had been killed."""
        await replica.won.result().renewer.stop()
        await replica.vanish()
        await next(presence for each, presence in self._made if each is replica).close()

    def row(self) -> tuple[int, str, str]:
        """Return the epoch, the holder and the Lease that PostgreSQL knows."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            epoch, holder, lease = connection.execute("SELECT epoch, holder, lease FROM tinyforge.leaders").fetchall()[0]
        return epoch, holder, lease

    async def close(self) -> None:
        """End all that is left."""
        for replica, _ in self._made:
            replica.task.cancel()
        await asyncio.gather(*(replica.task for replica, _ in self._made), return_exceptions=True)
        for _, presence in self._made:
            await presence.close()


@pytest.fixture
async def real_replicas(database_url: str, kubeconfig: Path, namespace: str) -> AsyncIterator[Replicas]:
    replicas = Replicas(database_url, kubeconfig, namespace)
    yield replicas
    await replicas.close()


async def test_a_leader_claims_the_database_with_the_epoch_of_its_lease_and_names_the_lease(real_replicas: Replicas, lease: TheLease):
    won = await (await real_replicas.start("a")).elected()
    epoch, holder, named = real_replicas.row()
    assert (epoch, holder) == (won.term.epoch, won.term.holder)
    assert named == won.term.lease
    assert named.endswith("/tinyforge")
    spec = await lease.spec()
    assert (spec["leaseTransitions"], spec["holderIdentity"]) == (epoch, holder)


async def test_a_planned_handover_takes_no_time(real_replicas: Replicas):
    first = await real_replicas.start("a")
    await first.elected()
    second = await real_replicas.start("b")
    await until(lambda: f"{first.holder} holds the Lease" in second.elector.waits)
    began = time.monotonic()
    await first.step_down()
    won = await second.elected()
    assert time.monotonic() - began < 1.0  # measured: 0.07 s
    assert real_replicas.row()[:2] == (2, second.holder)
    assert won.term.epoch == 2


async def test_fault_01_a_leader_that_is_gone_is_followed_without_waiting_for_its_lease(real_replicas: Replicas):
    first = await real_replicas.start("a")
    await first.elected()
    second = await real_replicas.start("b")
    seen_up = time.monotonic() + 5.5  # for so long both this replica and the server have to be up before a missing session means anything
    await until(lambda: time.monotonic() > seen_up)
    began = time.monotonic()
    await real_replicas.crash(first)
    won = await second.elected(seconds=TIMES.duration)
    assert time.monotonic() - began < 3.0  # measured: 0.6 s
    assert won.term.epoch == 2


async def test_a_database_that_another_lease_leads_is_refused_and_says_who(real_replicas: Replicas, database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("UPDATE tinyforge.leaders SET epoch = 7, driver = 'operator', lease = 'elsewhere/tinyforge', holder = 'c'")
    failed = await (await real_replicas.start("a")).ended(seconds=20)
    assert isinstance(failed, CampaignFailed)
    assert "elsewhere/tinyforge" in str(failed)


async def test_nobody_leads_a_database_without_its_row(real_replicas: Replicas, database_url: str):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica; DELETE FROM tinyforge.leaders")
    failed = await (await real_replicas.start("a")).ended()
    assert "tinyforge migrate" in str(failed)
