"""Which object of the cluster is meant, and what was seen of it.

An object is told by its uid, beside its name: one that was deleted and made anew under the same name is another one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from tinyforge.objects.metadata import API_VERSION

RawObject = Mapping[str, Any]
"""An object as the API server sends it."""


class ObjectKind(StrEnum):
    """The kinds of our objects."""

    DOCKER_HOST = "DockerHost"
    WORKLOAD = "Workload"

    @property
    def plural(self) -> str:
        """The kind's name in paths."""
        return f"{self.value.lower()}s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectRef:
    """One object. `namespace` is empty for a kind that has none."""

    kind: ObjectKind
    namespace: str = ""
    name: str
    uid: str
    api_version: ClassVar[str] = API_VERSION

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaseRef:
    """The Lease of our election."""

    namespace: str
    name: str
    uid: str
    kind: ClassVar[str] = "Lease"
    api_version: ClassVar[str] = "coordination.k8s.io/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectState:
    """An object as it was at one moment, which `resource_version` names."""

    ref: ObjectRef
    resource_version: str
    status: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, raw: RawObject) -> "ObjectState":
        """Return what of an object matters here; it is one of ours, as the API server or a watch gives it."""
        metadata = raw["metadata"]
        ref = ObjectRef(kind=ObjectKind(raw["kind"]), namespace=metadata.get("namespace", ""), name=metadata["name"], uid=metadata["uid"])
        return cls(ref=ref, resource_version=metadata["resourceVersion"], status=raw.get("status") or {})


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectList:
    """All objects of a kind as they were at one moment, which `resource_version` names."""

    objects: tuple[RawObject, ...]
    resource_version: str
