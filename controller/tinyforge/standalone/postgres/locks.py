"""flock(2) for the embedded PostgreSQL: locks that end with the process that holds them, whatever ends it.

A lock belongs to an open descriptor and to all that were inherited from it: it is free when the last of them is closed.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def open_lock(path: Path) -> int:
    """Open a lock file, which is created if missing, and return its descriptor, not locked yet."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a lock file like `open_lock`, for the length of a block."""
    descriptor = open_lock(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def share(descriptor: int) -> bool:
    """Try to lock together with others who share it, without waiting for one who holds it alone."""
    return _locked(descriptor, fcntl.LOCK_SH)


def take(descriptor: int) -> bool:
    """Try to lock for oneself alone, without waiting. Granted or not, a shared lock that one held is given up (flock(2))."""
    return _locked(descriptor, fcntl.LOCK_EX)


def _locked(descriptor: int, operation: int) -> bool:
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
