"""The watchdog: a thread that ends the process where its main event loop does not, because it is stuck or because it does not listen.

A process that is ended is safe: its sessions end, nothing of it is committed any more, and whoever runs it starts it again.
"""

import asyncio
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tinyforge.election.alarms import Alarm
from tinyforge.election.boottime import boottime

logger = logging.getLogger(__name__)

_PERIOD = 0.25
STUCK_SECONDS = 15.0
"""For how long the main event loop may not turn."""
_LONGEST_TURN = 1.0
"""As much as one turn of the watchdog counts: while the whole process was stopped, or the machine suspended, the loop was not stuck."""
_WORDS_SECONDS = 1.0
"""How long the last words may take: whoever is stuck may hold the lock of the log, or fill the pipe that it goes to."""


def end_process(reason: str) -> None:
    """End this process at once with exit code 1, having said why in the log, or on stderr if nobody gets a word in there."""
    for say in (_log, _write):
        speaker = threading.Thread(target=say, args=(reason,), daemon=True)
        speaker.start()
        speaker.join(_WORDS_SECONDS)
        if not speaker.is_alive():
            break
    os._exit(1)


class Watchdog:
    """Watches from `start` to `stop`.

    Args:
        patience: for how many seconds the main event loop may not turn.
        end: ends the process, for a reason.
        now: the clock.
    """

    def __init__(
        self, *, patience: float = STUCK_SECONDS, end: Callable[[str], None] = end_process, now: Callable[[], float] = boottime
    ) -> None:
        self._patience = patience
        self._end = end
        self._now = now
        self._alarms: tuple[Alarm, ...] = ()
        self._stopped = threading.Event()
        self._turned = threading.Event()
        self.silent = 0.0
        """For how many seconds the main event loop has not turned."""

    def start(self) -> None:
        """Watch over the event loop that runs now, which is the main one."""
        loop = asyncio.get_running_loop()
        threading.Thread(target=self._watch, args=(loop,), name="watchdog", daemon=True).start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopped.set()

    def heed(self, alarm: Alarm) -> None:
        """Heed an alarm from now on."""
        self._alarms = (*self._alarms, alarm)

    @contextmanager
    def heeding(self, alarm: Alarm) -> Iterator[None]:
        """Heed an alarm for the length of a block."""
        self.heed(alarm)
        try:
            yield
        finally:
            self._alarms = tuple(each for each in self._alarms if each is not alarm)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        looked_at = self._now()
        self._turned.set()
        while not self._stopped.wait(_PERIOD):
            before, looked_at = looked_at, self._now()
            self._listen(loop, elapsed=min(looked_at - before, _LONGEST_TURN))
            if reason := next(filter(None, (alarm() for alarm in (self._stuck, *self._alarms))), ""):
                self._end(reason)
                return

    def _listen(self, loop: asyncio.AbstractEventLoop, *, elapsed: float) -> None:
        """Ask the loop for a sign of life, unless it still owes one."""
        if not self._turned.is_set():
            self.silent += elapsed
            return
        self.silent = 0.0
        self._turned.clear()
        try:
            loop.call_soon_threadsafe(self._turned.set)
        except RuntimeError:  # the loop is closed: the process is ending
            self._turned.set()

    def _stuck(self) -> str:
        return f"the main event loop has not turned for {self.silent:.0f} s" if self.silent >= self._patience else ""


def _log(reason: str) -> None:
    logger.critical("the watchdog ends this process: %s", reason, extra={"action": "watchdog"})


def _write(reason: str) -> None:
    os.write(2, f"the watchdog ends this process: {reason}\n".encode(errors="replace"))
