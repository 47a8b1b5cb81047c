"""What stands in for a Jaeger, or for what is before one, where a real one cannot be made to answer so: rubbish, slowly, without end."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class StandIn:
    """It answers each request with these bytes, with so many seconds between them; `asked` has the head of each request."""

    def __init__(self, *pieces: bytes, pause: float = 0.0) -> None:
        self.asked: list[str] = []
        self.url = ""
        self._pieces: Sequence[bytes] = pieces
        self._pause = pause
        self._answers: set[asyncio.Task[None] | None] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["StandIn"]:
        """Run it, for the length of a block."""
        server = await asyncio.start_server(self._answer, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            server.close()
            await asyncio.gather(*filter(None, self._answers))
            await server.wait_closed()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._answers.add(asyncio.current_task())
        try:
            self.asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
            for piece in self._pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(self._pause)
                if reader.at_eof():
                    return  # whoever asked has gone
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body
