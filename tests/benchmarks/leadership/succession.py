"""Tinyforge's replicas, three at a time: the leader is lost again and again, and whoever has stood by takes over."""

import signal
import time
from dataclasses import dataclass, field
from random import Random

from tests.benchmarks.leadership.losses import Loss
from tests.benchmarks.leadership.moments import Moments, Takeover
from tests.e2e.index import until
from tests.faults.fleet import WARM, Fleet, Place
from tests.operator.replicas import Replica

STANDBYS = 2
SETTLED = 1.0
"""How many seconds after its start a standby has no more to do than to stand by."""
BEAT = 1.0
"""Of how many seconds the loss of a leader comes at any moment: that often its heartbeat is seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A replica, where it runs if it can be cut off, and since when it can lead, on the monotonic clock."""

    replica: Replica
    place: Place | None
    since: float = field(default_factory=time.monotonic)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.replica.process.signal(number)

    def cut(self) -> None:
        """Cut it off from the API server and PostgreSQL."""
        assert self.place
        self.place.cut()

    def mend(self) -> None:
        """Give it both back; what was sent meanwhile arrives late."""
        assert self.place
        self.place.mend()


class Succession:
    """The replicas of one fleet, all of whose leaders are lost in one way."""

    def __init__(self, fleet: Fleet, loss: Loss, moments: Moments) -> None:
        self._fleet = fleet
        self._loss = loss
        self._moments = moments
        self._chance = Random(0)  # noqa: S311 - no secret: the same moments each time
        place = self._place()
        self._leader = Member(replica=fleet.leading(place), place=place)
        self._standbys = [self._standby() for _ in range(STANDBYS)]

    def next(self) -> Takeover:
        """Lose the leader, see another one take over, and the lost one end; then there is a new standby."""
        lost, epoch = self._leader, self._fleet.leader[1] + 1
        self._wait()
        since = self._moments.now()
        self._loss.befalls(lost)
        takeover = self._moments.takeover(epoch, since=since)
        self._loss.is_over(lost)  # the moment that is worst: the other one has only just begun
        self._promote(epoch)
        lost.replica.process.ends()
        return takeover

    @property
    def stale_rows(self) -> int:
        """How many rows there are that were committed after another one's claim."""
        return len(self._fleet.journal.stale())

    def _wait(self) -> None:
        """Wait until somebody takes PostgreSQL's word for the leader's death, everybody is at rest, and for chance."""
        oldest, *_, newest = sorted(standby.since for standby in self._standbys)
        ready = max(oldest + WARM, newest + SETTLED)
        time.sleep(max(0.0, ready - time.monotonic()) + self._chance.uniform(0, BEAT))

    def _promote(self, epoch: int) -> None:
        """Find out who leads now, and let another one stand by in its stead."""
        says = f"leads with epoch {epoch} on"
        until(lambda: sum(standby.replica.process.said(says) for standby in self._standbys), 1)
        (self._leader,) = (standby for standby in self._standbys if standby.replica.process.said(says))
        self._standbys = [*(standby for standby in self._standbys if standby is not self._leader), self._standby()]

    def _standby(self) -> Member:
        place = self._place()
        replica = self._fleet.start(place)
        replica.process.says("stands by for the Lease")
        return Member(replica=replica, place=place)

    def _place(self) -> Place | None:
        return self._fleet.place() if self._loss.cables else None
