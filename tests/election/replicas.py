"""Replicas that stand for election, each in a task of this process, with times that tests have time for."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.election.honest_database import HonestClaiming, HonestDatabase, HonestPresence
from tinyforge.cluster import Access, ClusterLeases
from tinyforge.cluster.kubeconfig import read_kubeconfig
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import LeaseTimes
from tinyforge.election import Elector, Steps, Watchdog, Won, no_stop
from tinyforge.election.waiting import ended
from tinyforge.ports import Presence

TIMES = LeaseTimes(duration=4.0, renew_deadline=1.4, retry_period=0.3, request_timeout=0.5)
"""As short as may be: without a fault, and with the 4 s that a standby may be without a look."""


def connecting(kubeconfig: Path, namespace: str) -> Callable[[], ClusterLeases]:
    """Return what connects to the Lease `tinyforge` as whoever a kubeconfig says."""
    access = Access(config=read_kubeconfig(str(kubeconfig)), namespace=namespace, found_by="the test")
    return lambda: ClusterLeases(access, namespace=namespace, name="tinyforge", seconds=TIMES.request_timeout, instance="the test")


class Leading:
    """The attendant of a leader's presence: it does nothing but live."""

    def looked(self, look: LeadersLook) -> None: ...

    def requested(self) -> None: ...

    async def lost(self) -> None: ...


class Replica:
    """One replica; `won` is set once it leads."""

    def __init__(self, elector: Elector, *, holder: str, presence: Presence) -> None:
        self.elector = elector
        self.holder = holder
        self._presence = presence
        self.won: asyncio.Future[Won] = asyncio.get_running_loop().create_future()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.task = asyncio.create_task(self._stand(), name=holder)

    @property
    def leads(self) -> bool:
        """Whether its term goes on, as far as it knows."""
        return self.won.done() and not self.task.done()

    async def elected(self, *, seconds: float = 10.0) -> Won:
        """Wait until it leads; if it ends instead, raise why."""
        either: set[asyncio.Future[Any]] = {self.won, self.task}
        await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        if self.task.done():
            self.task.result()
        assert self.won.done(), f"{self.holder} does not lead: {self.elector.waits}"
        return self.won.result()

    async def step_down(self) -> None:
        """End its term in order."""
        self._end.set_result(None)
        await self.task

    def fail(self, error: Exception) -> None:
        """Let its work fail."""
        self._end.set_exception(error)

    async def ended(self, *, seconds: float = 10.0) -> BaseException | None:
        """Wait until it has ended by itself, and return by what."""
        await asyncio.wait({self.task}, timeout=seconds)
        assert self.task.done(), f"{self.holder} goes on"
        return None if self.task.cancelled() else self.task.exception()

    async def vanish(self) -> None:
        """Hold its presence no more."""
        await ended(self._present)

    async def _stand(self) -> None:
        async with self.elector.elected() as won:
            self.won.set_result(won)
            self._present = asyncio.create_task(self._presence.hold(Leading()))
            try:
                await self._end
            finally:
                await self.vanish()


class Replicas:
    """Makes replicas over one database; those that are left at the end are cancelled."""

    def __init__(self, database: HonestDatabase, kubeconfig: Path, namespace: str) -> None:
        self.database = database
        self.namespace = namespace
        self._kubeconfig = kubeconfig
        self._made: list[Replica] = []

    def start(self, holder: str, *, kubeconfig: Path | None = None, steps: Steps = no_stop, times: LeaseTimes = TIMES) -> Replica:
        """Let a replica stand for election."""
        presence = HonestPresence(self.database, holder)
        elector = Elector(
            holder=holder,
            connect=connecting(kubeconfig or self._kubeconfig, self.namespace),
            presence=presence,
            claiming=HonestClaiming(self.database, holder),
            times=times,
            watchdog=Watchdog(end=lambda _reason: None),
            steps=steps,
        )
        replica = Replica(elector, holder=holder, presence=presence)
        self._made.append(replica)
        return replica

    async def close(self) -> None:
        """End all that is left."""
        for replica in self._made:
            replica.task.cancel()
        await asyncio.gather(*(it.task for it in self._made), return_exceptions=True)


@asynccontextmanager
async def standing(database: HonestDatabase, kubeconfig: Path, namespace: str) -> AsyncIterator[Replicas]:
    """Replicas for the length of a block."""
    replicas = Replicas(database, kubeconfig, namespace)
    try:
        yield replicas
    finally:
        await replicas.close()
