"""What passes find out, said once.

A warning about a container is given once per container and reason, until that changes; a container of nobody is worth a debug line
only, since anybody with the socket can forge a label (rule M3). A failed pass is said when it begins to fail and when its reason
changes, and so is its end.
"""

import logging

from tinyforge.domain.explanation import explain_displaced, explain_rejection
from tinyforge.domain.index_plan import IndexPlan
from tinyforge.domain.matching import HostView, Outcome, Reason
from tinyforge.domain.passes import PassOutcome, PassReport

logger = logging.getLogger(__name__)


class Findings:
    """What has been said about one host and is still so."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._refused: frozenset[tuple[str, str]] = frozenset()
        self._failing = ""
        self._failures = 0
        self._first = True

    def containers(self, view: HostView, plan: IndexPlan) -> None:
        """Log what is new among the refusals of a plan that was written."""
        warnings = {(it.container.id, it.reason): explain_rejection(it) for it in plan.rejections if it.outcome is Outcome.REFUSED}
        warnings |= {(it.claim.container.id, Reason.DISPLACED): explain_displaced(it) for it in plan.displaced}
        for container, reason in sorted(warnings.keys() - self._refused):
            logger.warning(
                "host %s: container %s gets no row: %s",
                self._host,
                container[:12],
                warnings[container, reason],
                extra={"action": "container_refused", "host": self._host, "container": container, "reason": reason},
            )
        self._refused = frozenset(warnings)
        if logger.isEnabledFor(logging.DEBUG):
            self._debug(plan)
        if self._first and not view.workloads.by_id:
            logger.info(
                "host %s: saw %d containers and manages none, since no workload is declared for it",
                self._host,
                plan.listed,
                extra={"action": "nothing_declared", "host": self._host, "listed": plan.listed},
            )

    def ended(self, report: PassReport) -> None:
        """Log how a pass ended, if that is news."""
        if report.outcome is PassOutcome.FAILED:
            self._failed(report)
        elif report.outcome is not PassOutcome.SKIPPED:
            self._succeeded(report)

    def _failed(self, report: PassReport) -> None:
        self._failures += 1
        if report.reason != self._failing:
            logger.warning(
                "host %s: %s: %s; its containers are unknown until it answers",
                self._host,
                report.reason,
                report.message,
                extra={"action": "pass_failed", "host": self._host, "reason": report.reason},
            )
        self._failing = report.reason

    def _succeeded(self, report: PassReport) -> None:
        if self._failing:
            logger.info(
                "host %s: answers again after %d failed passes",
                self._host,
                self._failures,
                extra={"action": "pass_recovered", "host": self._host, "failures": self._failures},
            )
        if self._first or report.outcome is PassOutcome.CHANGED:
            logger.info(
                "host %s: %d containers listed, %d matched, %d rows written, %d missing",
                self._host,
                report.listed,
                report.matched,
                report.written,
                report.missing,
                extra={
                    "action": "pass_ended",
                    "host": self._host,
                    "outcome": report.outcome,
                    "duration": round(report.duration_seconds, 3),
                },
            )
        self._first, self._failing, self._failures = False, "", 0

    def _debug(self, plan: IndexPlan) -> None:
        for it in plan.rejections:
            if it.outcome is Outcome.IGNORED and it.reason is not Reason.NOT_MANAGED:
                logger.debug(
                    "host %s: container %s is ignored: %s",
                    self._host,
                    it.container.id[:12],
                    explain_rejection(it),
                    extra={"action": "container_ignored", "host": self._host, "container": it.container.id, "reason": it.reason},
                )
