"""One request to the API server: bounded in time as a whole, answered by JSON of the right shape, or failed with an error of ours."""

import asyncio
from collections.abc import Mapping
from typing import Any, TypeVar

import httpx2
import msgspec
from lightkube.exceptions import ConfigError

from tinyforge.cluster.faults import unanswered, unreadable, unsuccessful
from tinyforge.cluster.wire import body_of

T = TypeVar("T")

CONNECT_SECONDS = 2.0
CALL_SECONDS = 5.0

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

    async def apply(self, path: str, body: Mapping[str, Any], shape: type[T], *, field_manager: str) -> T:
        """Apply an object on the server: its fields become the field manager's, whoever had them. Raises as `get` does."""
        query = {"fieldManager": field_manager, "force": "true"}
        headers = {"Content-Type": "application/apply-patch+yaml"}
        return await self._send(self._client.build_request("PATCH", path, params=query, headers=headers, content=body_of(body)), shape)

    async def close(self) -> None:
        """Close all connections; idempotent."""
        await self._client.aclose()

    async def _send(self, request: httpx2.Request, shape: type[T]) -> T:
        try:
            async with asyncio.timeout(self._seconds):
                response = await self._client.send(request)
        except _FAILURES as error:
            raise unanswered(error) from error
        if not response.is_success:
            raise unsuccessful(response.status_code, response.headers, response.content)
        try:
            return msgspec.json.decode(response.content, type=shape)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise unreadable(response.status_code) from error
