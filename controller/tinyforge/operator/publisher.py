"""What a term finds out, made into statuses and Events: which of them belongs to which object, and which is news.

A status is put whenever something of it may have changed; whether it has is the writer's to see. An Event is told only when the outcome
that a person sees, the status and reason of Ready, has changed.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tinyforge.cluster import Event, EventType, ObjectRef
from tinyforge.domain.conditions import Condition
from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.host_status import host_conditions, unusable_host_conditions
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReport
from tinyforge.domain.workload_status import WorkloadReason, refused_conditions
from tinyforge.objects.docker_host import DockerHostStatus
from tinyforge.objects.statuses import docker_host_status, read_docker_host_status, read_workload_status, workload_status
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.operator.declared_object import DeclaredObject
from tinyforge.operator.declared_objects import DeclaredObjects
from tinyforge.operator.event_poster import EventPoster
from tinyforge.operator.status_writer import StatusWriter
from tinyforge.reconcile.declarations import InForce

Status = DockerHostStatus | WorkloadStatus


class Publisher:
    """Puts statuses and tells Events.

    Args:
        objects: the objects that there are.
        writer: who writes statuses.
        events: who tells Events.
    """

    def __init__(self, *, objects: DeclaredObjects, writer: StatusWriter, events: EventPoster) -> None:
        self._objects = objects
        self._writer = writer
        self._events = events
        self._published: dict[ObjectRef, Status] = {}
        self._refused: frozenset[str] = frozenset()

    def in_force(self, state: InForce) -> None:
        """Publish what was decided about the declarations themselves: refused and unusable objects, and hosts that had no pass yet."""
        self._refused = frozenset(refusal.workload_id for refusal in state.refusals)
        for refusal in state.refusals:
            if found := self._objects.find(refusal.workload_id):
                self._publish_workload(found, refused_conditions(refusal.reason, refusal.field, refusal.message))
        for found in self._objects:
            if found.fault and found.is_workload:
                self._publish_workload(found, refused_conditions(WorkloadReason.INVALID_SPEC, "", found.fault))
            elif found.fault:
                self._publish_host(found, unusable_host_conditions(found.fault), None)
        for name in state.opened:
            self._first_sight(state.hosts[name])

    def passed(self, host: Host, report: PassReport) -> None:
        """Publish what a pass found. One by an older spec is no news: the host is about to be opened anew, or is refused."""
        found = self._objects.find(host.name)
        if found and found.value is not None and found.generation == host.generation:
            self._publish_host(found, host_conditions(report, suspended=host.suspended), report)

    def assessed(self, workload: str, status: WorkloadStatus, _: DispatchReport | None) -> None:
        """Publish a workload's status as it is written down.

        That of an older spec is no news either, but for a workload that is being deleted, which counts as a new spec. One that is refused
        may be in the index all the same, as it was before: that is nobody's who looks at the object.
        """
        found = self._objects.find(workload)
        if found is None or found.value is None or workload in self._refused:
            return
        if found.deleted or found.generation == status.observed_generation:
            self._publish(found, status)

    def forget(self, ref: ObjectRef) -> None:
        """Forget an object that is gone."""
        self._published.pop(ref, None)

    def _first_sight(self, host: Host) -> None:
        found = self._objects.find(host.name)
        if found and self._before(found) is None:
            self._publish_host(found, host_conditions(None, suspended=host.suspended), None)

    def _publish_host(self, found: DeclaredObject, conditions: Iterable[Condition], report: PassReport | None) -> None:
        before = self._before(found)
        previous = before if isinstance(before, DockerHostStatus) else None
        status = docker_host_status(conditions, report=report, generation=found.generation, now=datetime.now(UTC), previous=previous)
        self._publish(found, status)

    def _publish_workload(self, found: DeclaredObject, conditions: Iterable[Condition]) -> None:
        before = self._before(found)
        previous = before if isinstance(before, WorkloadStatus) else None
        status = workload_status(conditions, None, dispatch=None, generation=found.generation, now=datetime.now(UTC), previous=previous)
        self._publish(found, status)

    def _publish(self, found: DeclaredObject, status: Status) -> None:
        ref, before = found.state.ref, self._before(found)
        self._published[ref] = status
        self._writer.put(ref, _document(status))
        if event := _news(before, status):
            self._events.put(ref, event)

    def _before(self, found: DeclaredObject) -> Status | None:
        """Return the status that was published last, or else the one that the object carries."""
        known = self._published.get(found.state.ref)
        if known is not None:
            return known
        read = read_workload_status if found.is_workload else read_docker_host_status
        return read(found.state.status) if found.state.status else None


def _news(before: Status | None, after: Status) -> Event | None:
    was, now = _ready(before), _ready(after)
    if now is None or (was is not None and (was.status, was.reason) == (now.status, now.reason)):
        return None
    if was is None and now.status == "Unknown":
        return None  # nothing is known of it yet, which is no news
    kind = EventType.NORMAL if now.status == "True" else EventType.WARNING
    return Event(type=kind, reason=now.reason, action="Reconcile", note=now.message, trace_id=_new_trace_id(before, after))


def _new_trace_id(before: Status | None, after: Status) -> str:
    """Return the trace of what brought a status, if it names one: an older one says nothing of it."""
    trace_id = _trace_id(after)
    return trace_id if trace_id != _trace_id(before) else ""


def _trace_id(status: Status | None) -> str:
    last = status.last_dispatch if isinstance(status, WorkloadStatus) else status.last_pass if status else None
    return last.trace_id if last else ""


def _ready(status: Status | None) -> Any:
    return next((it for it in status.conditions if it.type == "Ready"), None) if status else None


def _document(status: Status) -> Mapping[str, Any]:
    document: Mapping[str, Any] = status.model_dump(mode="json", exclude_none=True)
    return document
