"""What became of the leaders that were lost in one way, as figures that stand beside each other."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan
from statistics import median

from tests.benchmarks.figures import AtMost, Figure, Section
from tests.benchmarks.leadership.losses import Loss
from tests.benchmarks.leadership.moments import Takeover
from tinyforge.domain.lease import LeaseTimes

CLAIMED = "until the next leader has claimed"
WORKED = "until it has written its first row"
STALE = "stale rows written"
SECONDS = "{:.2f} s"
NONE = "–"
"""How a figure is written that there is none of."""


MEANING = (
    "Time counts from the signal, or from the cut. Claimed: PostgreSQL has the next epoch (Tinyforge), the Lease has another holder "
    "(client-go). First row: a pass under that epoch writes it. Stale rows: committed after another one's claim, in all runs together; "
    "whoever was frozen or cut off came back and ended before they were counted. Tinyforge: three replicas, one host, a pass of it three "
    "times a second. client-go: two kube-schedulers. Both: a lease of {0.duration:g} s, renewed within {0.renew_deadline:g} s, every "
    "{0.retry_period:g} s."
).format(LeaseTimes())


@dataclass(frozen=True, slots=True, kw_only=True)
class Tinyforge:
    """Tinyforge's takeovers, and how many rows were committed after another one's claim, in all runs together."""

    loss: Loss
    takeovers: Sequence[Takeover]
    stale_rows: int

    @property
    def section(self) -> Section:
        """The figures. A claim is known to PostgreSQL."""
        claimed, worked = [it.claimed for it in self.takeovers], [it.worked for it in self.takeovers]
        return Section(
            self.loss.name,
            (
                Figure(f"{CLAIMED}, p50", median(claimed), SECONDS),
                Figure(f"{CLAIMED}, max", max(claimed), SECONDS, self.loss.limit),
                Figure(f"{WORKED}, p50", median(worked), SECONDS),
                Figure(f"{WORKED}, max", max(worked), SECONDS, self.loss.limit),
                Figure(STALE, self.stale_rows, "{:.0f}", AtMost(0, "0")),
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientGo:
    """How long the takeovers of kube-schedulers took, in seconds."""

    loss: Loss
    seconds: Sequence[float]

    @property
    def section(self) -> Section:
        """The figures. A claim is known to the API server, and there are no rows."""
        return Section(
            self.loss.name,
            (
                Figure(f"{CLAIMED}, p50", median(self.seconds), SECONDS),
                Figure(f"{CLAIMED}, max", max(self.seconds), SECONDS),
                *(Figure(name, nan, NONE) for name in (f"{WORKED}, p50", f"{WORKED}, max", STALE)),
            ),
        )
