"""Dispatches as people see them: why one runs, how it ended, and when the next try is due (rules D1 to D3)."""

from dataclasses import dataclass
from enum import StrEnum

LONGEST_BACK_OFF = 300.0


class DispatchReason(StrEnum):
    """Why a workload is dispatched."""

    BOOT = "boot"
    TIMER = "timer"
    PASS = "pass"  # noqa: S105 - a pass changed one of its rows
    SPEC = "spec"
    DEPLOY = "deploy"


class DispatchOutcome(StrEnum):
    """How a dispatch ended."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchReport:
    """How one dispatch ended.

    `reason` is a stable word that says why, `message` the sentence behind it; both may be empty unless it failed or was skipped.
    `retry_after` is in how many seconds it may be tried again at the earliest; None for a failure means that only a change can help.
    `trace_id` is empty if it left no trace.
    """

    outcome: DispatchOutcome
    reason: str = ""
    message: str = ""
    retry_after: float | None = None
    trace_id: str = ""

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.outcome is DispatchOutcome.FAILED

    @property
    def hopeless(self) -> bool:
        """Whether trying again is no use until something changes."""
        return self.failed and self.retry_after is None


def back_off(failures: int, *, interval: float, asked_for: float) -> float:
    """Return for how many seconds a workload's timer leaves it alone after so many failures in a row.

    The first failure costs nothing beyond the interval; each further one doubles that, up to 5 minutes (or the interval, if that is
    longer). What the source asked for is kept to, within the same bound.
    """
    longest = max(LONGEST_BACK_OFF, interval)
    doubled = interval * 2.0 ** min(max(failures - 1, 0), 32)
    return min(max(doubled, asked_for), longest)
