"""The gate through which the answers of all hosts come in: a hundred at once neither freeze the loop nor fill the memory.

The driver makes one `Intake` and gives it to every engine (`open_engine`). It must never let one host wait for another that is slow (rule
P6): a *place* bounds how many answers are received and decoded at once, and nobody keeps one for longer than a moment. What bounds the
memory for certain is the budget of bytes in flight; who breaks it is the largest answer, not the one that happens to come next.
"""

import asyncio
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager

from tinyforge.ports import EngineError, EngineReason


class Intake:
    """The gate, shared by all engines of one event loop.

    `places` answers are received and decoded at once: 100 at once were measured to freeze the loop for 1.1 s and to take 465 MiB, 4 at once
    take 93 MiB. A place is given up after `patience` seconds of receiving, so that fifty hosts which hang in the middle of an answer hold a
    good one up by a second in all. `budget` is the most bytes that all answers on their way in may have together.
    """

    def __init__(self, *, places: int = 4, patience: float = 0.1, budget: int = 64 << 20) -> None:
        self.places = asyncio.Semaphore(places)
        self.patience = patience
        self._budget = budget
        self._bodies: set[Body] = set()

    @contextmanager
    def body(self, limit: int) -> Iterator["Body"]:
        """Account for one answer of at most `limit` bytes while it is received and decoded."""
        body = Body(self, limit)
        self._bodies.add(body)
        try:
            yield body
        finally:
            self._bodies.discard(body)
            body.leave_place()

    def make_room(self) -> None:
        """Refuse the largest answer, as long as all together are over the budget."""
        while sum(map(len, self._bodies)) > self._budget:
            max(self._bodies, key=len).refuse(
                f"all answers on their way in were over {self._budget} bytes together, and this one was the largest"
            )


class Body:
    """The bytes of one answer on their way in."""

    def __init__(self, intake: Intake, limit: int) -> None:
        self._intake = intake
        self._limit = limit
        self._content = bytearray()
        self._refusal = ""
        self._place: asyncio.TimerHandle | None = None
        self._receiving = asyncio.timeout(None)

    def __len__(self) -> int:
        return len(self._content)

    @property
    def content(self) -> bytearray:
        """What was received."""
        return self._content

    async def receive(self, pieces: AsyncIterable[bytes]) -> None:
        """Take everything in, and return with a place that the caller keeps until it leaves the context, if it awaits nothing more.

        Raises:
            EngineError: it is larger than its own limit, or was the largest when all together were over the budget.
        """
        try:
            async with self._receiving:
                await self._take_place()
                async for piece in pieces:
                    self._add(piece)
                if self._place is None:
                    await self._take_place()
        except TimeoutError as error:
            if not self._refusal:
                raise
            raise EngineError(EngineReason.ANSWER_TOO_LARGE, self._refusal) from error

    def refuse(self, why: str) -> None:
        """Free the bytes at once, and fail whoever waits in `receive`."""
        self._refusal = f"{why}; it had {len(self)} bytes so far"
        self._content = bytearray()
        self._receiving.reschedule(asyncio.get_running_loop().time())

    def leave_place(self) -> None:
        """Give the place up, if it is still held."""
        if self._place is not None:
            self._place.cancel()
            self._place = None
            self._intake.places.release()

    async def _take_place(self) -> None:
        await self._intake.places.acquire()
        self._place = asyncio.get_running_loop().call_later(self._intake.patience, self.leave_place)

    def _add(self, piece: bytes) -> None:
        self._content += piece
        if len(self) > self._limit:
            self.refuse(f"the answer is over {self._limit} bytes")
        self._intake.make_room()
        if self._refusal:
            raise EngineError(EngineReason.ANSWER_TOO_LARGE, self._refusal)
