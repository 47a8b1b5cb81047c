"""A standby as the tests tell its story: what it reads and sees, second by second, and what it decides."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Self

from tinyforge.domain.candidacy import Campaign, Candidacy, Wait
from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import Lease, LeaseTimes

ME = "pod-2/cd34"
LEADER = "pod-1/ab12"
OTHER = "pod-3/ef56"

HELD = Lease(holder=LEADER, duration=15, transitions=7, acquired_at="10:00", renewed_at="10:05", resource_version="41")
FREE = replace(HELD, holder="")

BEATING = "beating"
"""Sessions whose last statement began at another time at each look."""
LEADS = LeadersLook(epoch=7, holder=LEADER, session="tinyforge/ab", driver="operator", lease="uid/tinyforge", server_up=1000.0)
NOBODY_LEADS = replace(LEADS, holder="", session="")


class Standby:
    """A standby with a clock that the story moves: it looks at PostgreSQL every half second, and reads the Lease every so often.

    Args:
        lease: the Lease as it is at the beginning, which the standby reads at once.
        leaders: the row of `leaders` at the beginning.
        sessions: those of the leader.
        times: its durations.
    """

    def __init__(
        self,
        *,
        lease: Lease | None = HELD,
        leaders: LeadersLook = LEADS,
        sessions: Mapping[int, str | None] | str = BEATING,
        times: LeaseTimes | None = None,
    ) -> None:
        self.candidacy = Candidacy(holder=ME, times=times or LeaseTimes(), started_at=1000.0)
        self.now = 1000.0
        self.leaders = leaders
        self.sessions = sessions
        self.reads(lease)
        self.looks()

    def reads(self, lease: Lease | None) -> Self:
        """Read the Lease, which is like this from now on."""
        self.lease = lease
        self.candidacy.saw(lease, at=self.now)
        return self

    def looks(self) -> Self:
        beating = {1: f"{self.now}", 2: "idle"}
        sessions = beating if isinstance(self.sessions, str) else self.sessions
        self.candidacy.looked(replace(self.leaders, sessions=sessions), at=self.now)
        return self

    def sees(self, sessions: Mapping[int, str | None] | str, seconds: float) -> Self:
        """Let time pass in which the leader's sessions are these."""
        self.sessions = sessions
        return self.goes_on(seconds)

    def goes_on(self, seconds: float, *, every: float | None = 2.0) -> Self:
        """Let time pass in half seconds, with a look at each, and a read of the Lease `every` so many seconds; None: no read."""
        for step in range(1, round(seconds * 2) + 1):
            self.now += 0.5
            self.looks()
            if every and step % round(every * 2) == 0:
                self.reads(self.lease)
        return self

    def waits(self) -> Wait:
        decision = self.candidacy.decide(at=self.now)
        assert isinstance(decision, Wait), decision
        return decision

    def campaigns(self) -> Campaign:
        decision = self.candidacy.decide(at=self.now)
        assert isinstance(decision, Campaign), decision
        return decision
