"""Everything together: the servers and some replicas, and how time goes on between them."""

from tests.election.model.flaws import Flaw
from tests.election.model.host_model import Host
from tests.election.model.leader_model import Replica
from tests.election.model.lease_model import ApiServer
from tests.election.model.moments import Clock
from tests.election.model.postgresql_model import Postgres
from tests.election.model.replica_model import World
from tests.election.model.statements import Sql
from tests.election.model.witness import Witness
from tinyforge.domain.lease import LeaseTimes

_ROUNDS = 60
"""More than anybody takes without time going on; who went on for ever in one moment would be found by this."""


class Installation:
    """Some replicas, of which the first leads and the others have watched for long enough to know that it is alive."""

    def __init__(self, replicas: int, *, times: LeaseTimes, flaw: Flaw | None, tick: float) -> None:
        self.clock = Clock(tick)
        self.witness = Witness()
        self.postgres = Postgres(clock=self.clock, witness=self.witness, flaw=flaw)
        self.api = ApiServer(clock=self.clock, witness=self.witness)
        self.host = Host(clock=self.clock, postgres=self.postgres, witness=self.witness, request_timeout=times.request_timeout)
        self.sql = Sql(self.postgres)
        self._world = World(self.clock, self.witness, self.api, self.sql, self.host, times, flaw)
        self._lives = 0
        self.replicas: list[Replica] = []
        for number in range(replicas):
            self.replicas.append(self._born(number))
            self.pass_time(seconds=1.5)
        self.pass_time(seconds=6)
        assert self.replicas[0].leading

    def mend(self) -> None:
        """Make every link and server work, wake everybody, and start a process in the place of each that ended."""
        self.api.links.clear()
        self.host.delay = 0.0
        for replica in self.replicas:
            replica.cut_off(False)
            replica.wake()
        self.replicas = [self._born(it.number) if it.ended else it for it in self.replicas]

    def pass_time(self, *, seconds: float) -> None:
        """Let everybody do what there is to do, tick by tick; stop where a replica comes to the place at which it is to be paused."""
        until = self.clock.now + seconds
        while self.clock.now < until:
            for _ in range(_ROUNDS):
                if not self.round():
                    break
            else:
                raise AssertionError(f"no end of steps at {self.clock.now} s")
            if self._reached():
                return
            self.clock.now += self.clock.tick

    def commits_since_claim(self) -> int:
        """Return how many commits a failover would have to lose to lose the last claim."""
        version = self.postgres.state.claims.get(self.postgres.state.leaders.epoch, ("", 1))[1]
        return len(self.postgres.versions) - version

    def round(self) -> bool:
        """Let each task and each server take a step; tell whether one did."""
        moved = [replica.step() for replica in self.replicas]
        return any([*moved, self.api.serve(), self.postgres.serve(), self.host.serve()])

    def _reached(self) -> bool:
        reached = any(it.reached for it in self.replicas)
        for replica in self.replicas:
            replica.reached = False
        return reached

    def _born(self, number: int) -> Replica:
        self._lives += 1
        return Replica(self._world, number=number, life=self._lives)
