"""What a leader makes of the looks of its presence: that its term is over, or that its claim was lost and has to be made again."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress

from tinyforge.domain.leaders import LeadersLook
from tinyforge.ports import Fenced, IndexUnavailable, LedIndex

logger = logging.getLogger(__name__)


class Attendance:
    """Attends to one term (`tinyforge.ports.Attendant`).

    Args:
        index: the index, led.
        requested: called when there may be a new request.
        lost: awaited for as long as PostgreSQL is away, again and again.
        regained: called when a claim that a failover of PostgreSQL had lost was made again; whatever was written before may be lost too.
    """

    def __init__(
        self, *, index: LedIndex, requested: Callable[[], None], lost: Callable[[], Awaitable[None]], regained: Callable[[], None]
    ) -> None:
        self._index = index
        self._regained = regained
        self._in_doubt = asyncio.Event()
        self._requested = requested
        self._lost = lost

    async def run(self) -> None:
        """Attend until cancelled.

        Raises:
            Fenced: another process has claimed the database; the text names it. It comes in a group, as tasks raise it.
            IndexRefused: nobody can lead this database.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._index.presence.hold(self), name="presence")
            group.create_task(self._confirm(), name="claim in doubt")
            group.create_task(self._tell(), name="claim regained")

    def looked(self, look: LeadersLook) -> None:
        """See `tinyforge.ports.Attendant.looked`.

        Raises:
            Fenced: another process has claimed the database; the text names it.
        """
        term = self._index.term
        if look.epoch >= term.epoch and (look.epoch, look.holder) != (term.epoch, term.holder):
            raise Fenced(f"{look.holder or 'another process'} took over with epoch {look.epoch}; this process had epoch {term.epoch}")
        if look.primary and look.epoch < term.epoch:
            self._in_doubt.set()

    def requested(self) -> None:
        """See `tinyforge.ports.Attendant.requested`."""
        self._requested()

    async def lost(self) -> None:
        """See `tinyforge.ports.Attendant.lost`."""
        await self._lost()

    async def _confirm(self) -> None:
        while True:
            await self._in_doubt.wait()
            self._in_doubt.clear()
            with suppress(IndexUnavailable):  # the next look says that it is still in doubt
                await self._index.claim.confirm()

    async def _tell(self) -> None:
        while True:
            await self._index.claim.regained()
            logger.warning(
                "PostgreSQL had lost the claim of epoch %d, and it was made again: everything is looked at",
                self._index.term.epoch,
                extra={"action": "claim_regained"},
            )
            self._regained()
