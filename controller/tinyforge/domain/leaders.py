"""What PostgreSQL tells a replica of whoever leads, look by look, and whether the leader still gives signs of life.

A presence (`tinyforge.index.presence`) takes a look four times a second; a `Candidacy` keeps the signs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

_APART_SECONDS = 0.45
"""Two looks 500 ms apart must both find the leader dead; a loop's turn comes a moment early."""
_FROZEN_SECONDS = 5.0
"""For how long no session of a leader's may have moved: ten of its heartbeats."""
_UP_SECONDS = 5.0
"""More than this long our own session and the server must be up: a restart of either must not depose a leader that is connecting again."""
_PAUSE_SECONDS = 2.0
"""A longer pause between two looks, and nobody knows what was missed: four looks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadersLook:
    """The row of `tinyforge.leaders`, and whether its holder gives signs of life, as one statement saw them.

    Args:
        epoch, holder, session, driver, lease, claimed_at: the row; an empty holder means that nobody leads.
        primary: whether the server can be written to.
        server_up: how many seconds ago the server started, by its own clock.
        sessions: for each session named `session`, by its pid, when its last statement began, as a text to compare and nothing else; None
            if this role may not see it.
    """

    epoch: int
    holder: str
    session: str
    driver: str
    lease: str
    claimed_at: datetime | None = None
    primary: bool = True
    server_up: float
    sessions: Mapping[int, str | None] = field(default_factory=dict)

    def same_claim(self, other: "LeadersLook") -> bool:
        """Whether both saw one and the same claim."""
        return (self.epoch, self.holder, self.session) == (other.epoch, other.holder, other.session)

    def moved_since(self, before: "LeadersLook") -> bool:
        """Whether a session of the leader's did anything since, or may have; one that only went away did not."""
        return any(began is None or began != before.sessions.get(pid) for pid, began in self.sessions.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class SignsOfLife:
    """What an unbroken row of looks through one session at a writable primary says about a leader. Times are this replica's clock.

    Args:
        look, at: the last look, and when it was taken.
        up_since: since when the session through which the looks go is known to be up.
        quiet_since: since when no session of the leader's moved.
        dead_since: when the first of those looks was taken that, without a break, found the leader dead; None if the last did not.
    """

    look: LeadersLook
    at: float
    up_since: float
    quiet_since: float
    dead_since: float | None

    @classmethod
    def first(cls, look: LeadersLook, *, at: float) -> Self:
        """Return what the first look through a session says."""
        return cls(look=look, at=at, up_since=at, quiet_since=at, dead_since=None if look.sessions else at)

    def then(self, look: LeadersLook, *, at: float) -> "SignsOfLife":
        """Return what is known after one more look; another claim, or a pause between the looks, begins the row anew."""
        if at - self.at > _PAUSE_SECONDS or not look.same_claim(self.look):
            return replace(SignsOfLife.first(look, at=at), up_since=self.up_since)
        quiet_since = at if look.moved_since(self.look) else self.quiet_since
        dead = not look.sessions or at - quiet_since >= _FROZEN_SECONDS
        since = at if self.dead_since is None else self.dead_since
        return replace(self, look=look, at=at, quiet_since=quiet_since, dead_since=since if dead else None)

    def doubted(self) -> "SignsOfLife":
        """Return the same without the looks that found the leader dead, so that two more are needed."""
        return replace(self, dead_since=None)

    def death(self, *, at: float) -> str:
        """Return how the leader is known to be dead, frozen or cut off, as a sentence goes on behind its name; empty if it is not known."""
        return self._found(at=at) if self._up(at=at) > _UP_SECONDS else ""

    def doubt(self, *, at: float) -> str:
        """Return why a leader that looks dead does not count as dead yet, as `death` does; empty if it does not look dead."""
        found, up = self._found(at=at), self._up(at=at)
        return f"{found}, which proves nothing: our session or the server was up for {up:.1f} s only" if found and up <= _UP_SECONDS else ""

    def _up(self, *, at: float) -> float:
        return min(at - self.up_since, self.look.server_up)

    def _found(self, *, at: float) -> str:
        if self.dead_since is None or self.at - self.dead_since < _APART_SECONDS or at - self.at > _PAUSE_SECONDS:
            return ""
        if not self.look.sessions:
            return f"has had no session in PostgreSQL for {at - self.dead_since:.1f} s"
        return f"has given no sign of life in PostgreSQL for {at - self.quiet_since:.1f} s"
