"""What the use cases need of Docker Engines, and of whatever holds the credentials for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tinyforge.domain.containers import Container
from tinyforge.domain.hosts import EngineIdentity


@dataclass(frozen=True, slots=True)
class Listing:
    """A whole, successful answer to one list: HTTP status 200, since no other counts.

    `asked_at` is the moment it was asked for, on this process's monotonic clock, in seconds.
    """

    containers: Sequence[Container]
    asked_at: float


class Engine(Protocol):
    """One Docker Engine, behind whatever endpoint it has. Every call ends within its total timeout and can be cancelled at once."""

    @property
    def generation(self) -> int:
        """A number that grows whenever the engine's credentials changed: another one may answer since.

        A call is what reads them, so this is to be looked at after it.
        """
        ...

    async def containers(self, ids: Collection[str] = ()) -> Listing:
        """List all containers, running and stopped; with `ids` (64 hex digits each) only these.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        ...

    async def labels(self, container_id: str) -> Mapping[str, str]:
        """Return every label of one container, for `explain`; empty if the engine no longer has it.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        ...

    async def identity(self) -> EngineIdentity:
        """Ask the engine who it is.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        ...

    async def close(self) -> None:
        """Give up the connections; idempotent."""
        ...


class Secrets(Protocol):
    """Where the credentials for engines are. What a Secret holds is never in a message, a log or a repr."""

    async def read(self, name: str, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return what a Secret holds now under each of some keys, which may be nothing.

        Args:
            name: a name as Kubernetes allows it.
            keys: the keys it must have; no other is returned.

        Raises:
            EngineError: SECRET_UNUSABLE: there is no such Secret, it lacks a key, or it cannot be read; the text says what to do.
        """
        ...

    def describe(self, name: str, key: str) -> str:
        """Return what a message calls a key of a Secret, so that its reader finds it."""
        ...
