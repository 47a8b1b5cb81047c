"""The ways in which a leader is lost, and within what time the next one is to work."""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from tests.benchmarks.figures import AtMost


class Leader(Protocol):
    """Whoever leads: a process on a node."""

    def signal(self, number: signal.Signals, /) -> None:
        """Send the process a signal."""

    def cut(self) -> None:
        """Cut its node off from everything."""

    def mend(self) -> None:
        """Give its node everything back."""


def _stays(_: Leader) -> None:
    """It has ended: nothing is to be undone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loss:
    """One way: what befalls a leader, and how it is over, so that a leader which lived through it learns that it was deposed.

    `limit` is Tinyforge's bound for the longest time until the next leader writes; `cables` says whether the nodes need some to be cut.
    """

    name: str
    limit: AtMost
    befalls: Callable[[Leader], None]
    is_over: Callable[[Leader], None] = _stays
    cables: bool = False


PLANNED = Loss(name="Planned handover (SIGTERM)", limit=AtMost(0.2, "≤ 0.2 s"), befalls=lambda leader: leader.signal(signal.SIGTERM))
KILLED = Loss(name="Killed process (SIGKILL)", limit=AtMost(1, "≤ 1 s"), befalls=lambda leader: leader.signal(signal.SIGKILL))
FROZEN = Loss(
    name="Frozen process (SIGSTOP)",
    limit=AtMost(8, "≤ 8 s"),
    befalls=lambda leader: leader.signal(signal.SIGSTOP),
    is_over=lambda leader: leader.signal(signal.SIGCONT),
)
CUT_OFF = Loss(
    name="Node cut off from all servers",
    limit=AtMost(8, "≤ 8 s"),
    befalls=lambda leader: leader.cut(),
    is_over=lambda leader: leader.mend(),
    cables=True,
)
LOSSES = (PLANNED, KILLED, FROZEN, CUT_OFF)
