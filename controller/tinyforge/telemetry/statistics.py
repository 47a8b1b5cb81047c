"""What became of the spans that were recorded, in plain numbers: `/metrics` shows them, and drops are never silent."""

import threading


class TraceStatistics:
    """The numbers of one pipeline. Each span that ended is exported, dropped, or still on its way; all numbers but `queued` only grow.

    Spans end in any thread, and leave in the exporter's, so every change is made under a lock; the numbers are read without one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = 0
        self._exported = 0
        self._dropped = 0
        self._failures = 0

    @property
    def exported(self) -> int:
        """How many spans the collector took."""
        return self._exported

    @property
    def dropped(self) -> int:
        """How many spans were lost: no room was left for them, the collector did not take them, or the process ended first."""
        return self._dropped

    @property
    def failures(self) -> int:
        """How many exports the collector did not take; each was of up to 512 spans."""
        return self._failures

    @property
    def queued(self) -> int:
        """How many spans wait to be exported, or are being exported now."""
        return max(0, self._ended - self._exported - self._dropped)

    def enter(self, capacity: int) -> bool:
        """Count a span that ended, and tell whether there is room for it beside those on their way; if not, it counts as dropped."""
        with self._lock:
            room = self.queued < capacity
            self._ended += 1
            self._dropped += not room
            return room

    def take(self, spans: int) -> None:
        """Count an export of so many spans that the collector took."""
        with self._lock:
            self._exported += spans

    def fail(self, spans: int) -> None:
        """Count an export of so many spans that it did not take."""
        with self._lock:
            self._failures += 1
            self._dropped += spans

    def give_up(self) -> int:
        """Count all spans that are still on their way as dropped, and return how many those were."""
        with self._lock:
            left = self.queued
            self._dropped += left
            return left
