"""What is declared when no folder is given: the local engine and no workloads, on top of whatever the mirror holds."""

import asyncio
from collections.abc import AsyncIterator

from tinyforge.domain.declarations import Declared, Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import EVERY_NAMESPACE

LOCAL = "local"


class LocalEngine:
    """Declares the local engine (`tinyforge.reconcile.declarations.Declaring`); `docker_host` is the variable DOCKER_HOST."""

    def __init__(self, docker_host: str = "") -> None:
        self._endpoint = docker_host if docker_host.startswith("unix://") else "unix:///var/run/docker.sock"

    async def read(self) -> Reading:
        """See `Declaring.read`."""
        return self.reading()

    def reading(self) -> Reading:
        """Return the local engine. Incomplete, so that a forgotten `-f` removes nothing that an earlier folder declared."""
        host = Host(name=LOCAL, endpoint=self._endpoint, allowed_namespaces=(EVERY_NAMESPACE,))
        return Reading(hosts=(Declared(value=host, origin="the local Docker Engine"),), complete=False)

    async def changes(self) -> AsyncIterator[None]:
        """See `Declaring.changes`: never."""
        await asyncio.Event().wait()
        yield
