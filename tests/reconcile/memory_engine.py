"""An engine that is whatever a test makes it, and has its words between the lines of a pass.

In memory, because a pass sees of an engine no more than `tinyforge.ports.Engine`; that real engines are such a thing is proved in
tests/engine. The index behind the passes is real.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tests.index.examples import ENGINE
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.ports import EngineError, Listing


class MemoryEngine:
    """An engine with some containers.

    `failure` is raised instead of an answer; `while_listing` is called when a list is asked for, before it is answered; `asked` says
    what was asked for.
    """

    def __init__(self, *containers: Container, identity: EngineIdentity = ENGINE) -> None:
        self.has = list(containers)
        self.who = identity
        self.generation = 0
        self.failure: EngineError | None = None
        self.while_listing: Callable[[], object] = lambda: None
        self.asked: list[str] = []

    async def containers(self, ids: Collection[str] = ()) -> Listing:
        """See `tinyforge.ports.Engine.containers`."""
        assert not ids, "a pass lists everything"
        self.asked.append("containers")
        asked_at = time.monotonic()
        listed = tuple(self.has)
        self.while_listing()
        if self.failure:
            raise self.failure
        return Listing(listed, asked_at)

    async def labels(self, container_id: str) -> Mapping[str, str]:
        """See `tinyforge.ports.Engine.labels`."""
        raise NotImplementedError(container_id)

    async def identity(self) -> EngineIdentity:
        """See `tinyforge.ports.Engine.identity`."""
        self.asked.append("identity")
        return self.who

    async def close(self) -> None:
        """See `tinyforge.ports.Engine.close`."""


def container(id_: str, *, state: str = "running", image: str = "image:1", created: int = 1, **labels: Any) -> Container:
    """A container with Tinyforge's labels, by the names the domain has for them."""
    return Container(id=id_, names=(f"/{id_}",), image=image, state=state, created=created, labels=Labels(**labels))


def service(name: str, *, project: str = "tinyforge-default_app", id_: str = "", **others: Any) -> Container:
    """A container as Compose makes it."""
    return container(id_ or f"{name}-1", compose_project=project, compose_service=name, **others)
