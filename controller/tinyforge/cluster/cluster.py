"""The cluster, as the operator uses it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from tinyforge.cluster.access import Access
from tinyforge.cluster.answers import Anything, Kinds, OneObject, Secret
from tinyforge.cluster.client import requests_to
from tinyforge.cluster.errors import ClusterRefused, ObjectMoved
from tinyforge.cluster.events import Event, event_object, events_path
from tinyforge.cluster.listing import list_all
from tinyforge.cluster.objects import ObjectKind, ObjectList, ObjectRef, ObjectState
from tinyforge.cluster.requests import CALL_SECONDS, Requests
from tinyforge.cluster.wire import path_of
from tinyforge.objects.metadata import API_VERSION

FIELD_MANAGER = "tinyforge"
_NOT_FOUND = 404
_CONFLICT = 409


def connect(access: Access, *, instance: str, seconds: float = CALL_SECONDS) -> "Cluster":
    """Return the cluster; nothing is connected yet.

    Args:
        access: where it is, from `find_access`.
        instance: what this process calls itself in Events.
        seconds: how long a call may take as a whole.

    Raises:
        NoCluster: a certificate, a key or a way of logging in cannot be used.
    """
    return Cluster(requests_to(access, seconds=seconds), namespace=access.namespace, instance=instance)


class Cluster:
    """An API server, and what the operator asks of it.

    `namespace` is our own. Every method raises ClusterUnavailable if the API server gives no usable answer, ClusterRefused if it says no.
    """

    def __init__(self, requests: Requests, *, namespace: str, instance: str) -> None:
        self.namespace = namespace
        self._requests = requests
        self._instance = instance

    async def require_definitions(self) -> None:
        """See that the cluster knows the kinds of our objects. Everybody may ask that.

        Raises:
            ClusterRefused: it does not.
        """
        try:
            known = (await self._requests.get(path_of("apis", *API_VERSION.split("/")), Kinds)).resources
        except ClusterRefused as error:
            if error.status != _NOT_FOUND:
                raise
            known = ()
        for kind in ObjectKind:
            if kind.plural not in {it.name for it in known}:
                raise _unknown(kind)

    async def list_objects(self, kind: ObjectKind, namespace: str = "") -> ObjectList:
        """Return all objects of a kind, of one namespace or of all, as they were at one moment."""
        try:
            return await list_all(self._requests, _path(kind, namespace))
        except ClusterRefused as error:
            if error.status != _NOT_FOUND:
                raise
            raise _unknown(kind) from error

    async def read_object(self, ref: ObjectRef) -> ObjectState | None:
        """Return the object of that name as it is now, which may be another one by its uid; None if there is none."""
        try:
            return (await self._requests.get(_path(ref.kind, ref.namespace, ref.name), OneObject)).state()
        except ClusterRefused as error:
            if error.status != _NOT_FOUND:
                raise
            return None

    async def apply_status(self, ref: ObjectRef, *, resource_version: str, status: Mapping[str, Any]) -> ObjectState:
        """Make `status` all that we say of an object, and return what the object is then.

        What others say beside it stays; where they contradict, ours counts. The API server ignores a uid that comes with a status (measured
        on 1.34), so what keeps a successor of the same name from getting it is `resource_version`, which no two objects share.

        Args:
            ref: the object.
            resource_version: the moment at which it was last seen, which is never empty.
            status: the status whole.

        Raises:
            ObjectMoved: the object changed since, or is another one; nothing was written.
        """
        body = {"apiVersion": API_VERSION, "kind": ref.kind, "metadata": {"resourceVersion": resource_version}, "status": status}
        path = _path(ref.kind, ref.namespace, ref.name, "status")
        try:
            return (await self._requests.apply(path, body, OneObject, field_manager=FIELD_MANAGER)).state()
        except ClusterRefused as error:
            if error.status != _CONFLICT:
                raise
            raise ObjectMoved(str(error)) from error

    async def read_secret(self, name: str) -> Mapping[str, bytes] | None:
        """Return what a Secret of our own namespace holds, by key, or None if there is no such Secret. It is never to be shown."""
        try:
            secret = await self._requests.get(path_of("api", "v1", "namespaces", self.namespace, "secrets", name), Secret)
        except ClusterRefused as error:
            if error.status != _NOT_FOUND:
                raise
            return None
        return secret.data or {}

    async def post_event(self, ref: ObjectRef, event: Event) -> None:
        """Add an Event about an object."""
        body = event_object(ref, event, instance=self._instance, at=datetime.now(UTC))
        await self._requests.post(events_path(ref), body, Anything)

    async def close(self) -> None:
        """Close all connections; idempotent."""
        await self._requests.close()


def _unknown(kind: ObjectKind) -> ClusterRefused:
    return ClusterRefused(_NOT_FOUND, f"the cluster knows no {kind}: apply what `tinyforge crds` prints")


def _path(kind: ObjectKind, namespace: str, *name: str) -> str:
    within = ("namespaces", namespace) if namespace else ()
    return path_of("apis", *API_VERSION.split("/"), *within, kind.plural, *name)
