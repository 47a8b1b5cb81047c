"""When passes run: never two of one host at once, and whoever asks for one gets one that began after it asked (rule P3)."""

import asyncio
from collections.abc import Callable

from tinyforge.domain.passes import PassReason, PassReport
from tinyforge.ports import TinyforgeError
from tinyforge.reconcile.index_pass import IndexPass


class PassStopped(TinyforgeError):
    """A pass was cancelled because its host is no longer looked after, not because its caller gave up."""


class HostPasses:
    """The passes of one host in order: at most one runs, at most one waits, and everybody who asks meanwhile shares the waiting one.

    `passed` is called after each of them with what it found, before those who asked are told.
    """

    def __init__(self, index_pass: IndexPass, *, passed: Callable[[PassReport], None] = lambda _: None) -> None:
        self._pass = index_pass
        self._passed = passed
        self._turn = asyncio.Lock()
        self._waiting: asyncio.Task[PassReport] | None = None
        self._reason = PassReason.TIMER  # of the waiting one
        self._under_way: set[asyncio.Task[PassReport]] = set()

    async def run(self, reason: PassReason = PassReason.TIMER) -> PassReport:
        """Run a pass that sees what is there now, and return what it found. Cancelling one caller leaves the pass to the others.

        Of the reasons of those who share one it runs for the first that is not the timer.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
            PassStopped: the host was given up meanwhile.
        """
        if self._waiting is None:
            self._reason = reason
            self._waiting = asyncio.create_task(self._take_turn())
            self._under_way.add(self._waiting)
            self._waiting.add_done_callback(self._ended)
        elif self._reason is PassReason.TIMER:
            self._reason = reason
        turn = self._waiting
        try:
            return await asyncio.shield(turn)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if turn.cancelled() and not (task and task.cancelling()):
                raise PassStopped("the host was given up before its pass ended") from None
            raise

    async def stop(self) -> None:
        """Cancel what runs and what waits, and see it end; idempotent (rule P5)."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    async def _take_turn(self) -> PassReport:
        async with self._turn:
            self._waiting = None
            report = await self._pass.run(self._reason)
            self._passed(report)
            return report

    def _ended(self, task: asyncio.Task[PassReport]) -> None:
        self._under_way.discard(task)
        if self._waiting is task:
            self._waiting = None
        if not task.cancelled():
            task.exception()  # whoever asked has it, or has gone: either way nobody is left to be told
