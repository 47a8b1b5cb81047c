"""Attendants of a presence, for tests that are about what a presence tells."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from tinyforge.domain.leaders import LeadersLook
from tinyforge.index.presence import Presence
from tinyforge.ports import Fenced


class Notes:
    """An attendant that counts what it is told, and keeps the looks."""

    def __init__(self) -> None:
        self.looks: list[LeadersLook] = []
        self.requests = asyncio.Semaphore(0)
        self.losses = asyncio.Semaphore(0)
        self._new_look = asyncio.Event()

    def looked(self, look: LeadersLook) -> None:
        self.looks.append(look)
        self._new_look.set()

    def requested(self) -> None:
        self.requests.release()

    async def lost(self) -> None:
        self.losses.release()

    async def next_look(self) -> LeadersLook:
        """Wait for a look that is not there yet."""
        self._new_look.clear()
        await self._new_look.wait()
        return self.looks[-1]


@asynccontextmanager
async def held(presence: Presence, notes: Notes) -> AsyncIterator["asyncio.Task[None]"]:
    """Hold a presence for the length of a block, from its first look on."""
    task = asyncio.create_task(presence.hold(notes))
    try:
        await notes.requests.acquire()  # the session is there: it has looked
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await task
