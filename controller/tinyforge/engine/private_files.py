"""Private keys, for programs and libraries that read nothing but files: OpenSSL (`tls_context`) and ssh (`tunnel`).

No other user can read them, and they stay in memory where the system has a place for that. Used for moments, not for keeping.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile, mkdtemp
from typing import IO

MEMORY = Path("/dev/shm")  # noqa: S108 - only a folder of our own is made in it, under a name nobody can know before
"""A file system in memory, which Linux has."""


@contextmanager
def nameless_file(content: bytes) -> Iterator[str]:
    """Yield a path at which this process can read `content` once, until the block ends.

    It leads to an open file that is in no folder, so that a kill -9 leaves nothing behind.
    """
    with _nameless() as file:
        file.write(content)
        file.seek(0)  # this writes it out too; and where opening /dev/fd is a dup, as on macOS, a reader goes on from here
        yield f"/dev/fd/{file.fileno()}"


def private_folder() -> Path:
    """Make a folder that only this user may enter; the caller removes it.

    Raises:
        OSError: there is no room for one.
    """
    return Path(mkdtemp(prefix="tinyforge-private-", dir=MEMORY if os.access(MEMORY, os.W_OK | os.X_OK) else None))


def _nameless() -> IO[bytes]:
    if hasattr(os, "memfd_create"):  # Linux
        return open(os.memfd_create("tinyforge"), "w+b")  # closed by the caller's block, not passed on to children
    return TemporaryFile()
