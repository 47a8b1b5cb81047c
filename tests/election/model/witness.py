"""Who watches over the invariants of leadership.md: told of every commit, write of the Lease and effect at the moment it happens.

What it knows is the world's, not any replica's. I1, I2, I3 and I7 are about the surviving history of PostgreSQL: what a failover
lost was never there. I4 and I5 hold where no failover lost a commit (a synchronous standby), so a witness of a loss stops looking at them.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import Enum


class Violation(AssertionError):
    """Something happened that must never happen."""


class I1(Violation):
    """A row of epoch e was committed after the claim of an e' > e."""


class I2(Violation):
    """The epoch of `leaders` fell."""


class I3(Violation):
    """Two claimed terms share an epoch."""


class I4(Violation):
    """A Docker mutation without a committed intent of its epoch."""


class I5(Violation):
    """An old leader's effect after a claim that is not in the intents committed before it."""


class I6(Violation):
    """A Lease was cleared by somebody whose it is not."""


class I7(Violation):
    """What a leader that ran on did takes effect while another leads who should have waited for it."""


class Taken(Enum):
    """How somebody came to the Lease."""

    FREE = "nobody held it, or somebody edited it"
    EXPIRED = "it was held, and had not changed for its duration"
    SOONER = "it was held, and somebody else's signs of life were missed in PostgreSQL"


@dataclass(frozen=True)
class LeadersRow:
    """The row of `tinyforge.leaders`."""

    epoch: int = 0
    holder: str = ""
    session: str = ""


@dataclass(frozen=True)
class IntentRow:
    """A row of `tinyforge.intents`; `version` is the commit that brought it."""

    epoch: int
    deadline: float
    version: int
    open: bool = True


@dataclass(frozen=True)
class State:
    """What is committed. `claims` is no table: who claimed which epoch, and by which commit."""

    leaders: LeadersRow = LeadersRow()
    intents: Mapping[int, IntentRow] = field(default_factory=dict)
    claims: Mapping[int, tuple[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Effect:
    """What reached a Docker Engine, and by which intent.

    `steady`: its sender was not paused between its last look at the clock and sending it. `prompt`: it took no longer than a request may.
    `in_touch`: its sender still runs, and has given signs of life in PostgreSQL all the time.
    """

    epoch: int
    intent: int
    steady: bool
    prompt: bool
    in_touch: bool

    def late_under(self, taken: Taken | None) -> bool:
        """Whether this must not be under somebody who came to the Lease like that; None: not at all."""
        waited_for = self.in_touch if taken is Taken.SOONER else taken is not Taken.FREE
        return self.steady and self.prompt and waited_for


@dataclass
class Witness:
    """Raises a Violation when it sees one.

    `returned` is the highest epoch whose holder did something over a connection of its pool that was opened after the last failover.
    `taken` says of each epoch how its holder came to the Lease. `led` are the epochs whose holder began to lead.
    """

    returned: int = 0
    lossless: bool = True
    taken: dict[int, Taken] = field(default_factory=dict)
    led: set[int] = field(default_factory=set)

    def committed(self, before: State, after: State, *, epochs: Collection[int]) -> None:
        """See a commit, with the epochs that its rows are of."""
        for epoch in epochs:
            if epoch < max(before.leaders.epoch, self.returned):
                raise I1(f"a row of epoch {epoch} was committed while {before.leaders} led and epoch {self.returned} had returned")
        if after.leaders.epoch < before.leaders.epoch:
            raise I2(f"the epoch fell from {before.leaders} to {after.leaders}")
        for epoch in before.claims.keys() & after.claims.keys():
            if before.claims[epoch][0] != after.claims[epoch][0]:
                raise I3(f"{before.claims[epoch]} and {after.claims[epoch]} claimed epoch {epoch}")

    def failed_over(self, *, lost: int) -> None:
        """See a failover; the holder of a claim that it lost may come back."""
        self.returned = 0
        self.lossless = self.lossless and lost == 0

    def used_its_pool(self, epoch: int) -> None:
        """See a leader's work done by a connection of its pool: it has returned."""
        self.returned = max(self.returned, epoch)

    def edited(self) -> None:
        """See somebody edit or delete the Lease by hand: two may hold it in turn now, and intents alone tell the later one of the other."""
        self.taken = dict.fromkeys(self.taken, Taken.FREE)

    def leads(self, epoch: int) -> None:
        """See somebody who has claimed an epoch begin to act by it; who comes too late for that ends without (step 5 of a campaign)."""
        self.led.add(epoch)

    def cleared(self, holder: str, epoch: int, *, by: tuple[str, int]) -> None:
        """See the Lease of `holder` written without one."""
        if (holder, epoch) != by:
            raise I6(f"{by} cleared the Lease of {(holder, epoch)}")

    def took_effect(self, state: State, effect: Effect) -> None:
        """See a mutation happen, with what is committed then."""
        if self.lossless:
            _refuse_without_intent(state, effect)
        later = min((epoch for epoch in state.claims if epoch in self.led and epoch > effect.epoch), default=None)
        if later is not None and effect.late_under(self.taken.get(later)):
            raise I7(f"{effect} took effect under {state.leaders}, who has the Lease {self.taken.get(later)}")


def _refuse_without_intent(state: State, effect: Effect) -> None:
    intent = state.intents.get(effect.intent)
    if intent is None or intent.epoch != effect.epoch:
        raise I4(f"{effect} has no committed intent")
    later = min((epoch for epoch in state.claims if epoch > effect.epoch), default=None)
    if later is not None and intent.version > state.claims[later][1]:
        raise I5(f"{effect} has an intent that was committed after the claim of epoch {later}")
