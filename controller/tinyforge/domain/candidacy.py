"""When a standby may campaign: what it has seen of the Lease and of PostgreSQL, and what follows from that.

`tinyforge.election` feeds a `Candidacy` and does what it decides. Every moment is one of this process's own clock (CLOCK_BOOTTIME), in
seconds; no clock of another machine is compared with it.
"""

from dataclasses import dataclass

from tinyforge.domain.leaders import LeadersLook, SignsOfLife
from tinyforge.domain.lease import MAX_EPOCH, Lease, LeaseTimes, readable_holder
from tinyforge.domain.lease_watch import LeaseWatch

_ANSWER_SECONDS = 5.0
"""At most so long ago PostgreSQL must have answered as a writable primary: where nobody can claim, nobody campaigns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Do not campaign.

    Args:
        reason: why, for people.
        until: when the count ends that is told, if nothing new is seen before; None if waiting alone does not help.
        alert: whether nobody will ever lead until somebody acts.
    """

    reason: str
    until: float | None = None
    alert: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """Campaign now.

    Args:
        epoch: the epoch to write and to claim.
        over: the Lease as it was last read; it is written over exactly that one. None: it is created.
        reason: why nobody leads any more, for people.
    """

    epoch: int
    over: Lease | None
    reason: str


Decision = Wait | Campaign


class Candidacy:
    """What a standby has seen, and what it decides from that.

    Args:
        holder: the identity of this process, as it would stand in the Lease.
        times: the durations that this release goes by.
        started_at: when this process began to watch.
    """

    def __init__(self, *, holder: str, times: LeaseTimes, started_at: float) -> None:
        self._holder = holder
        self._times = times
        self._lease_watch: LeaseWatch | None = None
        self._read_at = started_at
        self._read_failed = False
        self._leaders: LeadersLook | None = None
        self._answered_at = started_at
        self._signs: SignsOfLife | None = None
        self._deaf_since = started_at

    def saw(self, lease: Lease | None, *, at: float) -> None:
        """Take in a successful read of the Lease, or what its watch told; None: there is none."""
        watch = self._lease_watch
        if self._signs and not (watch and watch.same_object(lease)):
            self._signs = self._signs.doubted()  # the Lease that is written over must have been read before both looks
        self._lease_watch = watch.then(lease, at=at) if watch else LeaseWatch.begun(lease, at=at, times=self._times)
        self._read_at, self._read_failed = at, False

    def blind(self, *, at: float) -> None:
        """Take in that a read of the Lease failed: it says nothing about the Lease, least of all that there is none."""
        self._read_failed = self._read_failed or at >= self._read_at

    def looked(self, look: LeadersLook, *, at: float) -> None:
        """Take in what PostgreSQL told of whoever leads, through the session of the looks before."""
        if not look.primary:  # the sessions of a leader are at the primary, so this one cannot see them
            self._leaders = self._signs = None
            return
        self._signs = self._signs.then(look, at=at) if self._signs else SignsOfLife.first(look, at=at)
        self._leaders, self._answered_at = look, at

    def deaf(self, *, at: float) -> None:
        """Take in that PostgreSQL did not answer, or that this replica's session was lost: what a session saw goes with it."""
        if self._signs:
            self._signs, self._deaf_since = None, at

    def decide(self, *, at: float) -> Decision:
        """Return whether to campaign now, and why or why not."""
        watch, leaders = self._lease_watch, self._leaders
        if leaders is None or at - self._answered_at > _ANSWER_SECONDS:
            return Wait(reason=f"PostgreSQL has not answered as a writable primary for {at - self._answered_at:.1f} s")
        if watch is None or watch.broken(at=at) or self._read_failed:
            return Wait(reason=f"the Lease could not be read for {at - self._read_at:.1f} s")
        free = self._free(watch, leaders, at=at)
        return free if isinstance(free, Wait) else _campaign(watch.lease, leaders, reason=free)

    def _free(self, watch: LeaseWatch, leaders: LeadersLook, *, at: float) -> str | Wait:
        """Return why nobody holds the Lease any more, or that it is held."""
        identity = watch.lease.holder if watch.lease else leaders.holder
        if not identity:
            return "nobody holds the Lease" if watch.lease else "there is no Lease, and nobody leads the database"
        holder = readable_holder(identity)
        if self._signs and identity == leaders.holder and (death := self._signs.death(at=at)):
            return f"{holder} {death}"
        count = f"{holder} {watch.told(at=at)}{self._no_sooner(identity, leaders, at=at)}"
        return count if watch.unchanged(at=at) >= watch.needed else Wait(reason=count, until=watch.since + watch.needed)

    def _no_sooner(self, identity: str, leaders: LeadersLook, *, at: float) -> str:
        """Return why PostgreSQL does not cut the count short, as a sentence goes on; empty if it saw the leader alive."""
        if identity == self._holder:
            return "; that is this process, by a write that came too late"
        if identity != leaders.holder:
            return f"; in PostgreSQL {readable_holder(leaders.holder) or 'nobody'} leads"
        if self._signs is None:
            return f"; PostgreSQL has told nothing of it for {at - self._deaf_since:.1f} s"
        doubt = self._signs.doubt(at=at)
        return f"; it {doubt}" if doubt else ""


def _campaign(lease: Lease | None, leaders: LeadersLook, *, reason: str) -> Decision:
    highest = max(lease.transitions if lease else 0, leaders.epoch)
    if highest < MAX_EPOCH:
        return Campaign(epoch=highest + 1, over=lease, reason=reason)
    where = "leaders.epoch in PostgreSQL" if leaders.epoch == highest else "spec.leaseTransitions of the Lease"
    return Wait(
        reason=f"{reason}, but {where} says {highest}, and no epoch may be above {MAX_EPOCH}: nobody leads until that is put right",
        alert=True,
    )
