"""A cable between a program and a server, which can be cut, and mended.

While it is cut nothing arrives at either end, and nobody is told: what is sent waits, as it does in a kernel that sends it again and again.
Mended, it delivers all of that, late. No setting of a real server does so; both ends of the cable are real.

It can also stop in the middle of what a client says, at a chosen place. It lies in a thread of its own, for tests without an event loop.
"""

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

LARGEST = 1 << 16  # bytes of a piece
Far = Path | tuple[str, int]
"""The server: its unix socket, or its address."""


class Cable:
    """A cable to one server. Its near end is `port` of 127.0.0.1."""

    def __init__(self, far: Far) -> None:
        self._far = far
        self._whole = asyncio.Event()
        self._whole.set()
        self._stop: _Stop | None = None
        self._connections: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="cable", daemon=True)
        self._thread.start()
        self._server = self._do(self._lay())
        self.port: int = self._server.sockets[0].getsockname()[1]

    def cut(self) -> None:
        """Let nothing through, of connections that are open, or are opened now."""
        self._loop.call_soon_threadsafe(self._whole.clear)

    def mend(self) -> None:
        """Let everything through, also what has been sent meanwhile."""
        self._loop.call_soon_threadsafe(self._whole.set)

    def stop_at(self, pattern: bytes) -> "Future[None]":
        """Stop one connection in the middle of a piece of what its client says: the server gets what is before the pattern's group only.

        Returns what is done when a connection has stopped there; it goes on with `go_on`.
        """
        self._stop = _Stop(pattern)
        return self._stop.reached

    def go_on(self) -> None:
        """Let the connection go on that has stopped."""
        assert self._stop
        self._loop.call_soon_threadsafe(self._stop.over.set)

    def close(self) -> None:
        """Take it away, with its connections."""
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _lay(self) -> asyncio.Server:
        return await asyncio.start_server(self._join, "127.0.0.1", 0)

    async def _end(self) -> None:
        self._server.close()
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await asyncio.sleep(0)  # sockets are closed a turn after their abortion

    async def _join(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        this = asyncio.current_task()
        assert this
        self._connections.add(this)
        try:
            await self._connect(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass  # an end is gone, or the cable is
        finally:
            self._connections.discard(this)
            writer.transport.abort()

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self._whole.wait()
        far_reader, far_writer = await self._reach()
        carrying = [
            asyncio.create_task(self._carry(reader, far_writer, listening=True)),
            asyncio.create_task(self._carry(far_reader, writer, listening=False)),
        ]
        try:
            await asyncio.wait(carrying, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in carrying:
                task.cancel()
            far_writer.transport.abort()  # before the wait, in which this one may be cancelled
            await asyncio.gather(*carrying, return_exceptions=True)

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if isinstance(self._far, Path):
            return await asyncio.open_unix_connection(self._far)
        return await asyncio.open_connection(*self._far)

    async def _carry(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, listening: bool) -> None:
        """Carry one direction to its end, which is that of the other one too."""
        while piece := await source.read(LARGEST):
            await self._whole.wait()
            if listening and self._stop and (at := self._stop.place(piece)) is not None:
                sink.write(piece[:at])
                await self._stop.stand()
                piece = piece[at:]
            sink.write(piece)
            await sink.drain()
        await self._whole.wait()
        await _written(sink)


class _Stop:
    """Where one connection is to stop."""

    def __init__(self, pattern: bytes) -> None:
        self._pattern = re.compile(pattern, re.DOTALL)
        self.reached: Future[None] = Future()
        self.over = asyncio.Event()

    def place(self, piece: bytes) -> int | None:
        """Where in a piece it is, unless some connection has stopped already."""
        found = None if self.reached.done() else self._pattern.search(piece)
        return found.start(1) if found else None

    async def stand(self) -> None:
        """Stand there until the test lets it go on."""
        self.reached.set_result(None)
        await self.over.wait()


async def _written(sink: asyncio.StreamWriter) -> None:
    """Wait until everything has been taken that was written."""
    sink.transport.set_write_buffer_limits(0)
    await sink.drain()


@contextmanager
def cable(far: Far) -> Iterator[Cable]:
    """A cable for the length of a block."""
    laid = Cable(far)
    try:
        yield laid
    finally:
        laid.close()
