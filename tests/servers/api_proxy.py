"""A proxy in front of the real API server that spoils what passes.

For the faults that a real API server cannot be made to show at a chosen point: `api_proxy.spoil("PATCH .*/status", refuse(429))`.
What is not spoiled passes unchanged. It serves in a thread of its own, for tests with or without an event loop. Whoever asks is known by
the token in the request, so it takes kubeconfigs of service accounts; a client certificate ends here.

Fixture (a plugin of tests/conftest.py): `api_proxy`, in front of `control_plane`.
"""

import asyncio
import re
import ssl
import tempfile
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiohttp import ClientError, ClientSession, ClientTimeout, TCPConnector, web
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.servers import kubeconfigs
from tests.servers.kubernetes import ControlPlane

T = TypeVar("T")
Forward = Callable[[web.Request], Awaitable[web.StreamResponse]]
Fault = Callable[[web.Request, Forward], Awaitable[web.StreamResponse]]
LARGEST = 4 << 20  # bytes of a request
OWN_HEADERS = frozenset({"connection", "content-length", "host", "transfer-encoding"})  # of each of the two connections

ADDED = ("Accept", "Accept-Encoding", "Content-Type", "User-Agent")  # by aiohttp, where the client has none


def refuse(status: int, *, retry_after: int | None = None, message: str = "a fault of the tests") -> Fault:
    """Answer with an error of Kubernetes' own form, and perhaps the seconds to wait."""

    async def fault(_request: web.Request, _forward: Forward) -> web.StreamResponse:
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        answer = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "code": status}
        return web.json_response(answer, status=status, headers=headers)

    return fault


def delay(seconds: float) -> Fault:
    """Pass it on later."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await forward(request)

    return fault


def hang() -> Fault:
    """Never answer, and keep the connection open."""

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        await asyncio.Event().wait()
        return await forward(request)

    return fault


def unanswered(*, after: float = 0.0) -> Fault:
    """Pass it on so many seconds later, even if the client has given up by then, and hang up on it instead of answering."""

    async def pass_on(request: web.Request, forward: Forward) -> None:
        await asyncio.sleep(after)
        dropped(request)
        with suppress(Exception):  # nobody is there to take the answer
            await forward(request)

    async def fault(request: web.Request, forward: Forward) -> web.StreamResponse:
        await request.read()
        task = asyncio.create_task(pass_on(request, forward))
        try:
            await asyncio.Event().wait()
        finally:  # the client is gone, and took this task with it
            await asyncio.shield(task)
        return dropped(request)

    return fault


def empty() -> Fault:
    """Answer with 200 and nothing, as some proxies do to a watch."""

    async def fault(_request: web.Request, _forward: Forward) -> web.StreamResponse:
        return web.Response(content_type="application/json")

    return fault


class ApiProxy:
    """The proxy; it serves from the start until `close`. `requests` are those that came, as `GET /api/v1/namespaces?limit=500`."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.requests: list[str] = []
        self._control_plane = control_plane
        self._folder = tempfile.TemporaryDirectory(prefix="tinyforge-proxy-")
        self._faults: dict[str, tuple[Fault, int]] = {}
        self._silent: list[str] = []
        self._awaited: list[tuple[str, Future[str]]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="API proxy", daemon=True)
        self._thread.start()
        self._runner = web.AppRunner(self._application(), handler_cancellation=True, shutdown_timeout=0, access_log=None)
        self.url = self._do(self._serve())

    def kubeconfig(self, of: Path) -> Path:
        """Return a copy of a service account's kubeconfig that leads through this proxy."""
        return kubeconfigs.elsewhere(of, server=self.url, file=Path(self._folder.name) / of.name)

    def spoil(self, pattern: str, fault: Fault, *, times: int = 1_000_000) -> None:
        """Spoil the next so many requests that match a regular expression from their beginning, as in `requests`."""
        self._faults[pattern] = (fault, times)

    def silence(self, pattern: str) -> None:
        """Let nothing more come out of the answers to such requests, of watches that are open already too; connections stay."""
        self._silent.append(pattern)

    def heal(self) -> None:
        """Let later requests pass, and say again what comes out of open watches from now on."""
        self._faults.clear()
        self._silent.clear()

    def next_request(self, pattern: str) -> "Future[str]":
        """Return the next such request, when it comes: `.result(10)`, or `await asyncio.wrap_future(...)`."""
        asked: Future[str] = Future()
        self._awaited.append((pattern, asked))
        return asked

    def close(self) -> None:
        """Stop serving."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._folder.cleanup()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _serve(self) -> str:
        authority = self._control_plane.authority
        trusting = ssl.create_default_context(cadata=authority.root.pem.decode())
        # Bodies pass as they are, whatever their encoding.
        self._session = ClientSession(
            connector=TCPConnector(ssl=trusting, limit=0), timeout=ClientTimeout(total=None), auto_decompress=False, trust_env=False
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls())
        await site.start()
        return f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def _end(self) -> None:
        """Abort every connection: a TLS connection that is closed waits for the other side, and the loop would not."""
        assert self._runner.server
        for connection in self._runner.server.connections:
            if connection.transport:
                connection.transport.abort()
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(0)  # sockets are closed a turn after their abortion

    def _application(self) -> web.Application:
        application = web.Application(client_max_size=LARGEST)
        application.router.add_route("*", "/{path:.*}", self._answer)
        return application

    def _tls(self) -> ssl.SSLContext:
        issued = self._control_plane.authority.issue(ExtendedKeyUsageOID.SERVER_AUTH)
        both = Path(self._folder.name) / "server.pem"
        both.write_bytes(issued.key_pem() + issued.pem)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(both)
        return context

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = f"{request.method} {request.path_qs}"
        fault = self._fault_for(asked)  # before anybody hears of the request, who may then heal
        self._note(asked)
        try:
            return await (fault(request, self._forward) if fault else self._forward(request))
        except (ClientError, ConnectionError):  # the API server is away, or the client is
            return dropped(request)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in OWN_HEADERS}
        url = self._control_plane.url + request.path_qs
        body = await request.read() or None
        async with self._session.request(request.method, url, headers=headers, data=body, skip_auto_headers=ADDED) as upstream:
            kept = {name: value for name, value in upstream.headers.items() if name.lower() not in OWN_HEADERS}
            answer = web.StreamResponse(status=upstream.status, headers=kept)
            await answer.prepare(request)
            try:
                async for piece in upstream.content.iter_any():
                    if not self._is_silent(request):
                        await answer.write(piece)
            finally:
                if upstream.connection and upstream.connection.transport:  # there is more, which nobody wants
                    upstream.connection.transport.abort()
            await answer.write_eof()
        return answer

    def _note(self, asked: str) -> None:
        self.requests.append(asked)
        for pattern, future in self._awaited:
            if not future.done() and re.match(pattern, asked):
                future.set_result(asked)

    def _fault_for(self, asked: str) -> Fault | None:
        for pattern, (fault, times) in self._faults.items():
            if times > 0 and re.match(pattern, asked):
                self._faults[pattern] = (fault, times - 1)
                return fault
        return None

    def _is_silent(self, request: web.Request) -> bool:
        return any(re.match(pattern, f"{request.method} {request.path_qs}") for pattern in self._silent)


def dropped(request: web.Request) -> web.Response:
    """Drop a request's connection without a word; nobody receives what is returned."""
    if request.transport:
        request.transport.abort()
    return web.Response()


@pytest.fixture
def api_proxy(control_plane: ControlPlane) -> Iterator[ApiProxy]:
    with closing(ApiProxy(control_plane)) as proxy:
        yield proxy
