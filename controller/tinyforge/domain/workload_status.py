"""What the status of a Workload says: its counts, and its conditions Ready, Reconciling and Stalled, all set here and nowhere else.

Both drivers call this after a pass of the workload's host and after a dispatch of it. Ready says whether it is as it should be; Reconciling
and Stalled are true when something is not normal, as kstatus reads them: it is being tried again, or it waits for a person.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import groupby
from operator import itemgetter

from tinyforge.domain.conditions import Condition
from tinyforge.domain.conditions import ConditionStatus as Status
from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.host_status import WhyUnknown
from tinyforge.domain.texts import condition, one_word, printable

_READY = "Ready"
_RECONCILING = "Reconciling"
_STALLED = "Stalled"

_NAMED = 8  # containers that a message names before it counts the rest
_NAME_LENGTH = 64  # characters: eight names and eight states of this length fit into a message with room to spare
_STATE_LENGTH = 32

_WHY: Mapping[str, str] = {
    WhyUnknown.HOST_UNREACHABLE: "does not answer",
    WhyUnknown.HOST_SUSPENDED: "is suspended",
    WhyUnknown.ENGINE_CHANGED: "is another engine than before",
    WhyUnknown.HOST_REMOVED: "is no longer declared",
    WhyUnknown.NEVER_SEEN: "was never seen",
    WhyUnknown.STALE: "was not seen for too long",
}


class WorkloadReason(StrEnum):
    """Why a condition of a workload is as it is.

    Beside these stand `WhyUnknown`, the reasons of a refusal (`tinyforge.domain.mirror.RefusalReason`) and those of the sources.
    """

    RUNNING = "Running"
    """Ready: there are containers, and all of them run."""
    NOT_RUNNING = "NotRunning"
    """Not ready: some containers do not run."""
    NO_CONTAINERS = "NoContainers"
    """Not ready: no container belongs to it."""
    DISPATCH_FAILED = "DispatchFailed"
    """Not ready, or stalled: the last dispatch failed, and its source gave no usable reason."""
    INVALID_SPEC = "InvalidSpec"
    """Not ready, and stalled: what is written is unusable."""
    RETRYING = "Retrying"
    """Reconciling: the last dispatch failed, and is tried again."""
    SUSPENDED = "Suspended"
    """Not reconciling: `spec.suspend` is set, so there are no dispatches."""
    IDLE = "Idle"
    """Not reconciling: nothing is being tried again."""
    NOT_STALLED = "NotStalled"
    """Not stalled: nothing waits for a person to change the spec."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """A workload's host, as the index knows it now.

    `why_unknown` is one of `WhyUnknown`, or empty if the host can be vouched for; `message` is the sentence that its last failed pass left,
    if any; `as_of` is the time of its last complete pass, None if there was none.
    """

    name: str
    why_unknown: str
    message: str
    as_of: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedContainer:
    """A container that counts for its workload: its row's id, its role, and its effective state as `container_status` says it."""

    row: str
    role: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadFacts:
    """An accepted workload. `dispatch` is the last one; None if it has had none yet, or is not dispatched at all."""

    host: HostFacts
    containers: tuple[CountedContainer, ...]
    suspended: bool
    dispatch: DispatchReport | None


def workload_conditions(facts: WorkloadFacts) -> tuple[Condition, ...]:
    """Return Ready, Reconciling and Stalled of an accepted workload, in this order."""
    failed = None if facts.suspended else _failed(facts.dispatch)
    ready = _unless_known(facts.host) or _unless_dispatched(failed) or _by_containers(facts)
    return ready, _reconciling(failed, suspended=facts.suspended), _stalled(failed)


def refused_conditions(reason: str, field: str, message: str) -> tuple[Condition, ...]:
    """Return the conditions of a workload that is declared, but refused or unusable.

    Args:
        reason: the stable word: a `RefusalReason`, or InvalidSpec.
        field: the field at fault, as `spec.host`; empty if there is no single one.
        message: what is wrong with it, and the way out.
    """
    reason = one_word(reason, otherwise=WorkloadReason.INVALID_SPEC)
    sentence = f"{field}: {message}" if field else message
    return (
        condition(_READY, Status.FALSE, reason, sentence),
        condition(_RECONCILING, Status.FALSE, WorkloadReason.IDLE, "nothing is tried until this is put right"),
        condition(_STALLED, Status.TRUE, reason, sentence),
    )


def dispatch_reason(report: DispatchReport) -> str:
    """Return why a dispatch ended as it did, as a status may say it: empty if it did not fail and gave no reason."""
    return one_word(report.reason, otherwise=WorkloadReason.DISPATCH_FAILED if report.failed else "")


def _failed(dispatch: DispatchReport | None) -> DispatchReport | None:
    return dispatch if dispatch and dispatch.failed else None


def _unless_known(host: HostFacts) -> Condition | None:
    if not host.why_unknown:
        return None
    since = f"{host.as_of.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if host.as_of else "none yet"
    why = _WHY.get(host.why_unknown, "cannot be vouched for")
    message = f'host "{host.name}" {why} (last complete pass: {since})'
    reason = one_word(host.why_unknown, otherwise=WhyUnknown.STALE)
    return condition(_READY, Status.UNKNOWN, reason, f"{message}: {host.message}" if host.message else message)


def _unless_dispatched(failed: DispatchReport | None) -> Condition | None:
    return condition(_READY, Status.FALSE, dispatch_reason(failed), _why_failed(failed)) if failed else None


def _by_containers(facts: WorkloadFacts) -> Condition:
    counts = count(container.state for container in facts.containers)
    if not counts.total:
        message = f'no container of host "{facts.host.name}" belongs to this workload; `tinyforge explain CONTAINER` says why one does not'
        return condition(_READY, Status.FALSE, WorkloadReason.NO_CONTAINERS, message)
    if counts.running < counts.total:
        message = f"{counts.summary}; {_not_running(facts.containers)}"
        return condition(_READY, Status.FALSE, WorkloadReason.NOT_RUNNING, message)
    return condition(_READY, Status.TRUE, WorkloadReason.RUNNING, counts.summary)


def _not_running(containers: tuple[CountedContainer, ...]) -> str:
    """Name the containers that do not run by their state, a few of them, in an order that is always the same."""
    roles = Counter(container.role for container in containers)
    down = sorted((_state(it), _name(it, roles)) for it in containers if it.state != "running")
    groups = [f"{state}: {', '.join(name for _, name in group)}" for state, group in groupby(down[:_NAMED], key=itemgetter(0))]
    rest = [f"and {len(down) - _NAMED} more"] if len(down) > _NAMED else []
    return "; ".join(groups + rest)


def _name(container: CountedContainer, roles: Counter[str]) -> str:
    """Return the container's role, or its row if it shares the role with another one."""
    unique = container.role if roles[container.role] == 1 else ""
    return printable(unique, _NAME_LENGTH) or printable(container.row, _NAME_LENGTH)


def _state(container: CountedContainer) -> str:
    return printable(container.state, _STATE_LENGTH) or "in no state"


def _reconciling(failed: DispatchReport | None, *, suspended: bool) -> Condition:
    if suspended:
        return condition(_RECONCILING, Status.FALSE, WorkloadReason.SUSPENDED, "spec.suspend is set: there are no dispatches")
    if failed and not failed.hopeless:
        message = f"the last dispatch failed and is tried again: {_why_failed(failed)}"
        return condition(_RECONCILING, Status.TRUE, WorkloadReason.RETRYING, message)
    return condition(_RECONCILING, Status.FALSE, WorkloadReason.IDLE, "nothing is being tried again")


def _stalled(failed: DispatchReport | None) -> Condition:
    if failed and failed.hopeless:
        return condition(_STALLED, Status.TRUE, dispatch_reason(failed), _why_failed(failed))
    return condition(_STALLED, Status.FALSE, WorkloadReason.NOT_STALLED, "nothing waits for a change of the spec")


def _why_failed(failed: DispatchReport) -> str:
    return failed.message or "the last dispatch failed"
