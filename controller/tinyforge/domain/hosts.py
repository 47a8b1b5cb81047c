"""One Docker Engine that Tinyforge looks after, as far as a pass needs to know it."""

from dataclasses import dataclass
from enum import StrEnum


class HostState(StrEnum):
    """What the index knows of a host's present state (column `hosts.state`)."""

    NEW = "new"
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    SUSPENDED = "suspended"
    ENGINE_CHANGED = "engine_changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """A declared host. The secret fields name a Secret that holds its keys, never a value of one.

    `generation` counts the changes of what was written; 0 where nobody counts, as in a folder of manifests.
    """

    name: str
    endpoint: str
    tls_secret: str = ""
    ssh_secret: str = ""
    suspended: bool = False
    acknowledged_engine_id: str = ""
    allowed_namespaces: tuple[str, ...] = ()
    generation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineIdentity:
    """Who answers under a host's name: the engine's own id and versions (`GET /info`, `GET /version`).

    `clock_ahead` is by how many seconds the engine's clock is ahead of this machine's; None if it did not say.
    """

    engine_id: str
    version: str
    api_version: str
    clock_ahead: float | None = None
