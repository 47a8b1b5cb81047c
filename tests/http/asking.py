"""Asks an HTTP port, byte by byte: what the tests send no client library would."""

import asyncio
import select
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from tinyforge.http.address import ListenAddress

LOOPBACK = ListenAddress("127.0.0.1", 0)

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def lines(self) -> list[str]:
        return self.body.splitlines()


async def ask(at: ListenAddress, path: str, *, method: str = "GET", **headers: str) -> Answer:
    """Ask once, and read until the connection is closed, which it is after each answer."""
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return parse(await send(at, f"{method} {path} HTTP/1.1\r\nHost: tinyforge\r\n{fields}\r\n".encode()))


async def send(at: ListenAddress, data: bytes) -> bytes:
    """Send anything, and return what comes back until the connection is closed, or cut because not all of `data` was read."""
    answer = b""
    async with connected(at, data) as (reader, _):
        with suppress(ConnectionError):
            while chunk := await reader.read(1 << 16):
                answer += chunk
    return answer


@asynccontextmanager
async def connected(at: ListenAddress, data: bytes = b"") -> AsyncIterator[Streams]:
    """A connection that nothing but `data` is sent over."""
    reader, writer = await asyncio.open_connection(at.host, at.port)
    try:
        writer.write(data)
        yield reader, writer
    finally:
        writer.close()


async def until_closed(streams: Streams) -> None:
    """Read until the other side has closed a connection."""
    with suppress(ConnectionError):
        await streams[0].read()


async def until_reset(client: socket.socket) -> None:
    """Wait until the other side has cut a connection, and read nothing meanwhile."""
    poll = select.poll()
    poll.register(client, 0)
    while not poll.poll(0):  # noqa: ASYNC110 - the kernel knows, and tells nobody
        await asyncio.sleep(0.01)


def parse(answer: bytes) -> Answer:
    head, _, body = answer.decode().partition("\r\n\r\n")
    first, *fields = head.split("\r\n")
    return Answer(int(first.split()[1]), dict(field.split(": ", 1) for field in fields), body)
