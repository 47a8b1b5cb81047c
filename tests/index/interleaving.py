"""Lives of leaders, taken step by step in any order on a real PostgreSQL, and a look at whether one wrote after its time.

A life is one process's: it claims and then writes, each in a transaction of its own, by the product's own statements. A schedule says
whose step is taken next; a step that waits for a lock goes on waiting while others take theirs, as it would between processes.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from itertools import count, permutations
from typing import Any

import psycopg

from tinyforge.index.database import PROGRAM, Connection
from tinyforge.index.sql import queries

_INSERT = "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host) VALUES (%s, '', '', 'local')"
_ROWS = "SELECT id FROM tinyforge.containers"


@dataclass
class Life:
    """A process that claims, unless it has done so before, and then writes a row of its name.

    `wanted` is the epoch that it claims, and `epoch` the one it has: none if another one was faster; it tries to write all the same.
    `found` are the rows it saw once it had claimed, in the same transaction: PostgreSQL's own word on what was committed before.
    """

    name: str
    connection: Connection
    wanted: int = 0
    epoch: int = 0
    found: frozenset[str] = frozenset()
    last: asyncio.Task[None] = field(default_factory=lambda: asyncio.create_task(asyncio.sleep(0)))

    def steps(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """The steps that are left of this life."""
        writing = [self._fence, self._write, self._commit]
        return writing if self.epoch else [self._lock, self._claim, self._commit, *writing]

    def take(self, step: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Take a step as soon as the one before is done."""

        async def after(before: asyncio.Task[None]) -> None:
            await before
            await step()

        self.last = asyncio.create_task(after(self.last))

    async def _lock(self) -> None:
        cursor = await self.connection.execute(queries("leaders")["read_leader"])
        (newest, *_) = await cursor.fetchone() or (0,)
        self.wanted = newest + 1
        await self.connection.execute(queries("leaders")["lock"])

    async def _claim(self) -> None:
        about = {"epoch": self.wanted, "holder": self.name, "session": self.name, "driver": "standalone", "lease": ""}
        cursor = await self.connection.execute(queries("leaders")["claim"], about | {"take_over": False, "program": PROGRAM})
        self.epoch = self.wanted if cursor.rowcount else 0  # somebody else was faster
        cursor = await self.connection.execute(_ROWS)
        self.found = frozenset(name for (name,) in await cursor.fetchall())

    async def _fence(self) -> None:
        with suppress(psycopg.DatabaseError):
            await self.connection.execute("SELECT tinyforge.fence(%s, %s, %s)", (self.wanted, self.name, PROGRAM))

    async def _write(self) -> None:
        with suppress(psycopg.DatabaseError):
            await self.connection.execute(_INSERT, (self.name,))

    async def _commit(self) -> None:
        await self.connection.execute("COMMIT")  # what was refused is rolled back instead


class Lives:
    """Runs schedules of lives, one after the other, on one database."""

    def __init__(self, monitor: Connection, connections: Sequence[Connection]) -> None:
        self._monitor = monitor
        self._connections = connections
        self._names = count()

    async def wrong(self, schedule: Sequence[int]) -> str:
        """Let life after life take the step that is its turn, and say what came of it that may never be; life 0 leads at first."""
        await self._monitor.execute("DELETE FROM tinyforge.containers")
        lives = [Life(f"life {next(self._names)}", connection) for connection in self._connections]
        for step in lives[0].steps()[:3]:
            await step()
        left = [life.steps() for life in lives]
        for turn in schedule:
            lives[turn].take(left[turn].pop(0))
            await self._settle(lives)
        assert not any(left)
        await asyncio.gather(*(life.last for life in lives))
        cursor = await self._monitor.execute(_ROWS)
        return _verdict(lives, frozenset(name for (name,) in await cursor.fetchall()))

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


def _verdict(lives: Sequence[Life], written: Set[str]) -> str:
    """Say what may never be: a row of an epoch that was committed after the claim of a greater one, or one epoch claimed twice."""
    for life, other in permutations(lives, 2):
        if life.epoch == other.epoch != 0:
            return f"epoch {life.epoch} was claimed twice"
        if not life.epoch and life.name in written:
            return f"epoch {life.wanted} was written in without being claimed"
        if life.epoch < other.epoch and life.name in written and life.name not in other.found:
            return f"epoch {life.epoch} wrote after the claim of epoch {other.epoch}"
    return ""
