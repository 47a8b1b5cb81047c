"""One renewal after another, in the event loop of the renewing thread. Called by `renewing`.

A renewal that is refused or not answered is looked into: `Tenure` says what is found to mean. The Lease is watched too, but only to renew
at once when somebody touched it: who edits the holder should not lead beside us for a whole period.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import aclosing
from typing import NoReturn

from tinyforge.cluster import ClusterRefused, ClusterUnavailable
from tinyforge.domain.lease import Lease, LeaseTimes
from tinyforge.domain.tenure import Lost, Renewed, Standing, Tenure, Unknown, Unreadable, WriteAgain
from tinyforge.election import wording
from tinyforge.election.errors import LeaseLost
from tinyforge.election.steps import Steps
from tinyforge.election.waiting import ended, told
from tinyforge.ports import Leases

logger = logging.getLogger(__name__)


class Renewals:
    """Renews one Lease until cancelled.

    Args:
        leases: the Lease, over a client of this event loop.
        held: the Lease as it was last written or read.
        tenure: takes in what happens, and decides.
        times: those of the Lease.
        now: the clock.
        steps: where a test may stop it.
    """

    def __init__(self, *, leases: Leases, held: Lease, tenure: Tenure, times: LeaseTimes, now: Callable[[], float], steps: Steps) -> None:
        self._leases = leases
        self._ours = held
        self._over: Lease | None = held
        self._tenure = tenure
        self._times = times
        self._now = now
        self._steps = steps
        self._standing = Standing.LEADING
        self._touched = asyncio.Event()
        self.trouble = ""
        """Why the last renewal did not succeed; empty if it did."""

    async def run(self) -> NoReturn:
        """Renew once in each period, and at once when somebody touched the Lease.

        Raises:
            LeaseLost: somebody else's word stands in it.
        """
        loop = asyncio.get_running_loop()
        watching = asyncio.create_task(self._watch(), name="watch of our Lease")
        try:
            while True:
                due = loop.time() + self._times.retry_period
                await self._renew()
                self._tell()
                await told(self._touched, within=due - loop.time())
                self._touched.clear()
        finally:
            await ended(watching)

    async def _renew(self) -> None:
        """Renew, and if somebody changed the Lease without taking it, once more over what it is now."""
        for _ in range(2):
            if await self._is_settled():
                return

    async def _is_settled(self) -> bool:
        """Try to renew; return whether there is nothing to be done about it before the next period."""
        self._ours, sent_at = wording.renewed(self._ours), self._now()
        self._tenure.sending(self._ours, at=sent_at)
        await self._steps("before-renewal")
        try:
            written = await self._write()
        except (ClusterUnavailable, ClusterRefused) as error:
            return await self._looked_into(error)
        await self._steps("after-renewal-sent")
        self._over = written
        self._tenure.renewed(sent_at=sent_at)
        self.trouble = ""
        return True

    async def _write(self) -> Lease:
        if self._over is None:
            return await self._leases.create(self._ours)
        return await self._leases.replace(self._ours, over=self._over.resource_version)

    async def _looked_into(self, failure: ClusterUnavailable | ClusterRefused) -> bool:
        found = await self._read()
        match self._tenure.after_failure(found):
            case Renewed():
                self._over = found if isinstance(found, Lease) else self._over
                self.trouble = ""
                return True
            case WriteAgain(over=over):
                self._over = over
                self.trouble = str(failure)
                return False
            case Lost(reason=reason):
                raise LeaseLost(reason)
            case Unknown(reason=reason):
                self.trouble = f"{failure}; {reason}"
                return True

    async def _read(self) -> Lease | Unreadable | None:
        try:
            return await self._leases.read()
        except (ClusterUnavailable, ClusterRefused) as error:
            return Unreadable(str(error))

    async def _watch(self) -> NoReturn:
        while True:
            try:
                async with aclosing(self._leases.watch()) as watch:
                    async for lease in watch:
                        if not self._tenure.may_release(lease):
                            self._touched.set()
            except (ClusterUnavailable, ClusterRefused) as error:
                logger.debug("the Lease cannot be watched: %s", error, extra={"action": "lease_unreadable"})
            await asyncio.sleep(self._times.retry_period)

    def _tell(self) -> None:
        """Say when it begins and ends that nothing may be changed on an engine."""
        before, self._standing = self._standing, self._tenure.state(self._now())
        if before is self._standing:
            return
        if self._standing is Standing.OBSERVING:
            logger.warning(
                "the Lease could not be renewed for %g s: the index goes on, engines are left as they are (%s)",
                self._times.renew_deadline,
                self.trouble,
                extra={"action": "lease_not_renewed"},
            )
        else:
            logger.info("the Lease is renewed again", extra={"action": "lease_renewed"})
