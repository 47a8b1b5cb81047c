"""An engine that gives a recorded list, at once: for what a pass costs without the engine."""

import time
from collections.abc import Collection, Mapping, Sequence

import msgspec

from tinyforge.domain.containers import Container
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.ports import Listing


class RecordedEngine:
    """Implements `tinyforge.ports.Engine` without one. What it lists is set by whoever measures."""

    generation = 0

    def __init__(self, identity: EngineIdentity) -> None:
        self.listed: Sequence[Container] = ()
        self._identity = identity

    async def containers(self, ids: Collection[str] = ()) -> Listing:
        assert not ids, "a full list is all that was recorded"
        return Listing(self.listed, time.monotonic())

    async def labels(self, container_id: str) -> Mapping[str, str]:
        raise NotImplementedError

    async def identity(self) -> EngineIdentity:
        return self._identity

    async def close(self) -> None:
        pass


def with_a_tenth_changed(containers: Sequence[Container]) -> tuple[Container, ...]:
    """The same list, after every tenth container was started or, if it ran, has ended."""
    return tuple(started_or_ended(it) if number % 10 == 0 else it for number, it in enumerate(containers))


def started_or_ended(container: Container) -> Container:
    return msgspec.structs.replace(container, state="exited" if container.state == "running" else "running")
