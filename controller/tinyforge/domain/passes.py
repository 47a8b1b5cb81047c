"""Passes as people see them: how often, why, what one found, and which of them leave a trace."""

from dataclasses import dataclass
from enum import StrEnum

from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.traces import Traceparent

DEFAULT_INTERVAL = 30.0
LONGEST_INTERVAL = 300.0
SLOW_SECONDS = 1.0
"""A pass that takes longer leaves a trace, so that somebody can see what took it so long; a steady one takes a tenth."""
HEARTBEAT_SECONDS = 600.0
"""After so long without a trace of a host the next pass leaves one, whatever it found (design: "one heartbeat per host per 10 min")."""


class PassReason(StrEnum):
    """Why a pass runs."""

    BOOT = "boot"
    TIMER = "timer"
    SYNC = "sync"
    SPEC = "spec"


class PassOutcome(StrEnum):
    """How a pass ended."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    SKIPPED = "skipped"


class Kept(StrEnum):
    """Why a pass leaves a trace: the first of these that holds."""

    FIRST = "first"
    """It is the first that its host leaves since somebody began to look after it."""
    CHANGED = "changed"
    """It wrote rows."""
    FAILED = "failed"
    """It could say nothing of the containers. Each is kept: at the default interval a host that is away leaves two a minute."""
    FORCED = "forced"
    """Something else than its timer asked for it."""
    SLOW = "slow"
    """It took longer than `SLOW_SECONDS`."""
    HEARTBEAT = "heartbeat"
    """None was kept for `HEARTBEAT_SECONDS`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """What one pass found.

    `reason` is a stable word that says why it failed or was skipped, `message` the sentence behind it; both are empty otherwise.
    listed = matched + ignored; `written` counts rows inserted or updated, `missing` those of them that this pass turned missing;
    `duration_seconds` runs from sending the list to the commit. `changed_workloads` are those with a row among the changes; `engine` is who
    answered, as far as it was ever asked; `trace` is the root of the trace that it left, if it left one; `asked_by` is why it ran.
    """

    host: str
    outcome: PassOutcome
    reason: str = ""
    message: str = ""
    listed: int = 0
    matched: int = 0
    ignored: int = 0
    written: int = 0
    missing: int = 0
    duration_seconds: float = 0.0
    changed_workloads: frozenset[str] = frozenset()
    engine: EngineIdentity | None = None
    trace: Traceparent | None = None
    asked_by: PassReason = PassReason.TIMER

    @property
    def trace_id(self) -> str:
        """The id of its trace; empty if it left none."""
        return self.trace.trace_id if self.trace else ""


def why_kept(outcome: PassOutcome, reason: PassReason, *, seconds: float, since_kept: float | None, repeats: bool = False) -> Kept | None:
    """Return why a pass leaves a trace, or None: then it found nothing that the traces before it do not tell.

    A skipped pass leaves none, since none was made.

    Args:
        outcome: how it ended.
        reason: why it ran.
        seconds: how long it took, all in all.
        since_kept: how many seconds before its end the last one that left a trace ended; None if none has yet.
        repeats: whether it could not be written down, and neither could the one before it, for the same cause. PostgreSQL is away then, and
            every host is tried again every 2 s: of such a row only the first counts as news, and heartbeats follow.
    """
    holds = {
        Kept.FIRST: since_kept is None,
        Kept.CHANGED: outcome is PassOutcome.CHANGED,
        Kept.FAILED: outcome is PassOutcome.FAILED and not repeats,
        Kept.FORCED: reason is not PassReason.TIMER and not repeats,
        Kept.SLOW: seconds > SLOW_SECONDS and not repeats,
        Kept.HEARTBEAT: since_kept is not None and since_kept >= HEARTBEAT_SECONDS,
    }
    return next(filter(holds.__getitem__, holds), None) if outcome is not PassOutcome.SKIPPED else None


def effective_interval(seconds: float) -> float:
    """Return the interval that a setting of `seconds` means (rule P2): a typing mistake must not switch truth off."""
    if not seconds > 0:  # not a number, too
        return DEFAULT_INTERVAL
    return min(seconds, LONGEST_INTERVAL)


def stale_after(interval: float) -> float:
    """Return for how many seconds a complete pass speaks: three intervals, at least two minutes (design: `hosts.stale_after`)."""
    return max(3 * interval, 120.0)
