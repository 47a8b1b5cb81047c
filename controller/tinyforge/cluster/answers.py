"""What of the API server's answers is looked at. An answer of another shape is none of an API server's."""

from typing import Any

from msgspec import Struct, field

from tinyforge.cluster.objects import ObjectKind, ObjectRef, ObjectState
from tinyforge.domain.lease import Lease, LeaseTimes


class _Metadata(Struct):
    name: str
    uid: str
    resource_version: str = field(name="resourceVersion")
    namespace: str = ""


class OneObject(Struct):
    """One of our objects."""

    kind: ObjectKind
    metadata: _Metadata
    status: dict[str, Any] | None = None

    def state(self) -> ObjectState:
        """Return it as the rest of Tinyforge knows it."""
        metadata = self.metadata
        ref = ObjectRef(kind=self.kind, namespace=metadata.namespace, name=metadata.name, uid=metadata.uid)
        return ObjectState(ref=ref, resource_version=metadata.resource_version, status=self.status or {})


class _ListMetadata(Struct):
    resource_version: str = field(name="resourceVersion")
    more: str = field(name="continue", default="")


class Page(Struct):
    """A part of a list; `metadata.more` asks for the next one, and is empty in the last."""

    metadata: _ListMetadata
    items: list[dict[str, Any]]


class Secret(Struct):
    """A Secret; what it holds comes out of its base64 here."""

    data: dict[str, bytes] | None = None

    def __repr__(self) -> str:
        return "Secret(…)"


class _LeaseSpec(Struct):
    holder: str | None = field(name="holderIdentity", default=None)
    seconds: int | None = field(name="leaseDurationSeconds", default=None)
    transitions: int | None = field(name="leaseTransitions", default=None)
    acquired_at: str | None = field(name="acquireTime", default=None)
    renewed_at: str | None = field(name="renewTime", default=None)


class LeaseObject(Struct):
    """What of a Lease the election goes by."""

    metadata: _Metadata
    spec: _LeaseSpec = field(default_factory=_LeaseSpec)

    def lease(self) -> Lease:
        """Return it as the rest of Tinyforge knows it. One from which somebody took the duration lasts as long as one by default."""
        spec = self.spec
        return Lease(
            holder=spec.holder or "",
            duration=float(spec.seconds or LeaseTimes().duration),
            transitions=spec.transitions or 0,
            acquired_at=spec.acquired_at or "",
            renewed_at=spec.renewed_at or "",
            resource_version=self.metadata.resource_version,
        )


class Change(Struct):
    """What a watch tells: `type` is ADDED, MODIFIED, DELETED, or of another kind that says nothing about an object."""

    type: str
    object: dict[str, Any]


class _Uid(Struct):
    uid: str


class Namespace(Struct):
    """A namespace."""

    metadata: _Uid


class _Kind(Struct):
    name: str


class Kinds(Struct):
    """What the cluster knows of a group and version."""

    resources: tuple[_Kind, ...]


class Anything(Struct):
    """An answer that says nothing beyond being a success."""
