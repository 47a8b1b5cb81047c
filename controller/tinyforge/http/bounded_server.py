"""aiohttp's HTTP server, within bounds.

aiohttp bounds one request's head and how much it buffers. It has no limit to the number of connections, and none to the time that a client
takes to read its answer.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import StreamReader, web
from aiohttp.abc import AbstractStreamWriter
from aiohttp.http_parser import RawRequestMessage
from yarl import URL

from tinyforge.http.bounds import FIELD_BYTES, FIELDS, LINE_BYTES, Bounds

_clients = logging.getLogger("tinyforge.http.clients")
"""Where aiohttp tells of requests that are none, with a traceback each: a port scan would fill the log."""

_NO_LINGERING = struct.pack("ii", 1, 0)
"""Has the kernel forget what a client has not read yet: it would keep that for minutes after the connection's end."""


class BoundedServer(web.Server):
    """Serves requests for as long and to as many as the bounds allow.

    Args:
        answer: answers a request, whose target is in its `raw_path` and nowhere else.
        bounds: the bounds.
    """

    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], *, bounds: Bounds) -> None:
        _clients.setLevel(logging.CRITICAL)
        super().__init__(
            answer,
            request_factory=_request,
            access_log=None,
            auto_decompress=False,  # nobody reads a body, so it need not grow either
            lingering_time=0,  # a body that is still on its way is not waited for
            logger=_clients,
            max_line_size=LINE_BYTES,
            max_field_size=FIELD_BYTES,
            max_headers=FIELDS,
        )
        self._bounds = bounds
        self._open: dict[web.RequestHandler, tuple[asyncio.Transport, asyncio.TimerHandle]] = {}  # oldest first

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Take a connection in, and let the oldest go if it is one too many."""
        super().connection_made(handler, transport)
        if len(self._open) >= self._bounds.connections:
            self._abort(next(iter(self._open)))
        timer = asyncio.get_running_loop().call_later(self._bounds.seconds, self._abort, handler)
        self._open[handler] = transport, timer

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        """Forget a connection that has ended."""
        super().connection_lost(handler, exc)
        if handler in self._open:
            _, timer = self._open.pop(handler)
            timer.cancel()

    def abort_all(self) -> None:
        """End every connection now, even one whose client does not read its answer."""
        for handler in list(self._open):
            self._abort(handler)

    def _abort(self, handler: web.RequestHandler) -> None:
        transport, timer = self._open.pop(handler)
        timer.cancel()
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGERING)
        transport.abort()


def _request(
    message: RawRequestMessage,
    payload: StreamReader,
    protocol: web.RequestHandler,
    writer: AbstractStreamWriter,
    task: asyncio.Task[None],
) -> web.BaseRequest:
    """Make a request, and no URL of its target: aiohttp takes that apart where a host such as `xn--` ends the task without an answer."""
    told = message._replace(url=URL("/"), path=message.path or "")  # a CONNECT to nowhere has None for a path
    return web.BaseRequest(told, payload, protocol, writer, task, asyncio.get_running_loop())
