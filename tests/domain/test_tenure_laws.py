"""A leader and a standby over one Lease: whoever takes it by the count takes it from somebody whose validity is over."""

from dataclasses import dataclass, replace
from itertools import product

from hypothesis import event, given
from hypothesis import strategies as st

from tests.domain.standby import HELD, LEADER, Standby
from tests.domain.strategies import thorough
from tinyforge.domain.candidacy import Campaign
from tinyforge.domain.lease import Lease, LeaseTimes
from tinyforge.domain.tenure import Lost, Renewed, Tenure, Unreadable, WriteAgain


@dataclass(frozen=True)
class Turn:
    """Half a second: what becomes of the leader's request and of the standby's read, if they make one.

    A write may be answered, be lost on its way, or be done although its answer is lost, at once or `late` half seconds later.
    """

    write: str
    late: int
    leader_reads: bool
    standby_reads: bool
    edit: str


class World:
    """One Lease, its leader and a standby; in PostgreSQL the leader always is alive, so that only the count frees the Lease.

    The Lease is deleted once at most: one that is written again and deleted again between two reads was never there for who reads. That
    is what the fence is for.
    """

    def __init__(self, times: LeaseTimes) -> None:
        self.times = times
        self.lease: Lease | None = replace(HELD, duration=times.duration)
        self.standby = Standby(lease=self.lease, times=times)
        self.tenure = Tenure(holder=LEADER, epoch=7, times=times, sent_at=self.now)
        self.known: Lease | None = self.lease
        self.versions = 100
        self.under_way: list[tuple[float, Lease, Lease | None]] = []
        self.lost = False
        self.deleted = False

    @property
    def now(self) -> float:
        return self.standby.now

    def put(self, lease: Lease, over: Lease | None) -> bool:
        """Write as the API server does: over exactly the version that was read."""
        if (self.lease and self.lease.resource_version) != (over and over.resource_version):
            return False
        self._store(lease)
        return True

    def takes_its_turn(self, turn: Turn, step: int) -> None:
        self._arrive()
        self._is_edited(turn.edit)
        if step % 4 == 0 and not self.lost:
            self._renew(turn)
        if step % 4 == 1:
            if turn.standby_reads:
                self.standby.reads(self.lease)
            else:
                self.standby.candidacy.blind(at=self.now)
        self.standby.now += 0.5
        self.standby.looks()

    def _is_edited(self, edit: str) -> None:
        if edit == "deleted" and not self.deleted:
            self.lease, self.deleted = None, True
        elif edit == "labelled" and self.lease:
            self._store(self.lease)
        elif edit == "shortened" and self.lease:
            self._store(replace(self.lease, duration=0))

    def _store(self, lease: Lease) -> Lease:
        self.versions += 1
        self.lease = replace(lease, resource_version=f"{self.versions}")
        return self.lease

    def _arrive(self) -> None:
        arriving = [it for it in self.under_way if it[0] <= self.now]
        self.under_way = [it for it in self.under_way if it[0] > self.now]
        for _, lease, over in arriving:
            self.put(lease, over)

    def _renew(self, turn: Turn) -> None:
        sent = replace(HELD, duration=self.times.duration, renewed_at=f"{self.now}", resource_version="")
        self.tenure.sending(sent, at=self.now)
        if turn.write == "answered" and self.put(sent, self.known):
            self.known = self.lease
            self.tenure.renewed(sent_at=self.now)
            return
        if turn.write == "done":
            self.put(sent, self.known)
        elif turn.write == "late":
            self.under_way.append((self.now + turn.late / 2, sent, self.known))
        found = self.lease if turn.leader_reads else Unreadable()
        reaction = self.tenure.after_failure(found)
        event(type(reaction).__name__)
        self.lost = isinstance(reaction, Lost)
        if isinstance(reaction, Renewed | WriteAgain) and not isinstance(found, Unreadable):
            self.known = found


WRITES = (("answered", 0), ("answered", 0), ("lost", 0), ("done", 0), ("late", 1), ("late", 5), ("late", 25))
TURNS = tuple(
    Turn(write=write, late=late, leader_reads=leader_reads, standby_reads=standby_reads, edit=edit)
    for (write, late), leader_reads, standby_reads, edit in product(
        WRITES, (True, False), (True,) * 5 + (False,), ("",) * 9 + ("deleted", "labelled", "shortened")
    )
)
AWAY = Turn(write="lost", late=0, leader_reads=False, standby_reads=True, edit="")
"""The leader is frozen, or cut off from the API server."""

stories = st.lists(
    st.lists(st.sampled_from(TURNS), min_size=1, max_size=20) | st.integers(20, 40).map(lambda length: [AWAY] * length),
    min_size=1,
    max_size=5,
)
times = st.sampled_from(
    (LeaseTimes(), LeaseTimes(duration=30, renew_deadline=25), LeaseTimes(duration=7, renew_deadline=4, request_timeout=1))
)


@thorough
@given(times, stories)
def test_nobody_is_deposed_by_the_count_while_he_may_still_change_engines(times: LeaseTimes, stories: list[list[Turn]]) -> None:
    world = World(times)
    for step, turn in enumerate(turn for story in stories for turn in story):
        world.takes_its_turn(turn, step)
        decision = world.standby.candidacy.decide(at=world.now)
        if isinstance(decision, Campaign) and world.put(HELD, decision.over):
            event("deposed")
            assert not world.tenure.valid(world.now), decision.reason
            assert world.now - world.tenure.valid_until >= times.request_timeout
            return
