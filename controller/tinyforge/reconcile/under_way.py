"""What of a term is under way, and its end by plan: nothing more begins, and dispatches and teardowns may come to theirs.

Whoever wants to begin something after that waits, and is cancelled when the term is: nothing has to be refused, answered or tried again in
between. A request that somebody made stays open in the same way, and is the next leader's.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

logger = logging.getLogger(__name__)

_NAMED = 8


class UnderWay:
    """What a term has begun and not ended yet, each thing under its name."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self._idle = asyncio.Event()
        self._names = Counter[str]()

    async def may_begin(self) -> None:
        """Go on if something may still begin, else wait for good."""
        await self._open.wait()

    @asynccontextmanager
    async def begun(self, name: str) -> AsyncIterator[None]:
        """Do something that a planned end waits for, for the length of a block; it begins only if anything may still begin.

        Args:
            name: what it is, for people.
        """
        await self.may_begin()
        with self.ending(name):
            yield

    @contextmanager
    def ending(self, name: str) -> Iterator[None]:
        """Do what belongs to something that has begun, as `begun` does, however late: the answer to whoever asked for it."""
        self._names[name] += 1
        try:
            yield
        finally:
            self._names -= Counter([name])
            if not self._names:
                self._idle.set()

    async def drain(self, seconds: float) -> None:
        """Let nothing more begin, and wait for the end of what is under way, so many seconds at most; what is left is said."""
        self._open.clear()
        if self._names:
            logger.info("waits %g s at most for %s", seconds, self._some(), extra={"action": "draining"})
        try:
            async with asyncio.timeout(seconds):
                while self._names:
                    self._idle.clear()
                    await self._idle.wait()
        except TimeoutError:
            logger.warning("not ended within %g s, and cancelled: %s", seconds, self._some(), extra={"action": "drain_over"})

    def _some(self) -> str:
        rest = [f"and {len(self._names) - _NAMED} more"] if len(self._names) > _NAMED else []
        return ", ".join(sorted(self._names)[:_NAMED] + rest)
