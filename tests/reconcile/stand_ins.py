"""An engine and an index in memory, for what real servers cannot be made to do on demand: hold a list up, and let it go."""

import asyncio
from collections.abc import Collection, Mapping

from tests.domain.world import World
from tinyforge.domain.containers import Container
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.ports import CompletePass, FailedPass, HostSnapshot, Listing


class HeldEngine:
    """An engine whose lists wait until `let_go` is set. It tells how many lists were asked for, and how many at most at once."""

    generation = 0

    def __init__(self) -> None:
        self.there: tuple[Container, ...] = ()
        self.let_go = asyncio.Event()
        self.asked = asyncio.Semaphore(0)
        self.lists = 0
        self.at_once = 0
        self.most_at_once = 0

    async def containers(self, ids: Collection[str] = ()) -> Listing:
        self.lists += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        seen = self.there
        self.asked.release()
        try:
            await self.let_go.wait()
        finally:
            self.at_once -= 1
        return Listing(containers=seen, asked_at=asyncio.get_running_loop().time())

    async def labels(self, container_id: str) -> Mapping[str, str]:
        return {}

    async def identity(self) -> EngineIdentity:
        return EngineIdentity(engine_id="engine", version="29.0", api_version="1.52")

    async def close(self) -> None: ...


class EmptyIndex:
    """An index without workloads or rows; `error` is raised instead of writing."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def snapshot(self, host: str, *, also: Collection[str] = ()) -> HostSnapshot:
        return HostSnapshot(view=World(workloads=()).view, engine_id="")

    async def elsewhere(self, host: str) -> Mapping[str, str]:
        return {}

    async def complete(self, record: CompletePass) -> None:
        if self.error:
            raise self.error

    async def fail(self, record: FailedPass) -> None: ...
