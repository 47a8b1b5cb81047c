"""The Docker Engine as the use cases know it (`tinyforge.ports.Engine`): three questions over guarded requests."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

import msgspec

from tinyforge.domain.hosts import EngineIdentity
from tinyforge.engine.answers import read_containers, read_info, read_labels
from tinyforge.engine.faults import StatusError
from tinyforge.engine.requests import Requests
from tinyforge.engine.transport import Transport
from tinyforge.engine.versions import ApiVersion, common_version
from tinyforge.ports import EngineError, EngineReason, Listing

T = TypeVar("T")

_ON_THE_WAY = frozenset({EngineReason.CONNECT_FAILED, EngineReason.TIMEOUT})
_CONTAINER_ID = re.compile("[0-9a-f]{64}")


class DockerEngine:
    """One engine; implements `Engine`. `list_timeout` bounds each call as a whole, in seconds, whatever is needed for it."""

    def __init__(self, transport: Transport, requests: Requests, *, list_timeout: float) -> None:
        self._transport = transport
        self._requests = requests
        self._list_timeout = list_timeout
        self._version: ApiVersion | None = None

    @property
    def generation(self) -> int:
        """How often the credentials changed. Read it after a call: the call is what reads them anew."""
        return self._transport.generation

    async def containers(self, ids: Collection[str] = ()) -> Listing:
        """List all containers; with `ids` only these, which are whole ids, since an engine takes a part of one for all that begin so.

        Raises:
            EngineError: there was no whole, readable answer.
            ValueError: an id is not 64 hex digits.
        """

        async def ask(version: ApiVersion) -> Listing:
            answer = await self._requests.fetch(f"/v{common_version(version)}/containers/json", _selection(ids), read_containers)
            return Listing(answer.value, answer.asked_at)

        return await self._call(ask)

    async def labels(self, container_id: str) -> Mapping[str, str]:
        """Return all labels of one container; empty if the engine no longer has it.

        Raises:
            EngineError: there was no whole, readable answer.
            ValueError: the id is not 64 hex digits.
        """

        async def ask(version: ApiVersion) -> Mapping[str, str]:
            path = f"/v{common_version(version)}/containers/json"
            answer = await self._requests.fetch(path, _selection((container_id,)), lambda body: read_labels(body, container_id))
            return answer.value

        return await self._call(ask)

    async def identity(self) -> EngineIdentity:
        """Ask the engine who it is.

        Raises:
            EngineError: there was no whole, readable answer.
        """

        async def ask(version: ApiVersion) -> EngineIdentity:
            answer = await self._requests.fetch(f"/v{common_version(version)}/info", {}, read_info)
            info, now = answer.value, datetime.now(UTC) - timedelta(seconds=(time.monotonic() - answer.asked_at) / 2)
            ahead = (info.clock - now).total_seconds() if info.clock else None
            return EngineIdentity(engine_id=info.engine_id, version=info.version, api_version=str(version), clock_ahead=ahead)

        return await self._call(ask)

    async def close(self) -> None:
        """Give up the connections; idempotent."""
        await self._transport.close()

    async def _call(self, ask: Callable[[ApiVersion], Awaitable[T]]) -> T:
        try:
            async with asyncio.timeout(self._list_timeout):
                return await self._negotiated(ask)
        except TimeoutError as error:
            self._forget(EngineReason.TIMEOUT)
            raise EngineError(EngineReason.TIMEOUT, f"no whole answer within {self._list_timeout:g} s") from error
        except EngineError as error:
            self._forget(error.reason)
            raise

    async def _negotiated(self, ask: Callable[[ApiVersion], Awaitable[T]]) -> T:
        self._version = self._version or await self._requests.version()
        try:
            return await ask(self._version)
        except StatusError as error:
            if error.http_status != 400:  # what an engine answers to a version that it does not speak, any more or yet
                raise
        self._version = await self._requests.version()
        return await ask(self._version)

    def _forget(self, reason: EngineReason) -> None:
        """After a failure another engine may answer under this address."""
        self._version = None
        if reason in _ON_THE_WAY:
            self._transport.distrust()


def _selection(ids: Collection[str]) -> dict[str, str]:
    if not all(_CONTAINER_ID.fullmatch(container_id) for container_id in ids):
        raise ValueError("a container is listed by its whole id of 64 hex digits")
    return {"all": "1", "filters": msgspec.json.encode({"id": sorted(ids)}).decode()} if ids else {"all": "1"}
