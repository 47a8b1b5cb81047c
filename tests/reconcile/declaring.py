"""What is declared, as a test says; that folders and clusters are such a thing is proved where they are."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from types import MappingProxyType

from tinyforge.domain.declarations import Declared, DeclaredWorkload, Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Mirror, MirrorPlan
from tinyforge.domain.traces import Traceparent
from tinyforge.ports import MirrorIndex

What = Host | DeclaredWorkload


class Declarer:
    """Declares whatever it is told to; `readings` counts how often it was read."""

    def __init__(self, *what: What, complete: bool = True) -> None:
        self.reading = reading(what, complete=complete)
        self.readings = 0
        self._changed = asyncio.Event()

    def declare(self, *what: What, complete: bool = True) -> None:
        """Declare this from now on, and tell."""
        self.reading = reading(what, complete=complete)
        self._changed.set()

    async def read(self) -> Reading:
        self.readings += 1
        return self.reading

    async def changes(self) -> AsyncIterator[None]:
        while True:
            await self._changed.wait()
            self._changed.clear()
            yield


def reading(what: Iterable[What], *, complete: bool = True, traced: Mapping[str, Traceparent] = MappingProxyType({})) -> Reading:
    """A reading of these declarations, which say of some workloads where they are traced."""
    every = tuple(what)
    return Reading(
        hosts=tuple(Declared(value=it, origin=f"{it.name}.yaml") for it in every if isinstance(it, Host)),
        workloads=tuple(
            Declared(value=it, origin=f"{it.key.id}.yaml", traceparent=traced.get(it.key.id))
            for it in every
            if isinstance(it, DeclaredWorkload)
        ),
        complete=complete,
    )


class SpoiltMirror:
    """The real mirror, with a say before each step, which may raise: PostgreSQL goes away between two statements when it likes."""

    def __init__(self, mirror: MirrorIndex) -> None:
        self._mirror = mirror
        self.steps: list[str] = []
        self.before: Callable[[str], object] = lambda _: None

    async def read(self) -> Mirror:
        self._step("read")
        return await self._mirror.read()

    async def write(self, plan: MirrorPlan, *, stale_after: float) -> None:
        self._step("write")
        await self._mirror.write(plan, stale_after=stale_after)

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self.before(name)
