"""The controller without a cluster: one leader, its loops, and what keeps them true to what is declared.

Everything runs in one task group: the first task that finds the term over (`Fenced`) ends them all, having written nothing more.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from tinyforge.domain.mirror import Refusal
from tinyforge.domain.passes import effective_interval, stale_after
from tinyforge.index.led import LedIndex
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable, TinyforgeError
from tinyforge.settings import Settings
from tinyforge.standalone.answers import Answers
from tinyforge.standalone.declared import Declarations, Declaring
from tinyforge.standalone.host_loops import HostLoops
from tinyforge.standalone.opening import HostOpener

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0
_HOUSEKEEPING_SECONDS = 3600.0


class Controller:
    """Keeps one led index true to what is declared.

    `on_database_lost` is awaited again and again while PostgreSQL is away: where it is embedded, that brings it back.
    """

    def __init__(
        self, *, settings: Settings, index: LedIndex, declaring: Declaring, on_database_lost: Callable[[], Awaitable[None]]
    ) -> None:
        self._settings = settings
        self._index = index
        self._declaring = declaring
        self._on_database_lost = on_database_lost
        self._interval = effective_interval(settings.interval)
        self._declarations = Declarations(declaring=declaring, mirror=index.mirror, stale_after=stale_after(self._interval))
        self._refused: frozenset[Refusal] = frozenset()

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            Fenced: another process took over; the text names it.
            IndexRefused: the database cannot be led any more.
        """
        if self._interval != self._settings.interval:
            logger.warning(
                "TINYFORGE_INTERVAL: %g s means %g s", self._settings.interval, self._interval, extra={"action": "interval_clamped"}
            )
        try:
            async with asyncio.TaskGroup() as group:
                await self._lead(group)
        except BaseExceptionGroup as group_of_errors:
            ours = group_of_errors.subgroup(TinyforgeError)
            if ours is None:
                raise
            raise _leaf(ours) from group_of_errors

    async def _lead(self, group: asyncio.TaskGroup) -> None:
        loops = HostLoops(group=group, open_loop=HostOpener(settings=self._settings, containers=self._index.containers).open)
        answers = Answers(index=self._index, loops=loops, group=group)
        group.create_task(self._index.presence.hold(answers.look, self._on_database_lost), name="presence")
        try:
            await self._apply(loops)
            group.create_task(answers.run(), name="answers")
            group.create_task(self._keep_house(), name="housekeeping")
            async for _ in self._declaring.changes():
                await self._apply(loops)
        finally:
            await loops.stop(list(loops.hosts))

    async def _apply(self, loops: HostLoops) -> None:
        """Apply what is declared, again after a moment for as long as PostgreSQL does not take it; no pass starts before (rule P10)."""
        complaint = ""
        while True:
            try:
                plan = await self._declarations.apply(loops)
            except Fenced:
                raise
            except (IndexUnavailable, IndexRefused) as error:
                if str(error) != complaint:
                    logger.warning("what is declared is not mirrored yet: %s", error, extra={"action": "mirror_not_written"})
                complaint = str(error)
                await asyncio.sleep(_RETRY_SECONDS)
            else:
                self._say(frozenset(plan.refusals))
                return

    def _say(self, refused: frozenset[Refusal]) -> None:
        for it in sorted(refused - self._refused, key=lambda refusal: refusal.workload_id):
            logger.error(
                "%s: workload %s is refused: %s: %s",
                it.origin,
                it.workload_id,
                it.field,
                it.message,
                extra={"action": "workload_refused", "workload": it.workload_id, "reason": it.reason},
            )
        self._refused = refused

    async def _keep_house(self) -> None:
        while True:
            try:
                pruned = await self._index.housekeeping.prune(retention=self._settings.missing_retention)
            except Fenced:
                raise
            except (IndexUnavailable, IndexRefused) as error:
                logger.warning("housekeeping postponed: %s", error, extra={"action": "housekeeping_postponed"})
                pruned = ()
            if pruned:
                logger.info("%d rows pruned: %s", len(pruned), ", ".join(pruned), extra={"action": "rows_pruned", "rows": list(pruned)})
            await asyncio.sleep(_HOUSEKEEPING_SECONDS)


def _leaf(group: BaseExceptionGroup[TinyforgeError]) -> TinyforgeError:
    first = group.exceptions[0]
    return _leaf(first) if isinstance(first, BaseExceptionGroup) else first
