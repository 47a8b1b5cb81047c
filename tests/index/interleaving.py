"""Lives of leaders, taken step by step in any order on a real PostgreSQL, and a look at whether one wrote after its time.

A life is one process's: it claims and then writes, each in a transaction of its own, by the product's own statements. A schedule says
whose step is taken next; a step that waits for a lock goes on waiting while others take theirs, as it would between processes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg

from tinyforge.index.database import PROGRAM, Connection
from tinyforge.index.sql import queries

LOCK = 8388357248642937447
"""What a claim takes alone, and the fence takes shared."""

_INSERT = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES (%s, 'default/app', 'stack', 'local')"


@dataclass(frozen=True)
class Event:
    """What was committed, and under which epoch."""

    what: str
    epoch: int


@dataclass
class Life:
    """A process that claims, unless it has done so before, and then writes."""

    name: str
    connection: Connection
    history: list[Event]
    epoch: int | None = None
    last: asyncio.Task[None] = field(default_factory=lambda: asyncio.create_task(asyncio.sleep(0)))

    def steps(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """The steps that are left of this life."""
        writing = [self._fence, self._write, lambda: self._commit("wrote")]
        return writing if self.epoch else [self._lock, self._claim, lambda: self._commit("claimed"), *writing]

    def take(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Take a step as soon as the one before is done."""

        async def after(before: asyncio.Task[None]) -> None:
            await before
            await step()

        self.last = asyncio.create_task(after(self.last))

    async def _lock(self) -> None:
        await self.connection.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))

    async def _claim(self) -> None:
        about = {"holder": self.name, "session": self.name, "driver": "standalone", "lease": ""}
        cursor = await self.connection.execute(queries("leaders")["claim"], about)
        (self.epoch, _) = await cursor.fetchone() or (None, None)

    async def _fence(self) -> None:
        with suppress(psycopg.DatabaseError):
            await self.connection.execute("SELECT tinyforge.fence(%s, %s, %s)", (self.epoch, self.name, PROGRAM))

    async def _write(self) -> None:
        with suppress(psycopg.DatabaseError):
            await self.connection.execute(_INSERT, (self.name,))

    async def _commit(self, what: str) -> None:
        cursor = await self.connection.execute("COMMIT")
        if cursor.statusmessage == "COMMIT":  # what failed is rolled back instead
            self.history.append(Event(what, self.epoch or 0))


class Lives:
    """Runs schedules of lives, one after the other, on one database."""

    def __init__(self, monitor: Connection, connections: Sequence[Connection]) -> None:
        self._monitor = monitor
        self._connections = connections
        self._names = count()

    async def history(self, schedule: Sequence[int]) -> list[Event]:
        """What is committed, in that order, when life after life takes the step that is its turn; life 0 leads from the beginning."""
        past: list[Event] = []
        lives = [Life(f"life {next(self._names)}", connection, past) for connection in self._connections]
        for step in lives[0].steps()[:3]:
            await step()
        left = [life.steps() for life in lives]
        for turn in schedule:
            lives[turn].take(left[turn].pop(0))
            await self._settle(lives)
        assert not any(left)
        await asyncio.gather(*(life.last for life in lives))
        return past

    async def _settle(self, lives: Sequence[Life]) -> None:
        """Let every life go as far as it can before another step is taken."""
        while waiting := [life for life in lives if not life.last.done()]:
            gone_on, _ = await asyncio.wait([life.last for life in waiting], timeout=0.002, return_when=asyncio.FIRST_COMPLETED)
            if not gone_on and await self._blocked(waiting) == len(waiting):
                return

    async def _blocked(self, lives: Sequence[Life]) -> int:
        pids = [life.connection.info.backend_pid for life in lives]
        cursor = await self._monitor.execute("SELECT count(*) FROM unnest(%s::int[]) AS pid WHERE pg_blocking_pids(pid) <> '{}'", (pids,))
        (number,) = await cursor.fetchone() or (0,)
        return int(number)


@asynccontextmanager
async def lives(url: str, number: int) -> AsyncIterator[Lives]:
    """So many lives on the database of `url`."""
    async with AsyncExitStack() as stack:
        opened = [await stack.enter_async_context(await psycopg.AsyncConnection.connect(url)) for _ in range(number + 1)]
        await opened[0].set_autocommit(True)
        yield Lives(opened[0], opened[1:])


def wrong(history: Sequence[Event]) -> str:
    """Say what may never be: a write after the claim of a greater epoch, or a claim of an epoch that is not greater than all before."""
    greatest = 0
    for event in history:
        if event.what == "claimed" and event.epoch <= greatest:
            return f"epoch {event.epoch} claimed after epoch {greatest}"
        if event.what == "wrote" and event.epoch < greatest:
            return f"epoch {event.epoch} wrote after the claim of epoch {greatest}"
        greatest = max(greatest, event.epoch)
    return ""
