"""Where in the interval each timer ticks: spread, so that forty hosts do not answer in the same millisecond for ever."""

import zlib


def place(name: str) -> float:
    """Return the place of `name` in the interval, from 0 to 1: always the same, and spread over all names."""
    return zlib.crc32(name.encode()) % 1000 / 1000
