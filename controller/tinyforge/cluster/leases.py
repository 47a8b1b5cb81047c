"""The Lease of our election at the API server: the adapter behind the port `Leases`, for `tinyforge.election`.

What is written goes over the whole object as it was read, so that other people's labels, annotations and fields of the spec that we know
nothing of stay. Measured on 1.34: a Lease may be made by a PUT, so one that was deleted would come back under the hands of a writer who
knows the old one, whatever resourceVersion he names; with the uid in it, such a PUT is refused with 409.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any

import msgspec

from tinyforge.cluster.access import Access
from tinyforge.cluster.answers import Anything, Change, LeaseObject, Namespace
from tinyforge.cluster.client import requests_to
from tinyforge.cluster.errors import ClusterRefused, ObjectMoved
from tinyforge.cluster.events import Event, event_object, events_path
from tinyforge.cluster.faults import unreadable
from tinyforge.cluster.objects import LeaseRef, RawObject
from tinyforge.cluster.requests import Requests
from tinyforge.cluster.wire import path_of
from tinyforge.domain.lease import Lease

_OK = 200
_NOT_FOUND = 404
_CONFLICT = 409
_STATES = frozenset({"ADDED", "MODIFIED", "DELETED"})
_GROUP_VERSION = LeaseRef.api_version.split("/")


class ClusterLeases:
    """One Lease, over an HTTP client of its own, in the event loop that uses it. One request at a time, beside one watch.

    So it has one connection at a time for all but the watch, and since a request that is not answered costs its connection, the next one
    goes over a new one: the old one may lead nowhere.

    Args:
        access: where the cluster is.
        namespace: where the Lease is.
        name: what it is called.
        seconds: how long a request may take as a whole.
        instance: what this process calls itself in Events.

    Raises:
        NoCluster: a certificate, a key or a way of logging in cannot be used.
    """

    def __init__(self, access: Access, *, namespace: str, name: str, seconds: float, instance: str) -> None:
        self.namespace = namespace
        self.name = name
        self._instance = instance
        self._connect: Callable[[], Requests] = lambda: requests_to(access, seconds=seconds)
        self._requests = self._connect()
        self._raw: RawObject = {}
        """The Lease as it was last seen, which is what a write goes over."""

    async def read(self) -> Lease | None:
        """Return the Lease as it is now; None if there is none.

        Raises:
            ClusterUnavailable: the API server gave no usable answer.
            ClusterRefused: it said no.
        """
        try:
            return self._seen(await self._requests.get(self._path(), dict[str, Any]))
        except ClusterRefused as error:
            if error.status != _NOT_FOUND:
                raise
            return None

    async def create(self, lease: Lease) -> Lease:
        """Add the Lease, and return it as it is then.

        Raises:
            ObjectMoved: there is one already.
            ClusterUnavailable: the API server gave no usable answer; perhaps it is done.
            ClusterRefused: it said no.
        """
        head = {"apiVersion": LeaseRef.api_version, "kind": LeaseRef.kind, "metadata": {"name": self.name, "namespace": self.namespace}}
        body = {**head, "spec": _spec(lease)}
        return await self._written(self._requests.post(self._path_of_all(), body, dict[str, Any]))

    async def replace(self, lease: Lease, *, over: str) -> Lease:
        """Write the Lease over the state that the resourceVersion `over` names, and return it as it is then. Raises as `create` does.

        Raises:
            ObjectMoved: it is another one by now, or gone; nothing was written.
        """
        if _version(self._raw) != over:
            await self.read()
        if _version(self._raw) != over:
            raise ObjectMoved(f"the Lease {self.namespace}/{self.name} has been modified or deleted")
        body = {**self._raw, "spec": {**(self._raw.get("spec") or {}), **_spec(lease)}}
        return await self._written(self._requests.put(self._path(), body, dict[str, Any]))

    async def watch(self) -> AsyncGenerator[Lease | None, None]:
        """Yield the Lease as it is and whenever it changes, None when it is deleted, until the server or the connection ends it.

        What it says at first may be older than what was read before. It may also be silent for as long as nothing changes, or because the
        connection is dead: only `read` tells which.

        Raises:
            ClusterUnavailable: the API server gave no usable answer.
            ClusterRefused: it said no.
        """
        requests = self._connect()
        query = {"watch": "true", "fieldSelector": f"metadata.name={self.name}"}
        try:
            async with aclosing(requests.follow(self._path_of_all(), Change, query=query)) as changes:
                async for change in changes:
                    if change.type == "ERROR":
                        return
                    if change.type in _STATES:
                        yield None if change.type == "DELETED" else self._seen(change.object)
        finally:
            await requests.close()

    async def qualified_name(self) -> str:
        """Return what tells this Lease from every other in all clusters: `<uid of its namespace>/<its name>`. Raises as `read` does."""
        answer = await self._requests.get(path_of("api", "v1", "namespaces", self.namespace), Namespace)
        return f"{answer.metadata.uid}/{self.name}"

    async def post_event(self, event: Event) -> None:
        """Add an Event about the Lease as it was last seen. Raises as `read` does."""
        ref = LeaseRef(namespace=self.namespace, name=self.name, uid=self._raw["metadata"]["uid"])
        body = event_object(ref, event, instance=self._instance, at=datetime.now(UTC))
        await self._requests.post(events_path(ref), body, Anything)

    async def close(self) -> None:
        """Close all connections; idempotent."""
        await self._requests.close()

    async def _written(self, answer: Awaitable[RawObject]) -> Lease:
        try:
            return self._seen(await answer)
        except ClusterRefused as error:
            if error.status != _CONFLICT:
                raise
            raise ObjectMoved(str(error)) from error

    def _seen(self, raw: RawObject) -> Lease:
        try:
            lease = msgspec.convert(raw, LeaseObject).lease()
        except msgspec.ValidationError as error:
            raise unreadable(_OK) from error
        self._raw = raw
        return lease

    def _path_of_all(self) -> str:
        return path_of("apis", *_GROUP_VERSION, "namespaces", self.namespace, "leases")

    def _path(self) -> str:
        return path_of("apis", *_GROUP_VERSION, "namespaces", self.namespace, "leases", self.name)


def _version(raw: RawObject) -> str:
    return str(raw.get("metadata", {}).get("resourceVersion", ""))


def _spec(lease: Lease) -> Mapping[str, Any]:
    return {
        "holderIdentity": lease.holder,
        "leaseDurationSeconds": int(lease.duration),
        "leaseTransitions": lease.transitions,
        "acquireTime": lease.acquired_at or None,
        "renewTime": lease.renewed_at or None,
    }
