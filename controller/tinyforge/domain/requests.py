"""What people ask the leader for, by way of the index."""

from dataclasses import dataclass
from enum import StrEnum


class RequestKind(StrEnum):
    """What a request asks for."""

    SYNC = "sync"
    EXPLAIN = "explain"
    FORGET = "forget"
    DEPLOY = "deploy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One open request. `host` is what it is about, or all if empty; `argument` a container or a workload; `by` is whoever asked."""

    id: int
    kind: RequestKind
    host: str
    argument: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """The ids of the missing rows that were deleted, and of those that are a deployer's and stay."""

    deleted: tuple[str, ...]
    kept: tuple[str, ...]
