"""The end of the process, which nothing that a verb had to leave behind may hold up (rule P5).

A plugin is somebody's code: its task may swallow every cancellation, its thread may wait for ever. The interpreter waits for such a thread
when it ends, and runs such a task's code once more when it frees it. So once a verb has done all that it does, outside of its event loop
too, and something of that kind is left, the process ends without the interpreter's own end. Called by `tinyforge.cli`.
"""

import logging
import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

logger = logging.getLogger(__name__)


class Ending:
    """How a process ends. The `obj` of click's context, so that every verb finds it there."""

    def __init__(self) -> None:
        self._left: list[object] = []

    def leave(self, *what: object) -> None:
        """Keep what has not ended until the process does: to free it could run its code."""
        self._left += what

    @contextmanager
    def for_good(self) -> Iterator[None]:
        """End the process with the exit code that a block leaves by, at once if something is left that would go on."""
        try:
            yield
        except SystemExit as end:
            if self._goes_on():
                _end_at_once(end.code)
            raise

    def _goes_on(self) -> bool:
        threads = [it.name for it in threading.enumerate() if not it.daemon and it is not threading.main_thread()]
        if threads:
            logger.warning("ends without waiting for its threads %s", ", ".join(threads), extra={"action": "threads_left_behind"})
        return bool(threads or self._left)


def _end_at_once(code: object) -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # nobody reads any more
            stream.flush()
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
