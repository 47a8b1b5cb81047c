"""What a leader knows of its Lease: until when it may change engines, and what an answer means that was none or not the expected one.

The renewing thread of `tinyforge.election` tells a `Tenure` what it sends and what it finds; whoever mutates asks it whether it may.
Every moment is one of this process's own clock (CLOCK_BOOTTIME), in seconds.
"""

from dataclasses import dataclass
from enum import StrEnum

from tinyforge.domain.lease import Lease, LeaseTimes, readable_holder


class Standing(StrEnum):
    """What a leader may do."""

    LEADING = "leading"
    """Everything."""
    OBSERVING = "observing"
    """Write the index, under the fence; change nothing on an engine, since its Lease may be another's by now."""


@dataclass(frozen=True, slots=True)
class Unreadable:
    """The Lease could not be read; `reason` says why, for people."""

    reason: str = ""


@dataclass(frozen=True, slots=True)
class Renewed:
    """The renewal had succeeded after all; the Lease is valid from the moment it was sent."""

    sent_at: float


@dataclass(frozen=True, slots=True)
class WriteAgain:
    """The Lease is still ours to write, over exactly `over` (None: create it), with our epoch."""

    over: Lease | None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """Somebody else's word stands in the Lease: the term is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing is known: try again; the validity runs out by itself."""

    reason: str


Reaction = Renewed | WriteAgain | Lost | Unknown


class Tenure:
    """What the leader of a term knows of its Lease.

    Args:
        holder: this process's identity, as the Lease names it.
        epoch: the epoch of the term, which the Lease carries as its transitions.
        times: the durations that it goes by.
        sent_at: when the write was sent by which it took the Lease.
    """

    def __init__(self, *, holder: str, epoch: int, times: LeaseTimes, sent_at: float) -> None:
        self._holder = holder
        self._epoch = epoch
        self._times = times
        self._renewed_at = sent_at
        self._sent: Lease | None = None
        self._sent_at = sent_at

    @property
    def renewed_at(self) -> float:
        """When the last renewal was sent that is known to have succeeded."""
        return self._renewed_at

    @property
    def valid_until(self) -> float:
        """When the validity ends: no mutation starts from then on."""
        return self._renewed_at + self._times.renew_deadline

    def valid(self, at: float) -> bool:
        """Whether a mutation may start."""
        return at < self.valid_until

    def left(self, at: float) -> float:
        """Return for how many seconds the Lease is still valid."""
        return max(0.0, self.valid_until - at)

    def state(self, at: float) -> Standing:
        """Return what this leader may do."""
        return Standing.LEADING if self.valid(at) else Standing.OBSERVING

    def sending(self, lease: Lease, *, at: float) -> None:
        """Take in what is about to be written, and when; a text that was sent before counts from then."""
        if self._sent is None or not lease.same_spec(self._sent):
            self._sent, self._sent_at = lease, at

    def renewed(self, *, sent_at: float) -> None:
        """Take in that a renewal succeeded, sent at `sent_at`."""
        self._renewed_at = max(self._renewed_at, sent_at)

    def after_failure(self, found: Lease | Unreadable | None) -> Reaction:
        """Return what to do after a renewal that was refused or not answered, by what was read afterwards.

        A renewal that turns out to have succeeded counts at once (`valid_until`).
        """
        if isinstance(found, Unreadable):
            return Unknown(reason=f"the Lease could not be read: {found.reason or 'no answer'}")
        if found is None:
            return WriteAgain(over=None, reason="the Lease was deleted")
        if self._sent is not None and found.same_spec(self._sent):
            self.renewed(sent_at=self._sent_at)
            return Renewed(sent_at=self._sent_at)
        if self.may_release(found):
            return WriteAgain(over=found, reason="the Lease was changed, but still names this process")
        if not found.holder and found.transitions <= self._epoch:
            return WriteAgain(over=found, reason="the holder of the Lease was taken out")
        return Lost(reason=self._loss(found))

    def may_release(self, found: Lease | None) -> bool:
        """Whether the Lease, freshly read, is this term's to clear: it names this process and its epoch."""
        return found is not None and (found.holder, found.transitions) == (self._holder, self._epoch)

    def _loss(self, found: Lease) -> str:
        epochs = f"with epoch {found.transitions}, and this term has {self._epoch}"
        if not found.holder:
            return f"the Lease was given up {epochs}"
        if found.holder == self._holder:
            return f"the Lease names this process ({readable_holder(self._holder)}) {epochs}"
        return f"{readable_holder(found.holder)} holds the Lease {epochs}"
