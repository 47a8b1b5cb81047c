"""The controller without a cluster: a term of leading, its timers, and what its log says of the declarations."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Refusal
from tinyforge.domain.passes import PassReport, stale_after
from tinyforge.http.metrics import Metrics
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.ports import Engine, LedIndex
from tinyforge.reconcile.declarations import Declaring, InForce
from tinyforge.reconcile.leading import Leading, Rhythm
from tinyforge.reconcile.plugins import Plugins
from tinyforge.standalone.timers import Timers

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a controller works with.

    Args:
        declaring: what is declared.
        connect: makes the engine of a host.
        on_database_lost: awaited again and again while PostgreSQL is away: where it is embedded, that brings it back.
    """

    declaring: Declaring
    connect: Callable[[Host], Engine]
    on_database_lost: Callable[[], Awaitable[None]]


class Controller:
    """Keeps one led index true to what is declared; a `Driver` of its term."""

    def __init__(self, *, surroundings: Surroundings, index: LedIndex, plugins: Plugins, rhythm: Rhythm, metrics: Metrics) -> None:
        self._surroundings = surroundings
        self._metrics = metrics
        self._leading = Leading(
            index=index, declaring=surroundings.declaring, connect=surroundings.connect, plugins=plugins, rhythm=rhythm, driver=self
        )
        group = self._leading.group
        self._hosts = Timers(self._leading.timed_pass, interval=rhythm.interval, group=group)
        self._workloads = Timers(self._leading.timed_turn, interval=rhythm.interval, group=group)
        self._refused: frozenset[Refusal] = frozenset()
        metrics.readings.look_at_rhythm(lambda: stale_after(rhythm.interval))

    async def run(self) -> None:
        """Run until cancelled.

        Raises:
            Fenced: another process took over; the text names it.
            IndexRefused: the database cannot be led any more.
        """
        await self._leading.run()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, and wait so many seconds at most for dispatches and teardowns under way. Then cancel `run`."""
        await self._leading.drain(seconds)

    @property
    def silent(self) -> Sequence[str]:
        """The timers that have stopped."""
        return self._leading.beats.silent()

    def in_force(self, state: InForce) -> None:
        """See `Driver.in_force`."""
        self._metrics.keep(hosts=state.hosts, workloads=state.workloads)
        self._hosts.keep(state.hosts)
        self._workloads.keep(state.workloads)
        refused = frozenset(state.refusals)
        for it in sorted(refused - self._refused, key=lambda refusal: refusal.workload_id):
            logger.error(
                "%s: workload %s is refused: %s: %s",
                it.origin,
                it.workload_id,
                it.field,
                it.full_message,
                extra={"action": "workload_refused", "workload": it.workload_id, "reason": it.reason},
            )
        self._refused = refused

    def passed(self, host: Host, report: PassReport) -> None:
        """See `Driver.passed`: the index says the rest."""
        self._metrics.passed(host.name, report)

    def assessed(self, workload: str, status: WorkloadStatus, dispatch: DispatchReport | None) -> None:
        """See `Driver.assessed`: the column `workloads.status` says the rest."""
        self._metrics.assessed(workload, status, dispatch)

    def dispatched(self, source: str, report: DispatchReport, seconds: float) -> None:
        """See `Driver.dispatched`."""
        self._metrics.dispatched(source, report, seconds)

    async def database_lost(self) -> None:
        """See `Driver.database_lost`."""
        await self._surroundings.on_database_lost()

    def over(self) -> None:
        """See `Driver.over`: everything that is said is written to the index, which is fenced."""
