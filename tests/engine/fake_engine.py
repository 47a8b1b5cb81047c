"""A Docker Engine that misbehaves on demand.

A fake, because a real engine cannot be made to answer half, to drip, or to lie; everything that a real one can do is tested on a real one.
It speaks raw HTTP/1.1 over a unix socket, so that a behaviour decides on every byte.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

Behaviour = Callable[["FakeEngine", asyncio.StreamWriter], Awaitable[None]]

CONTAINER_ID = "0123456789abcdef" * 4


def entry(container_id: str = CONTAINER_ID, **fields: Any) -> dict[str, Any]:
    """Return one entry of a container list, as an engine would give it."""
    return {
        "Id": container_id,
        "Names": ["/web"],
        "Image": "nginx:1",
        "State": "running",
        "Created": 1_700_000_000,
        "Ports": [],
        "Labels": {},
        "Status": "Up 5 minutes",
    } | fields


def response(body: bytes, *, status: str = "200 OK", headers: tuple[str, ...] = ()) -> bytes:
    """Return a whole HTTP response with a length."""
    return head(f"Content-Length: {len(body)}", *headers, status=status) + body


def head(*headers: str, status: str = "200 OK") -> bytes:
    """Return the head of an HTTP response."""
    return "\r\n".join((f"HTTP/1.1 {status}", *headers, "", "")).encode()


def chunk(data: bytes) -> bytes:
    """Return `data` as one chunk of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def containers(*entries: dict[str, Any]) -> bytes:
    """Return a whole answer to a list."""
    return response(json.dumps(entries).encode())


def says(answer: bytes) -> Behaviour:
    """Return the behaviour of an engine that sends `answer` and keeps the connection open."""

    async def behave(engine: "FakeEngine", writer: asyncio.StreamWriter) -> None:
        writer.write(answer)

    return behave


def says_and_closes(answer: bytes) -> Behaviour:
    """Return the behaviour of an engine that sends `answer` and closes the connection."""

    async def behave(engine: "FakeEngine", writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    return behave


def drips(start: bytes, drop: bytes) -> Behaviour:
    """Return the behaviour of an engine that sends `start`, and then `drop` again and again without an end."""

    async def behave(engine: "FakeEngine", writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(0.05)

    return behave


class FakeEngine:
    """The fake. `behaviour` is what a request other than a ping gets, `api_version` what a ping says; both may be changed at any time."""

    def __init__(self, path: Path, behaviour: Behaviour) -> None:
        self.path = path
        self.behaviour = behaviour
        self.api_version = "1.41"
        self.requests: list[str] = []
        self.asked = asyncio.Event()  # a request other than a ping was read, and its behaviour began
        self.left = asyncio.Event()  # the client closed a connection
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def endpoint(self) -> str:
        return f"unix://{self.path}"

    @property
    def paths(self) -> list[str]:
        """The paths asked for, without their queries."""
        return [request.partition("?")[0] for request in self.requests]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while request := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(request.split()[1].decode(), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            self.left.set()
        except asyncio.CancelledError:
            pass  # the test is over; StreamReaderProtocol would log a cancelled connection as an error
        finally:
            self._connections.discard(task)
            writer.close()

    async def _answer(self, target: str, writer: asyncio.StreamWriter) -> None:
        self.requests.append(target)
        if target == "/_ping":
            writer.write(response(b"OK", headers=(f"Api-Version: {self.api_version}",) if self.api_version else ()))
            return
        self.asked.set()
        await self.behaviour(self, writer)

    async def stop(self) -> None:
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)


@asynccontextmanager
async def fake_engine(path: Path, behaviour: Behaviour) -> AsyncIterator[FakeEngine]:
    """Run a fake engine on the socket `path`."""
    engine = FakeEngine(path, behaviour)
    server = await asyncio.start_unix_server(engine.serve, path)
    try:
        yield engine
    finally:
        server.close()
        await engine.stop()
