"""One guarded `GET`: whatever answers, what comes back is a whole answer of bounded size, or an error.

An answer counts if its status is 200, nothing redirected it, and it says itself where it ends: without `Content-Length` or chunks a body
ends with the connection, so half of it cannot be told from all of it, and an empty list cut so would have every row of the host swept.
"""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Generic, TypeVar

import aiohttp

from tinyforge.engine.answers import read_complaint
from tinyforge.engine.faults import StatusError
from tinyforge.engine.intake import Intake
from tinyforge.engine.transport import Transport
from tinyforge.engine.versions import ApiVersion
from tinyforge.ports import EngineError, EngineReason

T = TypeVar("T")

_COMPLAINT = 4096  # bytes read of an error's body
_FULL_BACKLOG = 0.02  # seconds until a unix socket whose queue is full is tried again


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """A decoded answer. `asked_at` is the moment just before its request was sent, on the monotonic clock, in seconds."""

    value: T
    asked_at: float


class Requests:
    """The requests to one engine.

    Args:
        transport: the way there.
        intake: the gate that all engines share.
        limit: the most bytes an answer may have.
        connect_timeout: how long to try for a connection, in seconds. Any other limit of time is the caller's.
    """

    def __init__(self, transport: Transport, *, intake: Intake, limit: int, connect_timeout: float) -> None:
        self._transport = transport
        self._intake = intake
        self._limit = limit
        self._connect_timeout = connect_timeout

    async def version(self) -> ApiVersion:
        """Ask which version of the API the engine speaks.

        Raises:
            EngineError: it did not say.
        """
        async with self._response("/_ping", {}) as (response, _):
            version = ApiVersion.of(response.headers.get("Api-Version"))
            await response.content.read(_COMPLAINT)  # two letters; a connection with something unread could not be used again
            return version

    async def fetch(self, path: str, query: Mapping[str, str], decode: Callable[[bytearray], T]) -> Answer[T]:
        """Get and decode one answer.

        Nothing is awaited after the decoding, so what the caller does until it awaits again is in the same turn of the loop, and bounded by
        the gate too.

        Raises:
            EngineError: there was no whole, readable answer.
        """
        with self._intake.body(self._limit) as body:
            async with self._response(path, query) as (response, asked_at):
                self._refuse_longer(response.content_length)
                await body.receive(response.content.iter_any())
                return Answer(decode(body.content), asked_at)

    @asynccontextmanager
    async def _response(self, path: str, query: Mapping[str, str]) -> AsyncIterator[tuple[aiohttp.ClientResponse, float]]:
        try:
            response, asked_at = await self._send(path, query)
            try:
                await _check(response)
                yield response, asked_at
            finally:
                response.release()
        except aiohttp.ClientError as error:
            raise self._transport.failure(error) from error

    async def _send(self, path: str, query: Mapping[str, str]) -> tuple[aiohttp.ClientResponse, float]:
        give_up_at = time.monotonic() + self._connect_timeout
        while True:
            session = await self._transport.session()
            asked_at = time.monotonic()
            try:
                return await session.get(path, params=query, allow_redirects=False), asked_at
            except aiohttp.ClientOSError as error:
                # A unix socket whose backlog is full refuses with EAGAIN, which asyncio takes for "under way": the first write then fails.
                if error.errno != errno.ENOTCONN or asked_at > give_up_at:
                    raise
            await asyncio.sleep(_FULL_BACKLOG)

    def _refuse_longer(self, announced: int | None) -> None:
        if announced is not None and announced > self._limit:
            raise EngineError(
                EngineReason.ANSWER_TOO_LARGE, f"the engine announced an answer of {announced} bytes; {self._limit} is the most"
            )


async def _check(response: aiohttp.ClientResponse) -> None:
    if response.status != 200:
        raise StatusError(response.status, await _complaint(response))
    if "Content-Length" not in response.headers and "chunked" not in response.headers.get("Transfer-Encoding", ""):
        raise EngineError(
            EngineReason.ANSWER_UNREADABLE, "the engine's answer does not say where it ends, so half of it would pass for all of it"
        )


async def _complaint(response: aiohttp.ClientResponse) -> str:
    """Return what the engine says about an error, if it says it at once."""
    try:
        async with asyncio.timeout(1):
            return read_complaint(await response.content.read(_COMPLAINT))
    except (TimeoutError, aiohttp.ClientError):
        return ""
