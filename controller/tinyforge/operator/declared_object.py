"""One DockerHost or Workload as the API server tells of it, made into what the domain knows.

An object that cannot be used, because its CRD is older or younger than this program or because a schema cannot say what is wrong with it,
has no value and a fault instead.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from tinyforge.cluster import ObjectKind, ObjectState
from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.hosts import Host
from tinyforge.domain.traces import Traceparent
from tinyforge.objects.docker_host import DockerHost
from tinyforge.objects.faults import dotted, field_faults
from tinyforge.objects.metadata import traceparent_of
from tinyforge.objects.workload import Workload
from tinyforge.operator.status_record import is_newer

Value = Host | DeclaredWorkload


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredObject:
    """One object. `value` is None, and `fault` a sentence, if it cannot be used; `deleted` is whether somebody deleted it.

    `traceparent` is where whoever wrote it says that they trace it.
    """

    state: ObjectState
    generation: int
    since: datetime
    deleted: bool
    value: Value | None
    fault: str = ""
    traceparent: Traceparent | None = None

    @property
    def name(self) -> str:
        """A host's name, or a workload's id."""
        return name_of(self.state)

    @property
    def is_workload(self) -> bool:
        """Whether it is a workload, and no host."""
        return self.state.ref.kind is ObjectKind.WORKLOAD

    def is_newer_than(self, resource_version: str) -> bool:
        """Whether it was seen later than at `resource_version`."""
        return is_newer(self.state.resource_version, resource_version)

    @property
    def identity(self) -> tuple[str, int, bool, Traceparent | None]:
        """What changes whenever the object has to be looked at again, and not with its status."""
        return self.state.ref.uid, self.generation, self.deleted, self.traceparent


def name_of(state: ObjectState) -> str:
    """Return a host's name, or a workload's id: no two objects that there are at one time share it."""
    return f"{state.ref.namespace}/{state.ref.name}" if state.ref.namespace else state.ref.name


def read_object(raw: Mapping[str, Any], state: ObjectState, *, before: DeclaredObject | None) -> DeclaredObject:
    """Return an object.

    Args:
        raw: what the API server says.
        state: the same, as far as its status goes.
        before: what is known under its name. Its spec is not read again while it is that of the same generation: most events are our own
            writes to statuses.
    """
    metadata = raw["metadata"]
    generation, deleted, traceparent = int(metadata.get("generation", 0)), "deletionTimestamp" in metadata, traceparent_of(raw)
    if before and before.state.ref == state.ref and before.generation == generation:
        return replace(before, state=state, deleted=deleted, traceparent=traceparent)
    value, fault = _read_spec(raw, state, generation)
    since = datetime.fromisoformat(metadata["creationTimestamp"])
    return DeclaredObject(
        state=state, generation=generation, since=since, deleted=deleted, value=value, fault=fault, traceparent=traceparent
    )


def _read_spec(raw: Mapping[str, Any], state: ObjectState, generation: int) -> tuple[Value | None, str]:
    """Return an object as the domain knows it, or what is wrong with it."""
    document = {key: value for key, value in raw.items() if key != "status"}
    model: type[DockerHost | Workload] = DockerHost if state.ref.kind is ObjectKind.DOCKER_HOST else Workload
    try:
        written = model.model_validate(document)
    except ValidationError as error:
        faults = field_faults(error, model)
        return None, "; ".join(": ".join(filter(None, (dotted(it.path), it.value, it.message))) for it in faults)
    if isinstance(written, DockerHost):
        return replace(written.to_host(), generation=generation), ""
    return replace(written.to_declared(), generation=generation), ""
