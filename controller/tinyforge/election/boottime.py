"""The clock that the election goes by."""

import time


def boottime() -> float:
    """Return the seconds since this machine started, those included in which it was suspended: CLOCK_MONOTONIC stands still then."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
