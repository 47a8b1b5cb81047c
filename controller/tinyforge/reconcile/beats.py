"""Which timers have stopped: one that has not ticked for three intervals has, whatever else this process does.

A tick that is under way is a sign of life however long it takes: everything in it has a bound of its own (an engine's list, a plugin's
call), and together these may well be longer than three short intervals.
"""

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

_SILENT_INTERVALS = 3


class Beats:
    """The timers that there should be, and when each was last heard of, on the monotonic clock."""

    def __init__(self, interval: float) -> None:
        self._patience = _SILENT_INTERVALS * interval
        self._heard: dict[str, float] = {}
        self._ticking = Counter[str]()

    def expect(self, timers: Iterable[str]) -> None:
        """Expect these timers and no others from now on; one that is new has all its time."""
        now = time.monotonic()
        self._heard = {timer: self._heard.get(timer, now) for timer in timers}

    @contextmanager
    def tick(self, timer: str) -> Iterator[None]:
        """Take note that a timer ticks, for the length of a block."""
        self._ticking[timer] += 1
        try:
            yield
        finally:
            self._ticking[timer] -= 1
            if not self._ticking[timer]:
                del self._ticking[timer]
            if timer in self._heard:
                self._heard[timer] = time.monotonic()

    def silent(self) -> list[str]:
        """Return the timers that have not been heard of for three intervals, in order."""
        longest_ago = time.monotonic() - self._patience
        return sorted(timer for timer, heard in self._heard.items() if heard < longest_ago and not self._ticking[timer])
