"""Passes as people see them: how often, why, and what one found."""

from dataclasses import dataclass
from enum import StrEnum

from tinyforge.domain.hosts import EngineIdentity

DEFAULT_INTERVAL = 30.0
LONGEST_INTERVAL = 300.0


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


@dataclass(frozen=True, slots=True, kw_only=True)
class PassReport:
    """What one pass found.

    `reason` is a stable word that says why it failed or was skipped, `message` the sentence behind it; both are empty otherwise.
    listed = matched + ignored; `written` counts rows inserted or updated, `missing` those of them that this pass turned missing;
    `duration_seconds` runs from sending the list to the commit. `changed_workloads` are those with a row among the changes; `engine` is who
    answered, as far as it was ever asked.
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


def effective_interval(seconds: float) -> float:
    """Return the interval that a setting of `seconds` means (rule P2): a typing mistake must not switch truth off."""
    if not seconds > 0:  # not a number, too
        return DEFAULT_INTERVAL
    return min(seconds, LONGEST_INTERVAL)


def stale_after(interval: float) -> float:
    """Return for how many seconds a complete pass speaks: three intervals, at least two minutes (design: `hosts.stale_after`)."""
    return max(3 * interval, 120.0)
