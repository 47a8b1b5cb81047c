"""Taking hosts over from earlier terms: what those may still be doing on an engine is waited for before anything is changed there.

Called by `tinyforge.reconcile.mutations` before the first mutation on a host in a term. What earlier terms can still do is all in the
intents that they have left open: a request that was on its way, or one that a frozen process sends when it wakes up. None is added after
this term's claim, so once a term is enough.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Sequence
from contextlib import suppress

from tinyforge.domain.intents import Intent, Settled, Unsettled, settled
from tinyforge.ports import EngineError, Intents

logger = logging.getLogger(__name__)

Look = Callable[[str, Sequence[Intent]], Awaitable[Collection[int]]]
"""Takes a full list of a host now, and returns the ids of those intents whose effect it shows. May raise EngineError."""

_LOOK_SECONDS = 1.0


async def shows_nothing(_host: str, _intents: Sequence[Intent]) -> Collection[int]:
    """Look at nothing: every deadline is then waited for."""
    return ()


class Takeovers:
    """The hosts that a term has taken over.

    Args:
        intents: the term's.
        look: tells whose effect a host shows.
        now: CLOCK_BOOTTIME.
    """

    def __init__(self, *, intents: Intents, look: Look, now: Callable[[], float]) -> None:
        self._intents = intents
        self._look = look
        self._now = now
        self._taken: set[str] = set()
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def take(self, host: str) -> None:
        """Take a host over, unless this term has done so before: wait for what is open there, and close it as superseded.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer; the host is not taken over yet.
        """
        async with self._turns[host]:
            if host in self._taken:
                return
            unsettled = await self._intents.open_of_lower_epochs(host)
            if unsettled:
                await self._settle(host, unsettled)
            self._taken.add(host)

    async def outlast(self, unsettled: Unsettled) -> None:
        """Wait until one intent can have no effect any more that is not there already."""
        await self._rest((unsettled,), since=self._now())

    async def _settle(self, host: str, unsettled: Sequence[Unsettled]) -> None:
        since = self._now()  # after the answer: counted from before the question, it would be over too soon
        while unsettled:
            over = await self._rest(unsettled, since=since)
            await self._intents.supersede(over)
            for it in over:
                logger.info("superseded: %s: %s", it.intent, it.reason, extra={"action": "intent_superseded", "host": host})
            known = {it.intent.id for it in over}
            unsettled = [it for it in unsettled if it.intent.id not in known]

    async def _rest(self, unsettled: Sequence[Unsettled], *, since: float) -> tuple[Settled, ...]:
        """Return those that are settled, as soon as any is."""
        while not (over := settled(unsettled, waited=self._now() - since, seen=())):
            soonest = min(it.left for it in unsettled) - (self._now() - since)
            with suppress(TimeoutError):
                async with asyncio.timeout(soonest):  # a list that hangs is no reason to wait longer
                    if over := settled(unsettled, waited=0.0, seen=await self._seen([it.intent for it in unsettled])):
                        return over
                    await asyncio.sleep(_LOOK_SECONDS)
        return over

    async def _seen(self, intents: Sequence[Intent]) -> Collection[int]:
        try:
            return await self._look(intents[0].host, intents)
        except EngineError as error:
            logger.debug("host %s: %s", intents[0].host, error)
            return ()
