"""A Lease of `coordination.k8s.io`, as the election reads and writes it, and the times that it goes by. Seconds, everywhere."""

from dataclasses import dataclass, replace

from tinyforge.domain.texts import printable

MAX_EPOCH = 2**31 - 2
"""The highest epoch that is claimed: `leaseTransitions`, which carries it, is an int32, and one more must still fit."""

SHORTEST_DURATION = 3.0
"""No leader writes a shorter one: by `LeaseTimes.fault` it is whole seconds, and more than the 2 s in which mutations end."""
LONGEST_DURATION = 3600.0
"""No leader writes a longer one; an hour is the longest time-out that any setting takes."""

_HOLDER_LENGTH = 128
"""As much of a holder as a sentence takes; ours are at most 36 + 1 + 32 characters, but a Lease takes any text."""
_MUTATIONS_END_SECONDS = 2.0
"""How long what changes an engine may take to stop once the validity is over; then the watchdog ends the process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseTimes:
    """How long a Lease is worth something. The defaults are those of client-go.

    Args:
        duration: for how long a standby takes an unchanged Lease for held, whole seconds, since a Lease says it as an integer.
        renew_deadline: for how long after the sending of its last renewal a leader changes anything on an engine.
        retry_period: how often the leader renews, and a standby without a watch looks.
        request_timeout: how long one request about the Lease may take.
    """

    duration: float = 15.0
    renew_deadline: float = 10.0
    retry_period: float = 2.0
    request_timeout: float = 3.0

    @property
    def fault(self) -> str:
        """What is wrong with these times together, in a sentence; empty if nothing is (invariant I7 of the election)."""
        if not all(time > 0 for time in (self.duration, self.renew_deadline, self.retry_period, self.request_timeout)):
            return "every time of the Lease must be longer than 0 s"
        if not self.duration <= LONGEST_DURATION:
            return f"the lease duration must be at most {LONGEST_DURATION:g} s, not {self.duration:g} s: nobody takes it for held longer"
        if self.duration != int(self.duration):
            return f"the lease duration must be whole seconds, not {self.duration:g} s: a Lease holds an integer"
        return self._too_short_a_duration or self._too_short_a_deadline

    @property
    def survived_outage(self) -> float:
        """For how long the API server may be away, at the worst moment, without the leader's validity running out.

        At the worst moment a renewal was about to be sent, and a request that was lost still hangs when the server is back. So it is also
        the validity that is left at the least while every renewal is answered.
        """
        return self.renew_deadline - self.retry_period - self.request_timeout

    @property
    def _too_short_a_duration(self) -> str:
        parts = (self.renew_deadline, self.request_timeout, _MUTATIONS_END_SECONDS)
        if self.duration >= sum(parts):
            return ""
        return (
            f"the lease duration must be at least renew deadline + request timeout + {_MUTATIONS_END_SECONDS:g} s = {_sum(*parts)}, "
            f"not {self.duration:g} s: else the next leader may act while this one still does"
        )

    @property
    def _too_short_a_deadline(self) -> str:
        if self.survived_outage > 0:
            return ""
        return (
            f"the renew deadline must be longer than retry period + request timeout = {_sum(self.retry_period, self.request_timeout)}, "
            f"not {self.renew_deadline:g} s: else one slow answer ends the validity"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A Lease as it was read, or (with an empty `resource_version`) as it is to be written.

    `duration` is in seconds; `transitions` carries the epoch. `acquired_at` and `renewed_at` are RFC 3339 texts for people, empty if
    absent: clocks of other machines decide nothing. All the same each renewal must write another `renewed_at`: it is the change that
    standbys wait for, and an API server keeps nothing of a write that changes nothing.
    """

    holder: str
    duration: float
    transitions: int
    acquired_at: str = ""
    renewed_at: str = ""
    resource_version: str = ""

    def same_spec(self, other: "Lease") -> bool:
        """Whether both say the same, whatever their resource versions."""
        return replace(self, resource_version="") == replace(other, resource_version="")

    def believed_duration(self, *, own: float) -> float:
        """Return for how many seconds this Lease is taken for held without a change.

        That is what it says, since another release may go by other times; but anybody may have written it. What is longer than any leader
        writes is cut, and for what is shorter the `own` duration counts: waiting longer is only slower.
        """
        if not self.duration >= SHORTEST_DURATION:
            return own
        return min(self.duration, LONGEST_DURATION)


def readable_holder(holder: str) -> str:
    """Return a holder as it may stand in a sentence: whoever may write a Lease may write anything into it."""
    return printable(holder, _HOLDER_LENGTH)


def _sum(*parts: float) -> str:
    return f"{' + '.join(f'{part:g}' for part in parts)} = {sum(parts):g} s"
