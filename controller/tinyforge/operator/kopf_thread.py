"""kopf, in a thread with an event loop of its own.

In ours it would take the signal handlers, and cancel at its end every task that was born after its start. Some things end it whatever its
settings are: a CRD that is deleted and applied again, for one. So when it ends and nobody asked it to, it is started again.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Any, cast

import kopf

from tinyforge.domain.complaints import Complaint
from tinyforge.operator.kopf_logs import quieten
from tinyforge.operator.kopf_run import KopfRun
from tinyforge.operator.kopf_settings import kopf_settings

logger = logging.getLogger(__name__)

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
_LONG_RUN = 60.0
"""After so many seconds the next end is a new trouble, and not the same one once more."""
_STOP_SECONDS = 3.0
"""More than a run takes to end. A thread that still runs stands still in some call, and nothing can be done about that."""


class KopfThread:
    """Runs kopf from `start` to `stop`.

    Args:
        registry: makes the handlers; called anew for each run.
        namespaces: which are watched; all if there are none.
        look_again: awaited, in kopf's loop, before every run but the first: what happened meanwhile no watch will tell, and kopf would
            watch nothing for ever of what is not there when it starts.
    """

    def __init__(
        self, *, registry: Callable[[], kopf.OperatorRegistry], namespaces: Sequence[str], look_again: Callable[[], Awaitable[None]]
    ) -> None:
        self._registry = registry
        self._look_again = look_again
        self._namespaces = tuple(namespaces)
        self._thread = threading.Thread(target=self._main, name="kopf", daemon=True)
        self._stopped = threading.Event()
        self._hanging = Complaint()
        self._run = KopfRun(self._spawn, hanging=self._hanging)
        self.restarts = 0
        """How often it ended and nobody had asked it to."""

    def start(self) -> None:
        """Start it."""
        quieten()
        self._thread.start()

    async def stop(self) -> None:
        """Stop it, if it was started, and see it end."""
        self._stopped.set()
        self._run.stop()
        if self._thread.ident is not None:
            await asyncio.to_thread(self._thread.join, _STOP_SECONDS)

    def _main(self) -> None:
        pause, complaint = _FIRST_PAUSE, Complaint()
        while not self._stopped.is_set():
            began = time.monotonic()
            ended = self._ended()
            if self._stopped.is_set():
                return
            self.restarts += 1
            if time.monotonic() - began >= _LONG_RUN:
                pause = _FIRST_PAUSE
                complaint.over()
            if complaint.is_news(ended):
                extra = {"action": "kopf_restarted", "failures": complaint.failures}
                logger.warning("kopf ended (%s) and is started again in %g s", ended, pause, extra=extra)
            self._stopped.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)
            self._run = KopfRun(self._spawn, hanging=self._hanging)

    def _ended(self) -> str:
        """Run kopf until it ends, and return why it did."""
        try:
            self._run.run()
        except Exception as error:  # noqa: BLE001 - whatever ends it, it is started again
            return f"{type(error).__name__}: {error}"
        return "without saying why"

    async def _spawn(self, stop_flag: asyncio.Event) -> Collection[asyncio.Task[None]]:
        if self.restarts:
            await self._look_again()
        return await kopf.spawn_tasks(
            registry=self._registry(),
            settings=kopf_settings(),
            identity=cast("Any", "tinyforge"),  # or it asks for the user's name, and ends where a uid has none; the type is kopf's own
            standalone=True,
            clusterwide=not self._namespaces,
            namespaces=self._namespaces,
            stop_flag=stop_flag,
        )
