"""Jaeger's v3 API over HTTP (`GET /api/v3/traces/{id}`), one trace at a time.

aiohttp, as in the engine adapter, because its timeout is a total one: a Jaeger that drips a byte a second ends with it, which no timeout of
the standard library's client does.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from urllib.parse import quote

import aiohttp

from tinyforge.domain.texts import printable
from tinyforge.jaeger.address import JaegerAddress
from tinyforge.jaeger.answers import read_complaint, read_trace
from tinyforge.jaeger.errors import AnswerUnreadable, JaegerError, TraceNotFound
from tinyforge.jaeger.spans import Trace

TIMEOUT = 5.0
"""How many seconds one answer may take as a whole."""
LIMIT = 8 << 20
"""How many bytes one answer may have: some 8,000 spans, where a dispatch has about five."""

_LOCKED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN)


class Jaeger:
    """A Jaeger that can be asked."""

    def __init__(self, address: JaegerAddress, session: aiohttp.ClientSession) -> None:
        self._address = address
        self._session = session

    async def trace(self, trace_id: str) -> Trace:
        """Return a trace.

        Args:
            trace_id: 32 hexadecimal digits; anything else is looked for as well, and not found.

        Raises:
            TraceNotFound: it has none with this id.
            JaegerError: it gave no usable answer.
        """
        status, body = await self._get(f"/api/v3/traces/{quote(trace_id, safe='')}")
        trace = self._understood(body) if status == HTTPStatus.OK else Trace(())
        if trace.spans:
            return trace
        complaint = read_complaint(body)
        if status == HTTPStatus.OK or (status == HTTPStatus.NOT_FOUND and complaint is not None):
            raise TraceNotFound(f"Jaeger at {self._address} has no trace {trace_id}")
        raise JaegerError(self._refusal(status, complaint))

    async def _get(self, path: str) -> tuple[int, bytearray]:
        try:
            async with self._session.get(f"{self._address}{path}", allow_redirects=False) as response:
                return response.status, await self._received(response)
        except TimeoutError as error:
            raise JaegerError(f"Jaeger at {self._address} did not answer within {TIMEOUT:g}s") from error
        except (aiohttp.ClientError, ValueError) as error:  # a ValueError for an address that no resolver takes
            raise JaegerError(
                f"Jaeger at {self._address} does not answer: {printable(str(error)) or type(error).__name__}; "
                "start it, or correct TINYFORGE_JAEGER_URL"
            ) from error

    async def _received(self, response: aiohttp.ClientResponse) -> bytearray:
        body = bytearray()
        async for piece in response.content.iter_any():
            body += piece
            if len(body) > LIMIT:
                raise JaegerError(f"Jaeger at {self._address} answers with more than {LIMIT >> 20} MiB, which no trace of Tinyforge has")
        return body

    def _understood(self, body: bytearray) -> Trace:
        try:
            return read_trace(body)
        except AnswerUnreadable as error:
            raise JaegerError(
                f"what {self._address} answers is no trace of Jaeger's v3 API: {error}; does TINYFORGE_JAEGER_URL name Jaeger's query port "
                "(16686 by default), with its base path if it has one?"
            ) from error

    def _refusal(self, status: int, complaint: str | None) -> str:
        if status in _LOCKED:
            return f"{self._address} answers HTTP {status}: put the right user:password@ before the host in TINYFORGE_JAEGER_URL"
        if complaint:
            return f"Jaeger at {self._address} answers HTTP {status}: {complaint}"
        return (
            f"{self._address} answers HTTP {status}, and not as Jaeger's v3 API does: does TINYFORGE_JAEGER_URL name Jaeger's query port "
            "(16686 by default), with its base path if it has one?"
        )


@asynccontextmanager
async def opened_jaeger(address: JaegerAddress) -> AsyncIterator[Jaeger]:
    """Open connections to a Jaeger, for the length of a block; nothing is sent before something is asked."""
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if address.user or address.password:
        headers["Authorization"] = aiohttp.encode_basic_auth(address.user, address.password, encoding="utf-8")
    async with aiohttp.ClientSession(
        auto_decompress=False,  # a small answer must not become a large one
        headers=headers,
        timeout=aiohttp.ClientTimeout(total=TIMEOUT),
    ) as session:
        yield Jaeger(address, session)
