"""Dispatches as people see them: why one runs, how it ended, and when the next try is due (rules D1 to D3)."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from tinyforge.domain.traces import Traceparent

LONGEST_BACK_OFF = 300.0
TRACE_HEARTBEAT = 600.0
"""How many seconds lie between the traces of dispatches that find nothing new, where only a heartbeat of them is kept (design: Traces)."""


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
    `trace` is where it was recorded; None if it left no trace.
    """

    outcome: DispatchOutcome
    reason: str = ""
    message: str = ""
    retry_after: float | None = None
    trace: Traceparent | None = None

    @property
    def trace_id(self) -> str:
        """The id of its trace, empty if it left none."""
        return self.trace.trace_id if self.trace else ""

    @property
    def failed(self) -> bool:
        """Whether it failed."""
        return self.outcome is DispatchOutcome.FAILED

    @property
    def hopeless(self) -> bool:
        """Whether trying again is no use until something changes."""
        return self.failed and self.retry_after is None


def _never(_: DispatchReport) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """What is known about a dispatch before it begins: the ones before it, and what comes after it.

    `number` counts the attempts since the last one that did not fail, from 1. `before` is how the last dispatch ended, `untraced_for` how
    many seconds ago one left a trace for the last time. `rest` returns in how many seconds a failed one is tried again at the earliest, or
    None if that is not planned.
    """

    number: int = 1
    before: DispatchReport | None = None
    untraced_for: float = math.inf
    rest: Callable[[DispatchReport], float | None] = _never

    def retry_in(self, report: DispatchReport) -> float | None:
        """Return in how many seconds it is tried again at the earliest, after it ended so; None if it is not."""
        return self.rest(report) if report.failed and not report.hopeless else None


class TraceUnchanged(StrEnum):
    """Which dispatches leave a trace though they found nothing new."""

    ALL = "all"
    HEARTBEAT = "heartbeat"
    NONE = "none"

    def keeps(self, report: DispatchReport, reason: DispatchReason, attempt: Attempt) -> bool:
        """Decide whether a dispatch leaves a trace: always, but for one by the timer that found all unchanged, as the one before it did."""
        unchanged = DispatchOutcome.UNCHANGED
        is_news = reason is not DispatchReason.TIMER or report.outcome is not unchanged
        if is_news or attempt.before is None or attempt.before.outcome is not unchanged:
            return True
        return self is TraceUnchanged.ALL or (self is TraceUnchanged.HEARTBEAT and attempt.untraced_for >= TRACE_HEARTBEAT)


def back_off(failures: int, *, interval: float, asked_for: float) -> float:
    """Return for how many seconds a workload's timer leaves it alone after so many failures in a row.

    The first failure costs nothing beyond the interval; each further one doubles that, up to 5 minutes (or the interval, if that is
    longer). What the source asked for is kept to, within the same bound.
    """
    longest = max(LONGEST_BACK_OFF, interval)
    doubled = interval * 2.0 ** min(max(failures - 1, 0), 32)
    return min(max(doubled, asked_for), longest)
