"""Intents: what a leader says it is about to change on an engine, before it does, so that whoever leads next knows what may still happen.

A lease cannot keep a deposed leader's request from reaching an engine. So each change is one bounded call behind an intent that was
committed under the fence: an effect that comes late is one that the next leader knows of, waits for, and is surprised by nowhere
(leadership: I4, I5). These are the decisions around it; `tinyforge.reconcile.mutations` acts on them. Seconds, everywhere.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

EPOCH_LABEL = "tinyforge.epoch"
"""The label that carries the epoch of an intent on whatever is created under it."""

ENDING_SECONDS = 2.0
"""From the moment at which a call is told to end to its intent's deadline. At the deadline it has ended, or the watchdog ends the process.

The same time as between the end of a leader's validity and the watchdog's end of it (leadership: "mutating tasks").
It also covers by how much two clocks may part meanwhile: NTP corrects by 500 ppm at most, that is 0.3 s in the longest call.
"""

LONGEST_SECONDS = 600.0
"""The longest that one call may take: for as long the next leader may have to leave a host alone."""

_LONGEST_OBJECT = 255
"""Bytes, as the table has it; Docker's own names are shorter."""


class IntentOutcome(StrEnum):
    """How an intent was closed."""

    DONE = "done"
    FAILED = "failed"
    SUPERSEDED = "superseded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """One change of one engine, committed before it is begun.

    `object` is the name of what is changed, the same for the same thing in every term; `action` says in a word what is done to it.
    `deadline` is by PostgreSQL's clock, for people and the next leader: whoever carries it out goes by a clock of its own.
    """

    id: int
    epoch: int
    host: str
    object: str
    action: str
    deadline: datetime

    def __str__(self) -> str:
        return f"{self.action} {self.object} on {self.host} (intent {self.id} of epoch {self.epoch})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """An intent that may still have its effect: for `left` seconds from when this was found out, unless its effect is seen before."""

    intent: Intent
    left: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An intent that can have no effect any more that is not there already, and why that is so."""

    intent: Intent
    reason: str


def intent_fault(*, object: str, seconds: float) -> str:  # noqa: A002 - the column's name
    """Return why there can be no such intent, in a sentence; empty if there can."""
    if not object or not object.isprintable() or len(object.encode(errors="replace")) > _LONGEST_OBJECT:
        return f"the object of a change must be a printable name of 1 to {_LONGEST_OBJECT} bytes, not {object[:64]!r}"
    if not 0 < seconds <= LONGEST_SECONDS:
        return f"a change must be given more than 0 and at most {LONGEST_SECONDS:g} s, not {seconds:g} s; cut it into shorter calls"
    return ""


def validity_fault(*, left: float, seconds: float, steady: float) -> str:
    """Return why a call that may take so many seconds is not to begin with this validity, in a sentence; empty if it is.

    The validity has to cover the call and its ending, so that no call is cut off for want of a renewal. A call that is longer than any
    validity can never be covered: it begins while renewals are answered, and is cut off if they no longer are.

    Args:
        left: the validity that is left.
        seconds: how long the call may take from now on.
        steady: the validity that is left at the least as long as every renewal is answered; infinite without a Lease.
    """
    needed = min(seconds + ENDING_SECONDS, steady)
    if left >= needed:
        return ""
    return (
        "the Lease could not be renewed: nothing is changed until it is "
        f"(its validity is {max(left, 0.0):.1f} s more, and this needs {needed:.1f} s)"
    )


def settled(unsettled: Iterable[Unsettled], *, waited: float, seen: Collection[int]) -> tuple[Settled, ...]:
    """Tell which intents of earlier terms are settled.

    Args:
        unsettled: the intents as they were read.
        waited: how many seconds ago the answer to that reading was there, by this process's own clock.
        seen: the ids of those whose effect a full list shows that was taken after the reading.
    """
    return tuple(Settled(intent=it.intent, reason=reason) for it in unsettled if (reason := _settled_by(it, waited=waited, seen=seen)))


def _settled_by(unsettled: Unsettled, *, waited: float, seen: Collection[int]) -> str:
    if unsettled.intent.id in seen:
        return "its effect was seen in a full list"
    if waited >= unsettled.left:
        return "its deadline is past"
    return ""
