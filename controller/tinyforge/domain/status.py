"""How many of a workload's containers are what, for people."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The counted containers of a workload by their effective state (design: `Workload.status.containers`)."""

    total: int
    running: int
    stopped: int
    missing: int
    unknown: int
    other: int

    @property
    def summary(self) -> str:
        """`2/3 running`; a workload without containers says so."""
        return f"{self.running}/{self.total} running" if self.total else "no containers"


def count(states: Iterable[str]) -> Counts:
    """Count effective states."""
    every = list(states)
    named = {name: every.count(name) for name in ("running", "stopped", "missing", "unknown")}
    return Counts(total=len(every), other=len(every) - sum(named.values()), **named)
