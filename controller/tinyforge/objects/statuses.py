"""From what was decided to the statuses that are written: `WorkloadStatus` and `DockerHostStatus`.

Both drivers build a status here and write it where theirs belongs. Nothing in it moves while nothing changes, a host's `lastPass` aside:
what was true before keeps its time, so a status built twice from the same facts is the same, and need not be written again.

What is stored may be anybody's text (`kubectl edit --subresource=status`, psql), so it is read back with care: a status that Tinyforge
cannot have written counts as none.
"""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import TypeVar

from pydantic import ValidationError

from tinyforge.domain import conditions as domain
from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.texts import printable
from tinyforge.domain.workload_status import Counts, dispatch_reason
from tinyforge.objects.conditions import Condition
from tinyforge.objects.docker_host import DockerHostStatus, EngineStatus, LastPass
from tinyforge.objects.fields import Part
from tinyforge.objects.workload import ContainerCounts, LastDispatch, WorkloadStatus

StatusT = TypeVar("StatusT", bound=Part)

_GREATEST = 2**53 - 1
"""The greatest number that every reader of JSON agrees on (RFC 8259, section 6); the API server refuses one that it had to round."""


def workload_status(
    conditions: Iterable[domain.Condition],
    counts: Counts | None,
    *,
    dispatch: DispatchReport | None,
    generation: int,
    now: datetime,
    previous: WorkloadStatus | None,
) -> WorkloadStatus:
    """Return the status of a workload.

    Args:
        conditions: what `tinyforge.domain.workload_status` decided.
        counts: how its containers are; None if nothing of it is counted, as when it is refused.
        dispatch: the last one; None leaves what `previous` tells of one.
        generation: which generation of the spec all this is about.
        now: the present time, with its zone; a status tells whole seconds.
        previous: the status that is stored or watched (`read_workload_status`).
    """
    moment = _whole_second(now)
    before = previous or WorkloadStatus()
    return WorkloadStatus(
        conditions=_dated(conditions, generation=generation, now=moment, previous=before.conditions),
        containers=ContainerCounts(**asdict(counts), summary=counts.summary) if counts else None,
        lastDispatch=_last_dispatch(dispatch, now=moment, previous=before.last_dispatch),
        observedGeneration=generation,
    )


def docker_host_status(
    conditions: Iterable[domain.Condition],
    *,
    report: PassReport | None,
    generation: int,
    now: datetime,
    previous: DockerHostStatus | None,
) -> DockerHostStatus:
    """Return the status of a host.

    Args:
        conditions: what `tinyforge.domain.host_status` decided.
        report: its last pass, which ended `now`; None leaves what `previous` tells of one.
        generation: which generation of the spec all this is about.
        now: the present time, with its zone; a status tells whole seconds.
        previous: the status that is stored or watched (`read_docker_host_status`).
    """
    before = previous or DockerHostStatus()
    return DockerHostStatus(
        conditions=_dated(conditions, generation=generation, now=_whole_second(now), previous=before.conditions),
        engine=_engine(report.engine) if report and report.engine else before.engine,
        lastPass=_last_pass(report, now=now, previous=before.last_pass) if report else before.last_pass,
        observedGeneration=generation,
    )


def read_workload_status(document: object) -> WorkloadStatus | None:
    """Return the status that is stored or watched; None if there is none that Tinyforge can have written."""
    return _read(WorkloadStatus, document)


def read_docker_host_status(document: object) -> DockerHostStatus | None:
    """Return the status that is stored or watched; None if there is none that Tinyforge can have written."""
    return _read(DockerHostStatus, document)


def _read(model: type[StatusT], document: object) -> StatusT | None:
    try:
        status = model.model_validate(document)
    except ValidationError:
        return None
    return status if _is_ours(status.model_dump()) else None


def _is_ours(value: object) -> bool:
    """Tell whether we may have written `value`, beyond what its model asks: its texts are printable, its numbers can be written again."""
    match value:
        case str():
            return value.isprintable()
        case int():
            return value <= _GREATEST
        case float():
            return isfinite(value)
        case dict():
            return all(map(_is_ours, value.values()))
        case tuple():
            return all(map(_is_ours, value))
        case _:
            return True


def _dated(
    conditions: Iterable[domain.Condition], *, generation: int, now: datetime, previous: Iterable[Condition]
) -> tuple[Condition, ...]:
    """Return the conditions with the time at which each last changed its status, which for an unchanged one is the time it had."""
    since = {(before.type, before.status): before.last_transition_time for before in previous}
    return tuple(
        Condition(
            type=condition.type,
            status=condition.status.value,
            reason=condition.reason,
            message=condition.message,
            lastTransitionTime=since.get((condition.type, condition.status.value), now),
            observedGeneration=generation,
        )
        for condition in conditions
    )


def _last_dispatch(report: DispatchReport | None, *, now: datetime, previous: LastDispatch | None) -> LastDispatch | None:
    """Return the dispatch that brought the present outcome and reason: an earlier one, if it ended as this one did."""
    if report is None:
        return previous
    outcome, reason = report.outcome.value, dispatch_reason(report)
    if previous and (previous.outcome, previous.reason) == (outcome, reason):
        return previous
    return LastDispatch(at=now, outcome=outcome, reason=reason, traceID=report.trace_id)


def _last_pass(report: PassReport, *, now: datetime, previous: LastPass | None) -> LastPass:
    """Return the last pass; one that listed nothing keeps the counts of the last one that did."""
    at = _whole_second(now - timedelta(seconds=report.duration_seconds))
    if report.outcome in (PassOutcome.FAILED, PassOutcome.SKIPPED):
        listed = previous or LastPass(at=at, durationSeconds=0, outcome="skipped", listed=0, matched=0, ignored=0, written=0, missing=0)
        return listed.model_copy(update={"at": at, "outcome": report.outcome.value, "trace_id": report.trace_id})
    return LastPass(
        at=at,
        durationSeconds=round(report.duration_seconds, 3),
        outcome=report.outcome.value,
        listed=report.listed,
        matched=report.matched,
        ignored=report.ignored,
        written=report.written,
        missing=report.missing,
        traceID=report.trace_id,
    )


def _engine(identity: EngineIdentity) -> EngineStatus:
    """Return who answered. An engine says of itself what it likes, so each part is cut to what the CRD takes."""
    return EngineStatus(
        id=printable(identity.engine_id, 255), version=printable(identity.version, 64), apiVersion=printable(identity.api_version, 16)
    )


def _whole_second(moment: datetime) -> datetime:
    """Return `moment` in UTC as Kubernetes' own times are: without a fraction of a second."""
    return moment.astimezone(UTC).replace(microsecond=0)
