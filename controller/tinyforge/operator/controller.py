"""The controller in a cluster: a term whose declarations are objects, whose timers are kopf's, and whose outcomes are statuses."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tinyforge.cluster import Access, Cluster, ObjectState
from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReport, stale_after
from tinyforge.http.metrics import Metrics
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.operator.bridge import Bridge
from tinyforge.operator.declared_objects import DeclaredObjects
from tinyforge.operator.event_poster import EventPoster
from tinyforge.operator.handlers import Handlers
from tinyforge.operator.kopf_thread import KopfThread
from tinyforge.operator.login import login_with
from tinyforge.operator.publisher import Publisher
from tinyforge.operator.status_writer import StatusWriter
from tinyforge.ports import Engine, LedIndex
from tinyforge.reconcile.declarations import InForce
from tinyforge.reconcile.leading import Leading, Rhythm
from tinyforge.reconcile.plugins import Plugins
from tinyforge.reconcile.unwrapped import unwrapped

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a controller works with.

    Args:
        cluster: the API server.
        find_access: finds the cluster anew, for kopf's logins.
        namespaces: those it looks after; all if there are none.
        connect: makes the engine of a host.
    """

    cluster: Cluster
    find_access: Callable[[], Access]
    namespaces: Sequence[str]
    connect: Callable[[Host], Engine]


class Controller:
    """Keeps one led index true to the objects of a cluster, and their statuses true to the index; a `Driver` of its term.

    Raises:
        NoCluster: the way of logging in to the cluster is none that kopf knows.
    """

    def __init__(self, *, surroundings: Surroundings, index: LedIndex, plugins: Plugins, rhythm: Rhythm, metrics: Metrics) -> None:
        self._surroundings = surroundings
        self._metrics = metrics
        self._rhythm = rhythm
        self.writer = StatusWriter(objects=surroundings.cluster)
        self._events = EventPoster(sink=surroundings.cluster)
        self._objects = DeclaredObjects(
            cluster=surroundings.cluster, namespaces=surroundings.namespaces, watched=self.writer.watched, vanished=self._vanished
        )
        self._publisher = Publisher(objects=self._objects, writer=self.writer, events=self._events)
        self._leading = Leading(
            index=index, declaring=self._objects, connect=surroundings.connect, plugins=plugins, rhythm=rhythm, driver=self
        )
        self._bridge = Bridge(group=self._leading.group)
        self._kopf = self._kopf_thread()
        metrics.readings.look_at_rhythm(lambda: stale_after(rhythm.interval))
        metrics.readings.look_at_statuses(lambda: self.writer.unwritten)
        metrics.readings.look_at_kopf(lambda: self._kopf.restarts)

    async def run(self) -> None:
        """Run until cancelled. No status is written from the moment on at which the term is over.

        Raises:
            Fenced: another process took over; the text names it.
            IndexRefused: the database cannot be led any more.
        """
        with unwrapped():
            async with asyncio.TaskGroup() as around:
                around.create_task(self.writer.run(), name="statuses")
                beside = [
                    around.create_task(self._events.run(), name="events"),
                    around.create_task(self._objects.keep_listing(), name="lists"),
                    around.create_task(self._watch(), name="kopf"),
                ]
                try:
                    await self._leading.run()
                finally:
                    self.writer.stop()
                    for task in beside:
                        task.cancel()
                    await self._kopf.stop()

    async def drain(self, seconds: float) -> None:
        """End kopf, begin nothing more, and wait so many seconds at most for dispatches and teardowns under way. Then cancel `run`."""
        self._bridge.outlive_kopf()
        await asyncio.gather(self._leading.drain(seconds), self._kopf.stop())

    @property
    def silent(self) -> Sequence[str]:
        """The timers that have stopped."""
        return self._leading.beats.silent()

    def in_force(self, state: InForce) -> None:
        """See `Driver.in_force`."""
        self._metrics.keep(hosts=state.hosts, workloads=state.workloads)
        self._publisher.in_force(state)

    def passed(self, host: Host, report: PassReport) -> None:
        """See `Driver.passed`."""
        self._metrics.passed(host.name, report)
        self._publisher.passed(host, report)

    def assessed(self, workload: str, status: WorkloadStatus, dispatch: DispatchReport | None) -> None:
        """See `Driver.assessed`."""
        self._metrics.assessed(workload, status, dispatch)
        self._publisher.assessed(workload, status, dispatch)

    def dispatched(self, source: str, report: DispatchReport, seconds: float) -> None:
        """See `Driver.dispatched`."""
        self._metrics.dispatched(source, report, seconds)

    async def database_lost(self) -> None:
        """See `Driver.database_lost`: PostgreSQL is somebody else's."""

    def over(self) -> None:
        """See `Driver.over`."""
        self.writer.stop()

    async def _watch(self) -> None:
        """Let kopf watch, once there is something to be watched: it would not look for definitions that it may not watch."""
        await self._objects.listed()
        self._kopf.start()

    def _vanished(self, state: ObjectState) -> None:
        self.writer.gone(state.ref)
        self._publisher.forget(state.ref)

    def _kopf_thread(self) -> KopfThread:
        login = login_with(self._surroundings.find_access)
        login()  # one that kopf cannot use is better refused now than at each of its starts
        handlers = Handlers(
            bridge=self._bridge,
            objects=self._objects,
            leading=self._leading,
            login=login,
            interval=self._rhythm.interval,
        )
        return KopfThread(
            registry=handlers.registry,
            namespaces=self._surroundings.namespaces,
            look_again=lambda: self._bridge.call(self._objects.list_again),
        )
