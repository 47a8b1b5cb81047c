"""What a leader does during its term, under either driver: it keeps one led index true to what is declared.

A driver brings the timers (`timed_pass`, `timed_turn`) and is told of everything that its statuses are made of (`Driver`); it decides
nothing. Everything runs in one task group: the first task that finds the term over (`Fenced`) ends them all, having written nothing more.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Protocol

from tinyforge.domain.dispatch import DispatchReason, DispatchReport, TraceUnchanged
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReason, PassReport, stale_after
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.ports import Engine, LedIndex
from tinyforge.reconcile.answers import Answers
from tinyforge.reconcile.attendance import Attendance
from tinyforge.reconcile.beats import Beats
from tinyforge.reconcile.declarations import Declarations, Declaring, InForce
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.hosts import Hosts
from tinyforge.reconcile.housekeeping import keep_house
from tinyforge.reconcile.passes import PassStopped
from tinyforge.reconcile.plugins import Plugins
from tinyforge.reconcile.standing import Standing
from tinyforge.reconcile.teardowns import Teardowns
from tinyforge.reconcile.trace_links import TraceLinks
from tinyforge.reconcile.under_way import UnderWay
from tinyforge.reconcile.until_taken import until_taken
from tinyforge.reconcile.unwrapped import unwrapped
from tinyforge.reconcile.workload_turns import WorkloadTurns

logger = logging.getLogger(__name__)

_BREATH_SECONDS = 0.25
"""From what was applied to the next look at what is declared: a storm of edits is a look, a pass and a status now and then, not of each."""


class Driver(Protocol):
    """Who is told what a leader finds out. None of these may raise, and only `database_lost` may take its time."""

    def in_force(self, state: InForce) -> None:
        """Take note of what is in force, whenever declarations were applied."""
        ...

    def passed(self, host: Host, report: PassReport) -> None:
        """Take note of a pass."""
        ...

    def assessed(self, workload: str, status: WorkloadStatus, dispatch: DispatchReport | None) -> None:
        """Take note of a workload's status after a turn of it, and of its last dispatch if it has had one."""
        ...

    def dispatched(self, source: str, report: DispatchReport, seconds: float) -> None:
        """Take note of a dispatch to a source of this kind, how it ended, and how many seconds it took."""
        ...

    async def database_lost(self) -> None:
        """Do what can be done about PostgreSQL, again and again while it is away: an embedded one can be started."""
        ...

    def over(self) -> None:
        """Say nothing more in the name of this term: it is over, while what is under way still takes a moment to end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How often and how long, in seconds. `interval` is both the pass's and the dispatch's; a retention of 0 keeps for ever.

    `trace_unchanged` is how often a dispatch leaves a trace that finds nothing new.
    """

    interval: float
    dispatch_timeout: float
    missing_retention: float
    trace_unchanged: TraceUnchanged = TraceUnchanged.ALL


class Leading:
    """One term.

    Args:
        index: the index, led.
        declaring: what is declared.
        connect: makes the engine of a host; nothing is connected yet. It raises ValueError for an endpoint that is none.
        plugins: the sources and triggers there are.
        rhythm: how often and how long.
        driver: who is told.
    """

    def __init__(
        self,
        *,
        index: LedIndex,
        declaring: Declaring,
        connect: Callable[[Host], Engine],
        plugins: Plugins,
        rhythm: Rhythm,
        driver: Driver,
    ) -> None:
        self._index = index
        self._declaring = declaring
        self._plugins = plugins
        self._rhythm = rhythm
        self._driver = driver
        self.group = self._group = asyncio.TaskGroup()
        """Where everything of the term runs; a driver's timers too."""
        self._look = asyncio.Event()
        self._applied = asyncio.Condition()
        self._state: InForce | None = None
        self._applications = 0
        self._unseen: dict[str, int] = {}
        """Workloads of whose containers no pass has told since they were declared, by the number of that application."""
        self._standing = Standing()
        self._links = TraceLinks()
        self._under_way = UnderWay()
        self.beats = Beats(rhythm.interval)
        """Which timers have stopped."""
        stale = stale_after(rhythm.interval)
        self._hosts = Hosts(connect=connect, containers=index.containers, stale_after=stale, epoch=index.term.epoch, passed=self._passed)
        self._turns = self._workload_turns()
        self._teardowns = Teardowns(tear_down=self._turns.tear_down, group=self._group, ended=self._look.set)
        self._declarations = Declarations(declaring=declaring, mirror=index.mirror, stale_after=stale, torn_down=self._torn_down)

    async def run(self) -> None:
        """Lead until cancelled.

        Raises:
            Fenced: another process took over; the text names it.
            IndexRefused: the database cannot be led any more.
        """
        with unwrapped():
            async with self._group:
                await self._lead()

    async def drain(self, seconds: float) -> None:
        """Begin no more passes, turns, dispatches and teardowns, and wait for dispatches and teardowns under way.

        The term goes on until `run` is cancelled, which is what comes next; what has not ended after so many seconds is cancelled with it.
        """
        await self._under_way.drain(seconds)

    async def timed_pass(self, host: str) -> None:
        """Run a pass of a host because it is time, again after a moment for as long as PostgreSQL does not take it.

        It waits for the mirror to be complete first (rule P10), and does nothing if the host is not in force.

        Raises:
            Fenced: another process leads.
        """
        with self.beats.tick(f"host {host}"):
            await self._mirrored()
            await self._pass(host, PassReason.TIMER)

    async def timed_turn(self, workload: str) -> None:
        """Take a turn of a workload because it is time, as `timed_pass` runs a pass.

        Raises:
            Fenced: another process leads.
        """
        with self.beats.tick(f"workload {workload}"):
            await self._mirrored()
            if workload in self._unseen:
                return
            await until_taken(
                f"workload {workload}: turn not written",
                lambda: self._turns.take(workload, DispatchReason.TIMER),
                action="turn_not_written",
                level=logging.DEBUG,  # its host's passes say the same, and there may be thousands of workloads
                workload=workload,
            )

    async def until_out_of_force(self, *, host: str = "", workload: str = "", unless: Callable[[], bool]) -> None:
        """Wait until a host or a workload that is no longer declared has left the mirror, or until `unless` says it does not matter."""
        async with self._applied:
            await self._applied.wait_for(lambda: self._is_out(host, workload) or unless())

    def _workload_turns(self) -> WorkloadTurns:
        traces = DispatchTraces(epoch=self._index.term.epoch, links=self._links, unchanged=self._rhythm.trace_unchanged)
        return WorkloadTurns(
            index=self._index.workloads,
            dispatcher=Dispatcher(
                plugins=self._plugins, timeout=self._rhythm.dispatch_timeout, traces=traces, dispatched=self._driver.dispatched
            ),
            interval=self._rhythm.interval,
            group=self._group,
            assessed=self._driver.assessed,
            under_way=self._under_way,
        )

    def _is_out(self, host: str, workload: str) -> bool:
        return self._state is not None and host not in self._state.hosts and workload not in self._state.workloads

    async def _lead(self) -> None:
        answers = Answers(index=self._index, hosts=self._hosts, turns=self._turns, group=self._group, under_way=self._under_way)
        attendance = Attendance(index=self._index, requested=answers.look, lost=self._driver.database_lost, regained=self._begin_anew)
        self._group.create_task(attendance.run(), name="presence")
        try:
            await self._apply()
            self._group.create_task(answers.run(), name="answers")
            self._group.create_task(keep_house(self._index.housekeeping, retention=self._rhythm.missing_retention), name="housekeeping")
            self._group.create_task(self._watch(), name="declarations")
            while True:
                await self._look.wait()
                self._look.clear()
                await self._under_way.may_begin()
                await self._apply()
                await asyncio.sleep(_BREATH_SECONDS)
        finally:
            self._driver.over()
            await self._hosts.close(list(self._hosts.by_name))

    def _begin_anew(self) -> None:
        """Write all that is known: PostgreSQL may have lost it."""
        self._look.set()
        for host in self._hosts.by_name:
            self._group.create_task(self._pass(host, PassReason.BOOT), name=f"pass of {host}")

    async def _watch(self) -> None:
        async for _ in self._declaring.changes():
            self._look.set()

    async def _apply(self) -> None:
        """Apply what is declared, again after a moment for as long as PostgreSQL does not take it; no pass starts before (rule P10)."""
        state = await until_taken(
            "what is declared is not mirrored yet", lambda: self._declarations.apply(self._hosts), action="mirror_not_written"
        )
        async with self._applied:
            self._state = state
            self._applied.notify_all()
        self._turns.forget(self._turns.known - state.workloads.keys())
        self._links.declared(state.hosts.keys(), state.workloads.keys(), state.traceparents)
        self.beats.expect([*(f"host {name}" for name in state.hosts), *(f"workload {id_}" for id_ in state.workloads)])
        self._standing.forget(state.opened | (self._standing.known - state.hosts.keys()))
        self._driver.in_force(state)
        self._look_again(state)

    def _torn_down(self, gone: Mapping[str, bool]) -> Set[str]:
        self._turns.leave(gone)
        return self._teardowns.pending(gone, without_host={id_ for id_, without_host in gone.items() if without_host})

    def _look_again(self, state: InForce) -> None:
        """Run a pass now of each host whose containers may match differently; timers go on as before.

        Whose containers these are is known after it and not before: a turn of what was declared just now would find those that it had.
        """
        self._applications += 1
        self._unseen = {id_: since for id_, since in self._unseen.items() if id_ in state.workloads}
        self._unseen |= dict.fromkeys(state.declared, self._applications)
        for host in state.opened | state.touched | {state.workloads[id_] for id_ in self._unseen}:
            reason = PassReason.BOOT if host in state.opened else PassReason.SPEC
            self._group.create_task(self._look_at(host, self._applications, reason), name=f"pass of {host}")

    async def _look_at(self, host: str, application: int, reason: PassReason) -> None:
        if await self._pass(host, reason):
            seen = [id_ for id_, since in self._unseen.items() if since <= application and self._workloads.get(id_) == host]
            for id_ in seen:
                del self._unseen[id_]
            self._turns.nudge(seen, DispatchReason.SPEC)

    def _passed(self, host: Host, report: PassReport) -> None:
        self._links.passed(host.name, report.trace)
        self._driver.passed(host, report)
        known = self._workloads.keys() - self._unseen.keys()
        self._turns.nudge(report.changed_workloads & known, DispatchReason.PASS)
        if self._standing.changed(host.name, report):
            self._turns.nudge([id_ for id_ in known if self._workloads[id_] == host.name], DispatchReason.PASS)
            self._teardowns.try_again()

    @property
    def _workloads(self) -> Mapping[str, str]:
        return self._state.workloads if self._state else {}

    async def _mirrored(self) -> None:
        async with self._applied:
            await self._applied.wait_for(lambda: self._state is not None)

    async def _pass(self, host: str, reason: PassReason) -> bool:
        """Run a pass of a host, if it is open; return whether it came to its end."""
        await self._under_way.may_begin()

        async def attempt() -> bool:
            if found := self._hosts.by_name.get(host):
                try:
                    await found.passes.run(reason)
                except PassStopped as error:
                    logger.debug("host %s: %s", host, error)
                    return False
            return True

        return await until_taken(f"host {host}: pass not written", attempt, action="pass_not_written", host=host)
