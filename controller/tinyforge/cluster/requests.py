"""One request to the API server: bounded in time as a whole, answered by JSON of the right shape, or failed with an error of ours."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any, TypeVar

import httpx2
import msgspec
from lightkube.exceptions import ConfigError

from tinyforge.cluster.faults import unanswered, unreadable, unsuccessful
from tinyforge.cluster.opened import Opened
from tinyforge.cluster.wire import body_of

T = TypeVar("T")

CALL_SECONDS = 5.0
LONGEST_LINE = 4 << 20  # bytes; the API server stores no object of more than 1.5 MiB

# Beside httpx's own errors: a closed stream, the files and commands that lightkube logs in by, and rubbish that such a command prints.
_FAILURES = (httpx2.HTTPError, httpx2.StreamError, ConfigError, OSError, LookupError, TypeError, ValueError)


class Requests:
    """The requests to one API server, over a client that knows where it is and how to log in.

    Args:
        client: the client; from now on it is this object's to close.
        seconds: how long a request may take as a whole. httpx's own timeouts begin anew with every byte.
    """

    def __init__(self, client: httpx2.AsyncClient, *, seconds: float = CALL_SECONDS) -> None:
        self._client = client
        self._seconds = seconds

    async def get(self, path: str, shape: type[T], *, query: Mapping[str, str] | None = None) -> T:
        """Get what is at a path.

        Raises:
            ClusterUnavailable: the API server gave no usable answer, or one of another shape.
            ClusterRefused: it said no.
        """
        return await self._send(self._client.build_request("GET", path, params=dict(query or {})), shape)

    async def post(self, path: str, body: Mapping[str, Any], shape: type[T]) -> T:
        """Add an object. Raises as `get` does."""
        headers = {"Content-Type": "application/json"}
        return await self._send(self._client.build_request("POST", path, headers=headers, content=body_of(body)), shape)

    async def put(self, path: str, body: Mapping[str, Any], shape: type[T]) -> T:
        """Replace an object by another state of it. Raises as `get` does."""
        headers = {"Content-Type": "application/json"}
        return await self._send(self._client.build_request("PUT", path, headers=headers, content=body_of(body)), shape)

    async def apply(self, path: str, body: Mapping[str, Any], shape: type[T], *, field_manager: str) -> T:
        """Apply an object on the server: its fields become the field manager's, whoever had them. Raises as `get` does."""
        query = {"fieldManager": field_manager, "force": "true"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return await self._send(self._client.build_request("PATCH", path, params=query, headers=headers, content=body_of(body)), shape)

    async def follow(self, path: str, shape: type[T], *, query: Mapping[str, str]) -> AsyncGenerator[T, None]:
        """Yield what comes out of an answer that goes on, a line each, until the server ends it.

        The answer has to begin in time; how long it may be silent is for the caller to say, who closes this.

        Raises:
            ClusterUnavailable: the API server gave no usable answer, one of another shape, or its answer was cut off.
            ClusterRefused: it said no.
        """
        patient = httpx2.Timeout(**{**self._client.timeout.as_dict(), "read": None})
        request = self._client.build_request("GET", path, params=dict(query), timeout=patient)
        response = await self._answer(request, stream=True)
        try:
            async with aclosing(_lines(response)) as lines:
                async for line in lines:
                    yield _decoded(line, shape, response.status_code)
        except _FAILURES as error:
            raise unanswered(error) from error
        finally:
            await response.aclose()

    async def close(self) -> None:
        """Close all connections; idempotent."""
        await self._client.aclose()

    async def _send(self, request: httpx2.Request, shape: type[T]) -> T:
        response = await self._answer(request)
        return _decoded(response.content, shape, response.status_code)

    async def _answer(self, request: httpx2.Request, *, stream: bool = False) -> httpx2.Response:
        """Return a successful answer, read whole unless it is to be streamed."""
        opened = Opened(request)
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.send(request, stream=stream)
                if not response.is_success:
                    await response.aread()
        except _FAILURES as error:
            await opened.close()
            raise unanswered(error) from error
        except asyncio.CancelledError:
            await opened.close()
            raise
        if not response.is_success:
            raise unsuccessful(response.status_code, response.headers, response.content)
        return response


async def _lines(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """Yield the lines of an answer as they come. httpx's own would end one at U+2028 too, which JSON may hold."""
    begun = b""
    async with aclosing(response.aiter_bytes()) as pieces:
        async for piece in pieces:
            *whole, begun = (begun + piece).split(b"\n")
            if len(begun) > LONGEST_LINE:
                raise unreadable(response.status_code)
            for line in whole:
                yield line


def _decoded(content: bytes, shape: type[T], status: int) -> T:
    try:
        return msgspec.json.decode(content, type=shape)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise unreadable(status) from error
