"""The thread that renews the Lease, whatever the main event loop is doing, over an HTTP client of its own.

It is also what a leader is asked before it changes an engine (`tinyforge.ports.Validity`): valid is the Lease for some time after the last
renewal was *sent* that is known to have succeeded.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from tinyforge.domain.lease import Lease, LeaseTimes
from tinyforge.domain.tenure import Standing, Tenure
from tinyforge.election.errors import LeaseLost
from tinyforge.election.renewals import Renewals
from tinyforge.election.steps import Steps
from tinyforge.ports import Leases

logger = logging.getLogger(__name__)

_STOP_SECONDS = 1.0


class Renewer:
    """Renews one term's Lease from `start` to `stop`.

    Args:
        leases: the Lease, over a client that nobody else uses; this closes it.
        held: the Lease as it was taken.
        tenure: of this term.
        times: those of the Lease.
        now: the clock.
        steps: where a test may stop it.
    """

    def __init__(self, *, leases: Leases, held: Lease, tenure: Tenure, times: LeaseTimes, now: Callable[[], float], steps: Steps) -> None:
        self._leases = leases
        self._renewals = Renewals(leases=leases, held=held, tenure=tenure, times=times, now=now, steps=steps)
        self._tenure = tenure
        self._now = now
        self._thread = threading.Thread(target=self._main, name="renewal of the Lease", daemon=True)
        self._stopped = False
        self._cancel: Callable[[], object] = lambda: None
        self._tell_loss: Callable[[], object] = lambda: None
        self._tell_end: Callable[[], object] = lambda: None
        self._ended = asyncio.Event()
        self.lost = ""
        """Why the Lease is lost; empty if it is not."""
        self.lost_at = 0.0
        """When that was noticed."""

    def start(self, *, on_lost: Callable[[], None]) -> None:
        """Begin; `on_lost` is called in the event loop that runs now, soon after the Lease is lost."""
        loop = asyncio.get_running_loop()
        self._tell_loss = lambda: loop.call_soon_threadsafe(on_lost)
        self._tell_end = lambda: loop.call_soon_threadsafe(self._ended.set)
        self._thread.start()

    async def stop(self) -> None:
        """Renew no more, and see the thread end. A renewal that is under way may still arrive: it meets whatever is written after it."""
        self._stopped = True
        if self._thread.ident is None:
            return
        with suppress(RuntimeError):  # its loop is closed: it has just ended by itself
            self._cancel()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self._ended.wait()
            self._thread.join(_STOP_SECONDS)  # it has nothing left to do
        except TimeoutError:
            logger.warning("the renewal of the Lease does not end and is left behind", extra={"action": "renewal_left_behind"})

    def valid(self) -> bool:
        """Tell whether a change of an engine may begin."""
        return self.left() > 0

    def left(self) -> float:
        """Return for how many seconds one may, if no renewal succeeds any more; never below 0."""
        return 0.0 if self._stopped or self.lost else self._tenure.left(self._now())

    @property
    def standing(self) -> Standing:
        """What this leader may do."""
        return Standing.LEADING if self.valid() else Standing.OBSERVING

    @property
    def valid_until(self) -> float:
        """When the validity ends, or ended."""
        return self._tenure.valid_until

    @property
    def renewed_at(self) -> float:
        """When the last renewal was sent that is known to have succeeded."""
        return self._tenure.renewed_at

    @property
    def trouble(self) -> str:
        """Why the last renewal did not succeed; empty if it did."""
        return self._renewals.trouble

    @property
    def alive(self) -> bool:
        """Whether the thread is there that renews."""
        return self._thread.is_alive()

    def _main(self) -> None:
        try:
            asyncio.run(self._run())
        except asyncio.CancelledError:
            pass  # by stop
        except LeaseLost as error:
            self._lose(str(error))
        except BaseException as error:
            logger.exception("the thread that renews the Lease failed", extra={"action": "renewal_failed"})
            self._lose(f"the Lease can be renewed no more: {error!r}")
        finally:
            with suppress(RuntimeError):  # the main event loop is closed
                self._tell_end()

    async def _run(self) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task  # noqa: S101 - for the type checker
        self._cancel = lambda: loop.call_soon_threadsafe(task.cancel)
        try:
            if not self._stopped:
                await self._renewals.run()
        finally:
            await self._leases.close()

    def _lose(self, reason: str) -> None:
        self.lost_at = self._now()
        self.lost = reason
        with suppress(RuntimeError):  # the main event loop is closed
            self._tell_loss()
