"""What the status of a DockerHost says: its conditions Ready and Reachable, both set here and nowhere else.

Both drivers call this after a pass, and before the first one. `WhyUnknown` is also what the workloads of a host say while nobody can vouch
for it (`tinyforge.domain.workload_status`).
"""

from enum import StrEnum

from tinyforge.domain.conditions import Condition
from tinyforge.domain.conditions import ConditionStatus as Status
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.texts import condition, one_word

_READY = "Ready"
_REACHABLE = "Reachable"


class WhyUnknown(StrEnum):
    """Why nobody can say what a host runs (rule T1): the words of the view `container_status`."""

    HOST_UNREACHABLE = "HostUnreachable"
    """The last pass got no usable answer."""
    HOST_SUSPENDED = "HostSuspended"
    """`spec.suspend` is set, so no pass is made."""
    ENGINE_CHANGED = "EngineChanged"
    """Another engine answers under the host's name, and nobody has acknowledged it."""
    HOST_REMOVED = "HostRemoved"
    """The host is no longer declared (rule S5)."""
    NEVER_SEEN = "NeverSeen"
    """No pass has been complete yet."""
    STALE = "Stale"
    """The last complete pass is too long ago: passes are late, or nobody leads."""


class HostReason(StrEnum):
    """Why a condition of a host is as it is, beside `WhyUnknown` and, after a failed pass, the engine adapter's own reasons."""

    PASS_COMPLETE = "PassComplete"  # noqa: S105 - a reason's name, no secret
    """Ready: the last pass listed the host whole, and the index was brought in line."""
    PASS_FAILED = "PassFailed"  # noqa: S105 - a reason's name, no secret
    """Not ready: the last pass failed and gave no reason of its own."""
    ANSWERS = "Answers"
    """Reachable: an engine answered the last pass, if perhaps another one than expected."""
    INVALID_SPEC = "InvalidSpec"
    """Not ready: what is written is unusable, so no pass is made by it."""


def host_conditions(report: PassReport | None, *, suspended: bool) -> tuple[Condition, ...]:
    """Return Ready and Reachable, in this order.

    Args:
        report: the last pass of this term; None if none has ended yet.
        suspended: whether `spec.suspend` is set now, whatever the last pass found.
    """
    if suspended or (report and report.outcome is PassOutcome.SKIPPED):
        message = "spec.suspend is set: no pass is made, and what the host runs is unknown"
        return _both(Status.FALSE, Status.UNKNOWN, WhyUnknown.HOST_SUSPENDED, message)
    if report is None:
        message = "no pass has ended yet since this controller leads"
        return _both(Status.UNKNOWN, Status.UNKNOWN, WhyUnknown.NEVER_SEEN, message)
    if report.outcome is PassOutcome.FAILED:
        return _after_failure(report)
    return (
        condition(_READY, Status.TRUE, HostReason.PASS_COMPLETE, "the last pass was complete: the index is in line with the host"),
        condition(_REACHABLE, Status.TRUE, HostReason.ANSWERS, "the engine answers"),
    )


def unusable_host_conditions(message: str) -> tuple[Condition, ...]:
    """Return the conditions of a host whose spec is unusable; `message` says which field and how it should be."""
    return _both(Status.FALSE, Status.UNKNOWN, HostReason.INVALID_SPEC, message)


def _after_failure(report: PassReport) -> tuple[Condition, ...]:
    reason = one_word(report.reason, otherwise=HostReason.PASS_FAILED)
    message = report.message or "the last pass failed"
    if reason != WhyUnknown.ENGINE_CHANGED:
        return _both(Status.FALSE, Status.FALSE, reason, message)
    return (
        condition(_READY, Status.FALSE, reason, message),
        condition(_REACHABLE, Status.TRUE, HostReason.ANSWERS, "an engine answers, but another one than before"),
    )


def _both(ready: Status, reachable: Status, reason: str, message: str) -> tuple[Condition, ...]:
    return condition(_READY, ready, reason, message), condition(_REACHABLE, reachable, reason, message)
