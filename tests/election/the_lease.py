"""The Lease as somebody with kubectl sees and edits it, beside the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.servers.cluster import Cluster
from tests.servers.kubernetes_api import Object


class TheLease:
    """The Lease `tinyforge` of a namespace."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace

    async def get(self) -> Object:
        """Return it."""
        return await asyncio.to_thread(self._cluster.get, "Lease", "tinyforge", self._namespace)

    async def spec(self) -> Object:
        """Return what it says."""
        spec: Object = (await self.get())["spec"]
        return spec

    async def edit(self, **spec: object) -> None:
        """Edit what it says, as `kubectl patch` does."""
        await self.patch({"spec": spec})

    async def patch(self, change: dict[str, Any]) -> None:
        """Edit anything of it."""
        await asyncio.to_thread(self._cluster.patch, "Lease", "tinyforge", change, self._namespace)

    async def make(self, **spec: object) -> None:
        """Make it as somebody else's."""
        body = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"name": "tinyforge", "namespace": self._namespace}}
        await asyncio.to_thread(self._cluster.apply, {**body, "spec": spec})

    async def delete(self) -> None:
        """Delete it."""
        await asyncio.to_thread(self._cluster.delete, "Lease", "tinyforge", self._namespace)

    async def wait(self, until: Callable[[Object], object], *, seconds: float = 10.0) -> Object:
        """Wait until something is true of what it says."""
        found = await asyncio.to_thread(
            self._cluster.wait, "Lease", "tinyforge", lambda it: until(it["spec"]), self._namespace, seconds=seconds
        )
        spec: Object = found["spec"]
        return spec

    async def events(self) -> list[tuple[str, str]]:
        """Return the reasons and notes of the Events about it."""
        path = f"/apis/events.k8s.io/v1/namespaces/{self._namespace}/events"
        items = (await asyncio.to_thread(self._cluster.api.request, "GET", path))["items"]
        return [(it["reason"], it["note"]) for it in sorted(items, key=lambda it: str(it["eventTime"]))]
