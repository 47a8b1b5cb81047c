"""The adversary: it pauses, ends, cuts off and starts replicas, breaks links and servers, and lets time pass, in any order.

Who watches is a `Witness`, at every step of everybody and not only between two rules. To let it look for longer, see `test_election`.
"""

from dataclasses import replace
from enum import Enum
from math import inf

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.election.model.flaws import Flaw
from tests.election.model.installation import Installation
from tests.election.model.leader_model import Replica
from tests.election.model.lease_model import Link
from tests.election.model.replica_model import CAMPAIGN, STEPPING_DOWN, TERM
from tinyforge.domain.lease import LeaseTimes


class Then(Enum):
    """What the adversary does before its next act. It sees a replica come to where it is to be paused, and waits no longer."""

    AT_ONCE = 0.0
    A_MOMENT = 1.0
    A_FEW_SECONDS = 3.0
    UNTIL_THE_LEASE_HAS_EXPIRED = 9.0
    UNTIL_ALL_IS_WELL = 8.0


anybody = st.sampled_from((0, 0, 1, 2))
"""Who: first come those who run, the leader before the others; then those who are paused; then those who have ended."""
standbys = st.sampled_from((1, 2))
waits = st.sampled_from(Then)


class Scene(Enum):
    """How a history begins: mostly on the way to two leaders, since what is interesting needs that."""

    ALL_IS_WELL = "all is well"
    NOT_RENEWED = "the leader's link to the API server is broken"
    OBSERVED = "the leader's link to the API server is broken, and whoever campaigns is paused"
    CAMPAIGN = "the leader is paused, and so is whoever campaigns"
    CLAIM_LOST = "the leader is paused, and a failover loses the claim of the next one"


class Election(RuleBasedStateMachine):
    """Three replicas, an API server, PostgreSQL and a host, under the protocol or with one flaw in it."""

    flaw: Flaw | None = None
    times = LeaseTimes(duration=6, renew_deadline=3, retry_period=1, request_timeout=1)

    @initialize(
        replicas=st.sampled_from((2, 3, 3)),
        scene=st.sampled_from(Scene),
        leader=st.sampled_from(TERM),
        standby=st.sampled_from(CAMPAIGN),
        then=waits,
        wakes=st.booleans(),
    )
    def begin(self, replicas: int, scene: Scene, leader: str, standby: str, then: Then, wakes: bool) -> None:
        self.all = Installation(replicas, times=self.times, flaw=self.flaw, tick=Then.A_MOMENT.value)
        paused = None
        if scene in (Scene.NOT_RENEWED, Scene.OBSERVED):
            self.all.api.links[0] = Link.LOSES_REQUESTS
        if scene in (Scene.CAMPAIGN, Scene.CLAIM_LOST):
            paused = self._pause(0, leader)
        if scene in (Scene.CAMPAIGN, Scene.OBSERVED):
            paused = self._pause(0 if paused else 1, standby)
        if scene is Scene.CLAIM_LOST:
            self._go_on(Then.UNTIL_THE_LEASE_HAS_EXPIRED)
            self.all.postgres.fail_over(lost=self.all.commits_since_claim())
        self._go_on(then, wake=paused if wakes else None)

    def _replica(self, place: int) -> Replica:
        ranked = sorted(self.all.replicas, key=lambda it: (bool(it.ended), it.paused, -it.epoch, it.number))
        return ranked[place % len(ranked)]

    def _go_on(self, then: Then, *, wake: Replica | None = None) -> None:
        if then is Then.UNTIL_ALL_IS_WELL:
            self.all.mend()
        self.all.pass_time(seconds=then.value)
        if wake:
            wake.wake()
            self.all.pass_time(seconds=Then.A_MOMENT.value)

    # Processes

    @rule(stop=st.sampled_from(("", *TERM)), then=waits, wakes=st.booleans())
    def pause_leader(self, stop: str, then: Then, wakes: bool) -> None:
        paused = self._pause(0, stop)
        self._go_on(then, wake=paused if wakes else None)

    @rule(place=standbys, stop=st.sampled_from(CAMPAIGN), then=waits, wakes=st.booleans())
    def pause_standby(self, place: int, stop: str, then: Then, wakes: bool) -> None:
        paused = self._pause(place, stop)
        self._go_on(then, wake=paused if wakes else None)

    @rule(stop=st.sampled_from(STEPPING_DOWN), then=waits, wakes=st.booleans())
    def stop_leader(self, stop: str, then: Then, wakes: bool) -> None:
        self._replica(0).stop()
        paused = self._pause(0, stop)
        self._go_on(then, wake=paused if wakes else None)

    def _pause(self, place: int, stop: str) -> Replica:
        """Pause somebody now, or when it comes to a step."""
        replica = self._replica(place)
        if stop:
            replica.stop_at = stop
            self.all.pass_time(seconds=Then.UNTIL_THE_LEASE_HAS_EXPIRED.value)
        else:
            replica.pause()
        return replica

    @precondition(lambda self: self._paused(leading=True))
    @rule(then=waits)
    def wake_leader(self, then: Then) -> None:
        self._paused(leading=True)[0].wake()
        self._go_on(then)

    @precondition(lambda self: self._paused(leading=False))
    @rule(then=waits)
    def wake_standby(self, then: Then) -> None:
        self._paused(leading=False)[0].wake()
        self._go_on(then)

    def _paused(self, *, leading: bool) -> list[Replica]:
        return [it for it in self.all.replicas if it.paused and not it.ended and it.leading is leading]

    @rule(place=anybody, then=waits)
    def kill(self, place: int, then: Then) -> None:
        self._replica(place).end("killed")
        self._go_on(then)

    # Links and servers

    @rule(place=anybody, link=st.sampled_from(Link), then=waits)
    def link_to_api(self, place: int, link: Link, then: Then) -> None:
        self.all.api.links[self._replica(place).number] = link
        self._go_on(then)

    @rule(place=anybody, then=waits)
    def link_to_postgresql(self, place: int, then: Then) -> None:
        replica = self._replica(place)
        replica.cut_off(not replica.cut)
        self._go_on(then)

    @rule(then=waits)
    def hold_up_host(self, then: Then) -> None:
        self.all.host.delay = inf
        self._go_on(then)

    @rule(lost=st.sampled_from(("nothing", "the last claim")), then=waits)
    def fail_over(self, lost: str, then: Then) -> None:
        self.all.postgres.fail_over(lost=self.all.commits_since_claim() if lost == "the last claim" else 0)
        self._go_on(then)

    @rule(holder=st.sampled_from(("", "somebody")), then=waits)
    def edit_lease(self, holder: str, then: Then) -> None:
        self.all.api.edit(self.all.api.lease and replace(self.all.api.lease, holder=holder))
        self._go_on(then)

    @rule(then=waits)
    def delete_lease(self, then: Then) -> None:
        self.all.api.edit(None)
        self._go_on(then)
