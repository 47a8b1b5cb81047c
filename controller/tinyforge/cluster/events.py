"""A Kubernetes Event about an object of ours, as events.k8s.io/v1 has it.

Its limits are the API server's (pkg/apis/core/validation/events.go): a note has at most 1,024 bytes, the other texts 128.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from tinyforge.cluster.objects import LeaseRef, ObjectRef
from tinyforge.cluster.wire import path_of
from tinyforge.objects.metadata import DEFAULT_NAMESPACE

CONTROLLER = "tinyforge.dev/controller"
_NOTE_BYTES = 1024
_WORD_BYTES = 128


class EventType(StrEnum):
    """Whether an event is good news."""

    NORMAL = "Normal"
    WARNING = "Warning"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened to an object: `reason` and `action` are one word each, `note` is a sentence for people. What is too long is cut.

    `trace_id` is the trace that says more, if there is one; people read it at the end of the note.
    """

    type: EventType
    reason: str
    action: str
    note: str
    trace_id: str = ""


def events_path(ref: ObjectRef | LeaseRef) -> str:
    """Return the path of the events about an object: they are beside it, or in `default` if it is in no namespace.

    Raises:
        ClusterRefused: its namespace is no name of one.
    """
    return path_of("apis", "events.k8s.io", "v1", "namespaces", _namespace(ref), "events")


def event_object(ref: ObjectRef | LeaseRef, event: Event, *, instance: str, at: datetime) -> dict[str, Any]:
    """Return the event as the API server takes it; `instance` is the process that tells, `at` an aware time."""
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {"name": f"{ref.name}.{uuid4().hex[:16]}", "namespace": _namespace(ref)},
        "eventTime": at.isoformat(timespec="microseconds"),
        "reportingController": CONTROLLER,
        "reportingInstance": _cut(instance, _WORD_BYTES),
        "regarding": {"apiVersion": ref.api_version, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name, "uid": ref.uid},
        "type": event.type,
        "reason": _cut(event.reason, _WORD_BYTES),
        "action": _cut(event.action, _WORD_BYTES),
        "note": _note(event),
    }


def _note(event: Event) -> str:
    named = f" (trace {event.trace_id})" if event.trace_id else ""
    return _cut(event.note, _NOTE_BYTES - len(named)) + named


def _namespace(ref: ObjectRef | LeaseRef) -> str:
    return ref.namespace or DEFAULT_NAMESPACE


def _cut(text: str, length: int) -> str:
    """Return `text` with at most `length` bytes of UTF-8, its last character being an ellipsis if something is missing."""
    encoded = text.encode(errors="replace")
    if len(encoded) <= length:
        return encoded.decode()
    return encoded[: length - len("…".encode())].decode(errors="ignore") + "…"
