"""One run of kopf, in an event loop of its own.

kopf is over when one of its root tasks is, and does not always get further than that: a watch that is asked for just then waits for
credentials that nobody gives any more, and kopf waits for the watch (measured on 1.45). So how long its end takes is bounded here, and
what does not end within that stays in a loop that never turns again.
"""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable, Collection
from contextlib import closing, suppress
from typing import Any

import kopf

from tinyforge.domain.complaints import Complaint

logger = logging.getLogger(__name__)

_CLOSING_SECONDS = 0.05
"""kopf closes its TLS connections and does not wait for their end, which takes the loop some turns and an answer."""
_CANCELLATIONS = 5
"""How often what does not end is cancelled."""
_END_SECONDS = 1.0
"""How long kopf may take to end once it is over, and again when it is cancelled. By itself it waits 5 s for what hangs, or for ever."""


class KopfRun:
    """Runs kopf once.

    Args:
        spawn: starts kopf's root tasks in the loop that runs, and returns them; kopf is to end when the flag that it is given is set.
        hanging: what was said of earlier runs that did not end.
    """

    def __init__(self, spawn: Callable[[asyncio.Event], Awaitable[Collection[asyncio.Task[None]]]], *, hanging: Complaint) -> None:
        self._spawn = spawn
        self._hanging = hanging
        self._loop: asyncio.AbstractEventLoop | None = None
        self._asked_to_stop = threading.Event()
        self._stop_flag = asyncio.Event()
        self._over = asyncio.Event()
        self._error: BaseException | None = None

    def run(self) -> None:
        """Run kopf until it is over or stopped, and 2 s longer at most.

        Raises:
            Exception: why it ended, if it said so.
        """
        with closing(asyncio.new_event_loop()) as self._loop:
            if self._asked_to_stop.is_set():
                return
            self._loop.run_until_complete(self._until_gone())
        if self._error is not None:
            raise self._error

    def stop(self) -> None:
        """Let it end, or not begin; from any thread, and idempotent."""
        self._asked_to_stop.set()
        if self._loop is not None:
            with suppress(RuntimeError):  # the loop is closed: it ended meanwhile
                self._loop.call_soon_threadsafe(self._stop_flag.set)

    async def _until_gone(self) -> None:
        life = asyncio.create_task(self._live())
        signs = {asyncio.create_task(flag.wait()) for flag in (self._stop_flag, self._over)}
        await asyncio.wait({life} | signs, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({life}, timeout=_END_SECONDS)
        if await self._cancel_all():
            if self._hanging.is_news("it does not end"):
                logger.warning("kopf does not end and is left behind", extra={"action": "kopf_left_behind"})
            asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)  # or each task says that it never ended

    async def _cancel_all(self) -> Collection[asyncio.Task[Any]]:
        """Cancel everything until it has ended, and return what has not.

        Once is not enough: a watcher of kopf's takes the first one for its own (measured on 1.45).
        """
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for _ in range(_CANCELLATIONS):
            for task in tasks:
                task.cancel()
            if not tasks:
                break
            tasks = (await asyncio.wait(tasks, timeout=_END_SECONDS / _CANCELLATIONS))[1]
        return tasks

    async def _live(self) -> None:
        ours = asyncio.all_tasks()
        try:
            roots = await self._spawn(self._stop_flag)
            ended, _ = await asyncio.wait(roots, return_when=asyncio.FIRST_COMPLETED)
            self._error = next((error for task in ended if not task.cancelled() and (error := task.exception())), None)
            self._over.set()
            await kopf.run_tasks(roots, ignored=ours)
            await asyncio.sleep(_CLOSING_SECONDS)
        except Exception as error:  # noqa: BLE001 - what it is, `run` raises
            self._error = self._error or error
