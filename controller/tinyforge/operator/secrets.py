"""Secrets of the operator's own namespace, as the engines' transports read them: before every call, and from here.

The API server is asked for a Secret at most every 2 seconds, by whichever call comes first. While it does not answer, what it said last
is used, so that an outage of the cluster leaves the index true. What is rotated is used at the next pass. Nothing is listed or watched,
so the permission `get` is enough, and only what some DockerHost names is ever asked for.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from math import inf

from tinyforge.cluster import Cluster, ClusterRefused, ClusterUnavailable
from tinyforge.domain.complaints import Complaint
from tinyforge.ports import EngineError, EngineReason

logger = logging.getLogger(__name__)

FRESH_SECONDS = 2.0
"""How long an answer counts as what a Secret holds now: longer than the three requests of a pass are apart, and than a burst of hosts."""
PATIENCE_SECONDS = 1.0
"""How long a call waits for the API server if it could go on without."""
UNUSED_SECONDS = 900.0
"""After how long a Secret that nobody asks for any more is forgotten; passes are at most 5 minutes apart (rule P2)."""

_FORBIDDEN = 403


@dataclass(slots=True)
class _Known:
    """What is known of a Secret. `content` is what it held when the API server last said so, None if there was no such Secret."""

    content: Mapping[str, bytes] | None = None
    failure: ClusterUnavailable | ClusterRefused | None = None
    complaint: Complaint = field(default_factory=Complaint)
    asked_at: float = -inf
    used_at: float = -inf
    reading: asyncio.Task[None] | None = None

    def __repr__(self) -> str:
        return "_Known(…)"


class ClusterSecrets:
    """The Secrets of one namespace; implements `tinyforge.ports.Secrets`. Close it in the end.

    Args:
        cluster: where they are.
        clock: a monotonic clock, in seconds.
    """

    def __init__(self, cluster: Cluster, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._cluster = cluster
        self._clock = clock
        self._known: dict[str, _Known] = {}

    async def read(self, name: str, keys: Collection[str]) -> Mapping[str, bytes]:
        """Return what a Secret holds under some keys, as the API server said within the last 2 seconds or, if it is away, before.

        Raises:
            EngineError: there is no such Secret, it lacks a key, it may not be read, or nobody has ever been able to tell.
        """
        known = await self._refreshed(name)
        if known.content is None and known.failure:
            raise _unusable(f"{self._title(name)} cannot be read: {known.failure}{self._way_out(known.failure)}") from known.failure
        if known.content is None:
            raise _unusable(f"{self._title(name)} does not exist: create it with the keys {', '.join(keys)}")
        for key in keys:
            if key not in known.content:
                raise _unusable(f'{self._title(name)} has no key "{key}"; it needs {", ".join(keys)}')
        return {key: known.content[key] for key in keys}

    def describe(self, name: str, key: str) -> str:
        """Return a key with its Secret."""
        return f'key "{key}" of {self._title(name)}'

    async def close(self) -> None:
        """End what is under way; idempotent."""
        readings = [known.reading for known in self._known.values() if known.reading]
        self._known.clear()
        for reading in readings:
            reading.cancel()
        await asyncio.gather(*readings, return_exceptions=True)

    async def _refreshed(self, name: str) -> _Known:
        known = self._known.setdefault(name, _Known())
        known.used_at = now = self._clock()
        if known.reading is None and now - known.asked_at >= FRESH_SECONDS:
            self._forget_unused(now)
            known.reading = asyncio.create_task(self._read(name, known), name=f"Secret {name}")
        if known.reading:
            ended, _ = await asyncio.wait({known.reading}, timeout=None if known.content is None else PATIENCE_SECONDS)
            for reading in ended:
                reading.result()
        return known

    async def _read(self, name: str, known: _Known) -> None:
        """Ask the API server, which takes at most the 5 seconds of any call to it; no caller's end ends it, since others wait too."""
        try:
            content = await self._cluster.read_secret(name)
        except (ClusterUnavailable, ClusterRefused) as error:
            self._failed(name, known, error)
        else:
            self._answered(name, known, content)
        finally:
            known.asked_at = self._clock()
            known.reading = None

    def _failed(self, name: str, known: _Known, error: ClusterUnavailable | ClusterRefused) -> None:
        """Keep what was said last, unless the answer is that we may not know it. A refused login is an outage, and no such answer."""
        if isinstance(error, ClusterRefused) and error.status == _FORBIDDEN:
            known.content = None
        elif known.content is not None and known.complaint.is_news(str(error)):
            what = "%s cannot be read, so what it held last goes on being used: %s"
            logger.warning(what, self._title(name), error, extra={"action": "secret_not_read", "secret": name})
        known.failure = error

    def _answered(self, name: str, known: _Known, content: Mapping[str, bytes] | None) -> None:
        if failures := known.complaint.over():
            extra = {"action": "secret_read_again", "secret": name, "failures": failures}
            logger.info("%s can be read again (failures: %d)", self._title(name), failures, extra=extra)
        known.content, known.failure = content, None

    def _forget_unused(self, now: float) -> None:
        for name in [name for name, known in self._known.items() if now - known.used_at > UNUSED_SECONDS and not known.reading]:
            del self._known[name]

    def _title(self, name: str) -> str:
        return f'Secret "{name}" in namespace "{self._cluster.namespace}"'

    def _way_out(self, failure: ClusterUnavailable | ClusterRefused) -> str:
        refused = isinstance(failure, ClusterRefused) and failure.status == _FORBIDDEN
        return f'; let the operator "get" Secrets in namespace "{self._cluster.namespace}"' if refused else ""


def _unusable(what: str) -> EngineError:
    return EngineError(EngineReason.SECRET_UNUSABLE, what)
