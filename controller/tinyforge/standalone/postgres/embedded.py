"""Using the embedded PostgreSQL: the first one in starts it, the last one out stops it, several may use it at once.

Called by the standalone driver, and by the verbs that need the index where no database is named. Everybody who uses the server
holds the lock *users* shared, for as long as they do. Whoever leaves asks for the same lock alone, without waiting; who gets it
was the last one, and stops the server before letting go of it.

Why "the last one out stops it" and "a new one joins" cannot meet: a newcomer shares *users* before it looks for a server. If it
does so first, nobody gets the lock alone, and the server stays. If the last one out was first, the newcomer waits until the server
has stopped, and starts it again.

Why one of several who leave at once always stops it: asking for the lock alone first gives up the shared one, granted or not
(flock(2)). So the one who asks last is refused only if another has the lock alone, and that one stops the server, or if somebody
uses it still.

A user that is killed holds nothing any more. If it was the last one, the server runs on; the next one finds it, and stops it as
the last one out.
"""

import logging
import math
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tinyforge.standalone.postgres.binaries import wheel_programs
from tinyforge.standalone.postgres.errors import EmbeddedPostgresError
from tinyforge.standalone.postgres.layout import Layout, layout_in
from tinyforge.standalone.postgres.locks import open_lock, share, take
from tinyforge.standalone.postgres.server import POLL_SECONDS, Server

logger = logging.getLogger(__name__)

LAST_OUT_SECONDS = 30  # thrice what a last one out gives the server
REVIVAL_SECONDS = 10  # how long a server that was started again has to last to be worth another start


class EmbeddedPostgres:
    """A running embedded PostgreSQL, as one of its users sees it (made by `embedded_postgres`)."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._revived_at = -math.inf

    @property
    def conninfo(self) -> str:
        """The libpq URI of the database `tinyforge`, for psycopg and for psql."""
        return self._layout.conninfo

    @property
    def psql(self) -> Path:
        """A psql for people who have none of their own."""
        return wheel_programs() / "psql"

    def revive(self) -> None:
        """Start the server again if it has ended, without waiting until it accepts connections; a few milliseconds if it has not.

        Raises:
            EmbeddedPostgresError: it cannot be started, or has ended again soon after it was.
        """
        server = Server(self._layout)
        with _faults_named(self._layout):
            if server.runs():
                return
            if time.monotonic() < self._revived_at + REVIVAL_SECONDS:
                raise EmbeddedPostgresError(f"PostgreSQL in {self._layout.data} ends as soon as it is started.", output=server.output)
            self._revived_at = time.monotonic()
            if server.start():
                logger.warning(
                    "PostgreSQL in %s had ended and is started again; %s says more",
                    self._layout.data,
                    self._layout.log,
                    extra={"action": "database_revived"},
                )


@contextmanager
def embedded_postgres(folder: Path) -> Iterator[EmbeddedPostgres]:
    """Use the embedded PostgreSQL of the data folder `folder`, for the length of a block.

    The folder is created if missing, the server started if it does not run; leaving the block stops it, unless somebody else
    uses it. Both may take seconds: do neither in an event loop.

    Raises:
        EmbeddedPostgresError: there is no usable server; the text says why and what to do.
    """
    layout = layout_in(folder)
    with _faults_named(layout):
        _ensure_folder(layout.folder)
        users = open_lock(layout.users)
    try:
        _join(layout, users)
        try:
            yield EmbeddedPostgres(layout)
        finally:
            _leave(layout, users)
    finally:
        os.close(users)


def _join(layout: Layout, users: int) -> None:
    deadline = time.monotonic() + LAST_OUT_SECONDS
    while not share(users):
        if time.monotonic() > deadline:
            raise EmbeddedPostgresError(
                f"Another process has been stopping PostgreSQL in {layout.data} for {LAST_OUT_SECONDS} s: see `fuser -v {layout.users}`."
            )
        time.sleep(POLL_SECONDS)
    try:
        with _faults_named(layout):
            Server(layout).ensure_running()
    except KeyboardInterrupt:
        _leave(layout, users)
        raise


def _leave(layout: Layout, users: int) -> None:
    with _faults_named(layout):
        if take(users):
            Server(layout).stop()


def _ensure_folder(folder: Path) -> None:
    """Create the folder and those above it that are missing. A folder that exists keeps its mode, whatever that is."""
    if folder.exists():
        return
    _ensure_folder(folder.parent)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:  # another process was faster
        return
    if os.geteuid() == 0:
        folder.chmod(0o711)  # the account of the server must pass through, and need not look around


@contextmanager
def _faults_named(layout: Layout) -> Iterator[None]:
    try:
        yield
    except PermissionError as error:
        raise EmbeddedPostgresError(
            f"No permission for {error.filename or layout.folder}: run as the user that owns the data folder {layout.folder}, "
            "or name another one by TINYFORGE_DATA."
        ) from error
    except (OSError, subprocess.SubprocessError) as error:
        raise EmbeddedPostgresError(f"The embedded PostgreSQL in {layout.folder} failed: {error}.") from error
