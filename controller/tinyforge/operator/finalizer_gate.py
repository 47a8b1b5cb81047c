"""How many objects get their finalizer at once.

kopf looks after every object by itself, so at the first start among 2,000 objects it would put 2,000 finalizers on at once, each over a
connection of its own. Measured: up to 880 connections and 230 MiB for them, and an API server that answers 429 and 504, to our statuses
too. So whoever handles an object without a finalizer waits here before it goes on, in `Handlers.object_changed`.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

from tinyforge.operator.kopf_settings import FINALIZER

PLACES = 16
"""How many objects may be about to get their finalizer. A busy API server takes 100 of them a second, from 8 and from 32 alike."""
PATIENCE = 5.0
"""After how many seconds a place is given on all the same: an API server that refuses one finalizer may take another."""


class FinalizerGate:
    """Lets objects in by their uid, and out when they are seen to have the finalizer, to be deleted, or to be gone.

    All methods belong to kopf's event loop.
    """

    def __init__(self) -> None:
        self._places = asyncio.Semaphore(PLACES)
        self._inside: dict[str, asyncio.TimerHandle] = {}

    async def pass_through(self, metadata: Mapping[str, Any]) -> None:
        """Wait until an object may get its finalizer; one that gets none any more waits for nothing, and makes room."""
        uid = metadata["uid"]
        if FINALIZER in metadata.get("finalizers", ()) or "deletionTimestamp" in metadata:
            self.leave(uid)
        elif uid not in self._inside:
            await self._places.acquire()
            self._inside[uid] = asyncio.get_running_loop().call_later(PATIENCE, self.leave, uid)

    def leave(self, uid: str) -> None:
        """Make room, if the object has a place."""
        if timer := self._inside.pop(uid, None):
            timer.cancel()
            self._places.release()
