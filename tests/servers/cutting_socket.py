"""A socket in front of a real engine that spoils its answers on the way.

For the faults that a real engine cannot be made to show at a chosen point: `cutting_socket.spoil("/containers/json", cut(after=500))`.
What is not spoiled passes unchanged, except that every answer ends its connection, so that it is known where an answer ends. It serves in a
thread of its own, for tests with or without an event loop.

Fixture (a plugin of tests/conftest.py): `cutting_socket`, in front of `docker_engine`.
"""

import asyncio
import http.client
import io
import json
import shutil
import tempfile
import threading
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any, TypeVar, cast

import pytest

from tests.servers.docker_engine import DockerEngine

T = TypeVar("T")
Answer = AsyncGenerator[bytes, None]
"""An engine's answer in pieces: first its head with the empty line, then its body as it comes."""
Fault = Callable[[Answer], Answer]


def unspoiled(answer: Answer) -> Answer:
    """Let it pass."""
    return answer


def cut(*, after: int) -> Fault:
    """Close the connection after so many bytes of the body."""

    async def fault(answer: Answer) -> Answer:
        yield await anext(answer)
        left = after
        async for piece in answer:
            yield piece[:left]
            left -= len(piece)
            if left <= 0:
                return

    return fault


def hang(*, after: int) -> Fault:
    """Say nothing more after so many bytes of the body, and keep the connection open."""

    async def fault(answer: Answer) -> Answer:
        async for piece in cut(after=after)(answer):
            yield piece
        await asyncio.Event().wait()

    return fault


def silent() -> Fault:
    """Never answer, and keep the connection open."""

    async def fault(_: Answer) -> Answer:
        await asyncio.Event().wait()
        yield b""

    return fault


def delay(seconds: float) -> Fault:
    """Answer later."""

    async def fault(answer: Answer) -> Answer:
        await asyncio.sleep(seconds)
        async for piece in answer:
            yield piece

    return fault


def drip(*, every: float) -> Fault:
    """Send the body a byte at a time, with so many seconds between two."""

    async def fault(answer: Answer) -> Answer:
        yield await anext(answer)
        async for piece in answer:
            for byte in piece:
                yield bytes([byte])
                await asyncio.sleep(every)

    return fault


def rewrite(change: Callable[[bytes], bytes]) -> Fault:
    """Answer with another body, under a head that fits it."""

    async def fault(answer: Answer) -> Answer:
        response = http.client.HTTPResponse(cast("Any", _Received(b"".join([piece async for piece in answer]))))
        response.begin()
        body = change(response.read())
        kept = [f"{name}: {value}" for name, value in response.getheaders() if name not in {"Transfer-Encoding", "Content-Length"}]
        head = [f"HTTP/1.1 {response.status} {response.reason}", *kept, f"Content-Length: {len(body)}", "", ""]
        yield "\r\n".join(head).encode()
        yield body

    return fault


def engine_id(new: str) -> Fault:
    """For `/info`: another engine answers, by its id."""
    return rewrite(lambda body: json.dumps(json.loads(body) | {"ID": new}).encode())


class _Received:
    """What http.client wants of a socket, for an answer that is here already."""

    def __init__(self, received: bytes) -> None:
        self._received = received

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._received)


class CuttingSocket:
    """The socket; it serves from the start until `close`."""

    def __init__(self, engine: DockerEngine) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="tinyforge-cutting-"))
        self.socket = self._folder / "docker.sock"
        self.requests: list[str] = []
        self._engine = engine
        self._faults: dict[str, Fault] = {}
        self._awaited: dict[str, list[Future[None]]] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cutting socket", daemon=True)
        self._thread.start()
        self._server: asyncio.Server | None = None
        self.accept()

    @property
    def endpoint(self) -> str:
        """The address of the socket, as a DockerHost names it."""
        return f"unix://{self.socket}"

    @property
    def open_connections(self) -> int:
        """How many connections are open now."""
        return len(self._connections)

    def spoil(self, path: str, fault: Fault) -> None:
        """Spoil every later answer to a path, such as `/containers/json`; the API's version and a query are not part of it."""
        self._faults[path] = fault

    def heal(self) -> None:
        """Let later answers pass."""
        self._faults.clear()

    def next_request(self, path: str) -> "Future[None]":
        """Return what is done when the path is asked for the next time: `.result(10)`, or `await asyncio.wrap_future(...)`."""
        asked: Future[None] = Future()
        self._awaited.setdefault(path, []).append(asked)
        return asked

    def all_gone(self) -> "Future[None]":
        """Return what is done when no connection is open any more: `.result(10)`, or `await asyncio.wrap_future(...)`."""
        return asyncio.run_coroutine_threadsafe(self._all_gone(), self._loop)

    def refuse(self) -> None:
        """Listen no more, and drop every connection."""
        self._do(self._refuse())

    def accept(self) -> None:
        """Listen again."""
        self._do(self._accept())

    def close(self) -> None:
        """Stop serving and remove the socket."""
        self.refuse()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        shutil.rmtree(self._folder)

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _accept(self) -> None:
        self.socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.socket, limit=1 << 20)

    async def _refuse(self) -> None:
        if self._server:
            self._server.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _all_gone(self) -> None:
        while connections := tuple(self._connections):
            await asyncio.wait(connections)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this
        self._connections.add(this)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client has gone, or the test wants it gone
        finally:
            self._connections.discard(this)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await received_request(reader)
        path = requested_path(request)
        self._note(path)
        fault = self._faults.get(path, unspoiled)
        sending = asyncio.create_task(self._send(request, fault, writer))
        leaving = asyncio.create_task(reader.read(1))  # ends when the client goes, for it has nothing more to say
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, request: bytes, fault: Fault, writer: asyncio.StreamWriter) -> None:
        async with aclosing(answer_of(self._engine.socket, request)) as answer, aclosing(fault(answer)) as spoiled:
            async for piece in spoiled:
                writer.write(piece)
                await writer.drain()

    def _note(self, path: str) -> None:
        self.requests.append(path)
        for asked in self._awaited.pop(path, []):
            asked.set_result(None)


async def received_request(reader: asyncio.StreamReader) -> bytes:
    """Read one request, changed so that its answer ends the connection."""
    head = await reader.readuntil(b"\r\n\r\n")
    headers = http.client.parse_headers(io.BytesIO(head.partition(b"\r\n")[2]))
    body = await reader.readexactly(int(headers.get("Content-Length", 0)))
    first, _, rest = head.partition(b"\r\n")
    kept = [line for line in rest.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([first, b"Connection: close", *kept]) + body


def requested_path(request: bytes) -> str:
    """The path of a request, without the API's version and the query."""
    path = request.split(b" ", 2)[1].partition(b"?")[0].decode()
    return "/" + path.partition("/v1.")[2].partition("/")[2] if path.startswith("/v1.") else path


async def answer_of(engine: Path, request: bytes) -> Answer:
    """Ask the engine, and yield its answer."""
    reader, writer = await asyncio.open_unix_connection(engine, limit=1 << 20)
    try:
        writer.write(request)
        yield await reader.readuntil(b"\r\n\r\n")
        while piece := await reader.read(1 << 16):
            yield piece
    finally:
        writer.close()


@pytest.fixture
def cutting_socket(docker_engine: DockerEngine) -> Iterator[CuttingSocket]:
    with closing(CuttingSocket(docker_engine)) as cutting:
        yield cutting
