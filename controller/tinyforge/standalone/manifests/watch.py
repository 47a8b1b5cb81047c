"""When a folder of manifests may have changed.

The folder is looked at a few times a second, by the status of its manifests. File events would not spare that look: they end when the
folder is replaced, never tell of a file behind a link or of a link that now leads elsewhere, and are not to be had on every file system.
What is seen by looking is seen everywhere; a look takes 0.3 ms for 50 files, 5 ms for 1,000.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from tinyforge.standalone.manifests.files import FolderUnreadable, list_manifests

LOOK_SECONDS = 0.4
_MOST_WAITS = 3  # so that a file that is written all the time is still seen within a second

_Seen = tuple[object, ...]


async def changes(folder: Path, *, stop: asyncio.Event, every: float = LOOK_SECONDS) -> AsyncIterator[None]:
    """Yield at once, and then whenever `folder` may hold something else than before, or has gone or come back; end when `stop` is set.

    A change is reported within a second, once it has been left alone for a moment: most programs empty a file before they write it.

    Args:
        folder: need not be there.
        stop: ends a look or a wait at once.
        every: how long to wait between two looks, in seconds.
    """
    reported: _Seen | None = None
    while not stop.is_set():
        seen = await _look(folder)
        if seen != reported:
            reported = await _settled(seen, folder, stop=stop, wait=every / 4)
            if not stop.is_set():
                yield
        await _pause(every, stop)


async def _settled(seen: _Seen, folder: Path, *, stop: asyncio.Event, wait: float) -> _Seen:
    """Look on until two looks see the same, but not for ever."""
    for _ in range(_MOST_WAITS):
        await _pause(wait, stop)
        before, seen = seen, await _look(folder)
        if seen == before:
            break
    return seen


async def _look(folder: Path) -> _Seen:
    return await asyncio.to_thread(_status, folder)


def _status(folder: Path) -> _Seen:
    try:
        listing = list_manifests(folder)
    except FolderUnreadable as error:
        return (str(error),)
    return (listing.unreadable, *map(_file_status, listing.files))


def _file_status(file: str) -> tuple[object, ...]:
    try:
        status = os.stat(file)
    except OSError as error:
        return file, error.errno
    return file, status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


async def _pause(seconds: float, stop: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
