"""What is known of one object's status: what it should be, what it was seen to be, and when to do something about that.

No I/O and no clock: `StatusWriter` gives it the time, in seconds of its event loop, and does what it says.
"""

from collections.abc import Mapping
from typing import Any

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectRef, ObjectState
from tinyforge.operator.patience import LONGEST, asked_for, delay_after, longest_delay
from tinyforge.operator.status_diff import Leaves, Path, leaves, missing_from, surplus_of

LOOK_SECONDS = 2.0
"""How long a watch may take to tell of a change before the object is read."""

MATTERS_OF_PERMISSION = (401, 403)
"""The HTTP statuses that say nothing of the value: the same may be taken later."""


class StatusRecord:
    """One object's status.

    `wanted` is what the status should be, None if nobody has said so yet. `resource_version` is the newest at which the object was seen. If
    `is_current` is false, the object is known or feared to be another than that, and has to be read or seen anew before it is written to.
    """

    def __init__(self, ref: ObjectRef, *, now: float) -> None:
        self.ref = ref
        self.wanted: Mapping[str, Any] | None = None
        self.resource_version = ""
        self.is_current = False
        self._found: Leaves = {}
        self._expected: Leaves = {}
        self._foreign: frozenset[Path] = frozenset()
        self._matches = False
        self._written: Mapping[str, Any] | None = None
        self._failures = 0
        self._answers: int | None = None  # to anybody, when this one last failed
        self._not_before = 0.0
        self._look_at = now + LOOK_SECONDS
        self._is_refused = False

    def due_at(self) -> float | None:
        """Return when to write (if the record is current) or to read (if not); None if there is nothing to do."""
        if self.wanted is None:
            return None
        if not self.is_current:
            return max(self._look_at, self._not_before)
        return None if self.in_order else self._not_before

    @property
    def in_order(self) -> bool:
        """Whether the status was last seen as it should be."""
        return self.wanted is None or (self.is_current and self._matches)

    def want(self, status: Mapping[str, Any]) -> None:
        """Take a new value; one that was refused is forgotten with its waiting."""
        if status == self.wanted:
            return
        self.wanted = status
        self._expected = leaves(status)
        self._compare()
        if self._is_refused:
            self._not_before = 0.0

    def saw(self, state: ObjectState) -> None:
        """Take what a watch or a list tells, unless something newer is known."""
        if is_newer(state.resource_version, self.resource_version):
            self.read(state)

    def read(self, state: ObjectState) -> None:
        """Take what the object is now, because the API server has just said so."""
        self.resource_version = state.resource_version
        self.is_current = True
        self._found = leaves(state.status)
        self._compare()

    def wrote(self, state: ObjectState, sent: Mapping[str, Any], *, now: float, chance: float) -> None:
        """Take note that `sent` was written, and what the object is since.

        What stands beside `sent` all the same belongs to others. What is written a second time was changed by somebody: if that goes on,
        the pauses grow, so that two programs that disagree do not keep the API server busy.
        """
        quiet = now - self._not_before > LONGEST
        self._failures = 0 if sent is not self._written or quiet else self._failures + 1
        self._not_before = now + (delay_after(self._failures, chance=chance) if self._failures else 0.0)
        self._is_refused = False
        self._written = sent
        said = leaves(sent)
        found = leaves(state.status)
        self._foreign = surplus_of(found, said)
        if sent is self.wanted:
            self._expected = {path: found[path] for path in said if path in found}
        if not self.is_current or is_newer(state.resource_version, self.resource_version):
            self.read(state)
        else:
            self._compare()

    def moved(self, version: str, *, now: float, chance: float) -> None:
        """Take note that the object was not at `version` any more: a watch has told or will tell what it is, or else it is read.

        So it is too if there was no such object: whether that is gone is for the list of all objects to say.
        """
        self._failures += 1
        self._doubt(version, look_at=now + max(LOOK_SECONDS, delay_after(self._failures, chance=chance)))

    def refused(self, error: ClusterRefused, *, now: float, chance: float) -> None:
        """Take note that the server will not have this value: it is for somebody to change something.

        A missing permission may be there soon: in its first moments an API server knows no roles yet, and refuses all with 403 (measured on
        1.34).
        """
        self._failures += 1
        self._is_refused = True
        short = error.status in MATTERS_OF_PERMISSION
        self._not_before = now + (delay_after(self._failures, chance=chance) if short else longest_delay(chance=chance))

    def failed(self, error: ClusterUnavailable, version: str, *, answers: int, now: float, chance: float) -> None:
        """Take note that there was no usable answer; what may have been done at `version` all the same is looked at first.

        `answers` counts those that anybody has had. As long as nobody has any, this is no trouble of this object's own, and it waits no
        longer than after its first failure: when the server may be asked is for `ServerPause` to say.
        """
        if answers != self._answers:
            self._failures += 1
        self._answers = answers
        self._is_refused = False
        self._not_before = now + max(delay_after(self._failures, chance=chance), asked_for(error))
        if error.maybe_done:
            self._doubt(version, look_at=now)

    def _compare(self) -> None:
        surplus = surplus_of(self._found, self._expected) - self._foreign
        self._matches = not surplus and not missing_from(self._found, self._expected)

    def _doubt(self, version: str, *, look_at: float) -> None:
        """Hold what is known for doubtful, unless something newer than `version` was seen meanwhile."""
        if self.resource_version == version:
            self.is_current = False
            self._look_at = look_at


def is_newer(one: str, other: str) -> bool:
    """Whether a resource version is newer than another of the same object.

    They are numbers that grow, which is a promise since Kubernetes 1.35 (KEP-5504) and was so before; a server that counts otherwise is
    taken to tell the newest last.
    """
    if one.isdecimal() and other.isdecimal():
        return int(one) > int(other)
    return one != other
