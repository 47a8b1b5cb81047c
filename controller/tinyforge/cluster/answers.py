"""What of the API server's answers is looked at. An answer of another shape is none of an API server's."""

from typing import Any

from msgspec import Struct, field

from tinyforge.cluster.objects import ObjectKind, ObjectRef, ObjectState


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


class Anything(Struct):
    """An answer that says nothing beyond being a success."""
