"""A network between a program and its PostgreSQL that can go dead: it still takes what is sent, and nothing arrives any more.

That is what a failed-over load balancer or a forgotten NAT entry does. No setting of a real server does it, so the link is ours; both of
its ends are real.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from psycopg.conninfo import conninfo_to_dict, make_conninfo

Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """The link; `url` leads through it, `opened` counts its connections."""

    def __init__(self, url: str, folder: Path) -> None:
        self._server = conninfo_to_dict(url)
        self.url = make_conninfo(url, host=str(folder), hostaddr="", port=5432)
        self.opened = 0
        self._dead = False
        self._dead_for_good = 0
        self._writers: set[asyncio.StreamWriter] = set()

    def die(self) -> None:
        """Swallow everything, also what connections yet to come send."""
        self._dead = True

    def revive(self) -> None:
        """Let new connections through; the old ones stay dead."""
        self._dead, self._dead_for_good = False, self.opened

    def close(self) -> None:
        """End every connection."""
        for writer in self._writers:
            writer.close()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Join a program's connection with one to the server."""
        self.opened += 1
        number = self.opened
        server_reader, server_writer = await self._connect()
        self._writers |= {writer, server_writer}
        await asyncio.gather(self._carry(number, reader, server_writer), self._carry(number, server_reader, writer))

    async def _connect(self) -> Ends:
        host, port = str(self._server.get("host", "")), int(self._server.get("port", 5432) or 5432)
        if host.startswith("/"):
            return await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        return await asyncio.open_connection(host, port)

    async def _carry(self, number: int, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while piece := await source.read(65536):
            if not self._dead and number > self._dead_for_good:
                sink.write(piece)
        sink.close()


@asynccontextmanager
async def link(url: str) -> AsyncIterator[Link]:
    """A link to the server of `url`, in a folder whose path is short enough for a socket."""
    with TemporaryDirectory(prefix="link-") as folder:
        between = Link(url, Path(folder))
        server = await asyncio.start_unix_server(between.accept, Path(folder) / ".s.PGSQL.5432")
        try:
            yield between
        finally:
            server.close()
            between.close()
