"""A standby's watch over the Lease: for how long every read of it has said the same, and for how long that has to last.

Silence while nobody could read the Lease proves nothing about its holder, so a pause between two reads begins the count anew.
"""

from dataclasses import dataclass, replace
from typing import Self

from tinyforge.domain.lease import Lease, LeaseTimes

_PAUSE_SECONDS = 4.0
"""The longest time between two reads that count as watching: two polls, which are every 2 s unless the retry period is longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseWatch:
    """The Lease as it was last read, and since when it has said the same. Times are this replica's clock, in seconds.

    Args:
        lease, read_at: the Lease (None: there is none), and when it was last read with success.
        since: when it was first read like this, without a pause since.
        needed: after how many seconds without a change nobody holds it any more.
        times: what this release goes by.
    """

    lease: Lease | None
    read_at: float
    since: float
    needed: float
    times: LeaseTimes

    @classmethod
    def begun(cls, lease: Lease | None, *, at: float, times: LeaseTimes) -> Self:
        """Return what the first read says."""
        needed = lease.believed_duration(own=times.duration) if lease else times.duration
        return cls(lease=lease, read_at=at, since=at, needed=needed, times=times)

    def then(self, lease: Lease | None, *, at: float) -> "LeaseWatch":
        """Return what is known after one more successful read."""
        if not self.broken(at=at) and _say_the_same(self.lease, lease):
            return replace(self, lease=lease, read_at=at)
        begun = LeaseWatch.begun(lease, at=at, times=self.times)
        if lease:
            return begun
        return replace(begun, needed=max(begun.needed, self.needed))  # whoever held it writes it again, by the times that it said

    def broken(self, *, at: float) -> bool:
        """Whether the last read is so long ago that the count begins anew."""
        return at - self.read_at > max(_PAUSE_SECONDS, 2 * self.times.retry_period)

    def unchanged(self, *, at: float) -> float:
        """Return for how many seconds the Lease has said the same."""
        return at - self.since

    def same_object(self, lease: Lease | None) -> bool:
        """Whether nothing at all was written between the last read and one that returned `lease`."""
        return (self.lease and self.lease.resource_version) == (lease and lease.resource_version)

    def told(self, *, at: float) -> str:
        """Return how far the count is, as a sentence goes on behind the name of whoever holds the Lease, or held it."""
        count = f"{self.unchanged(at=at):.1f} s of {self.needed:g} s"
        if self.lease is None:
            return f"leads, but its Lease is gone: {count} without one"
        said = self.lease.duration
        return f"holds the Lease: {count} without a change{'' if said == self.needed else f' (it says {said:g} s, which no leader writes)'}"


def _say_the_same(before: Lease | None, now: Lease | None) -> bool:
    if before is None or now is None:
        return before is now
    return before.same_spec(now)
