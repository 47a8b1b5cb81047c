"""The turns of the workloads: each gathers one workload, dispatches it if it has a source and a trigger, and writes down its status.

Turns of one workload never overlap, those of different ones share nothing that one could block (rule D1): only the moments at the index are
rationed, so that passes always find a connection. The timer leaves a workload that keeps failing alone for longer and longer; anything that
happened to it (a pass that changed a row, a new spec, a deploy) dispatches it at once all the same.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Collection, Iterable, Set
from dataclasses import dataclass
from weakref import WeakValueDictionary

from tinyforge.domain.dispatch import Attempt, DispatchOutcome, DispatchReason, DispatchReport, back_off
from tinyforge.domain.workload_status import CountedContainer, WorkloadFacts, count, workload_conditions
from tinyforge.objects.statuses import read_workload_status, workload_status
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.plugin import InboundEvent
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable, WorkloadsIndex, WorkloadSnapshot
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.under_way import UnderWay

logger = logging.getLogger(__name__)

Assessed = Callable[[str, WorkloadStatus, DispatchReport | None], None]

_ONLY = Attempt()
_READING = 2
_WRITING = 2


@dataclass(slots=True)
class _Memory:
    """What is remembered of a workload between its turns.

    `rests_until` is on the monotonic clock, as is `traced_at`, when a dispatch last left a trace. `nudged` is whether a turn waits to be
    taken, `owed` why one was begun that has not been taken to its end: PostgreSQL was away, and the next one makes up for it.
    """

    report: DispatchReport | None = None
    generation: int = 0
    failures: int = 0
    rests_until: float = 0.0
    traced_at: float = -math.inf
    nudged: bool = False
    owed: DispatchReason = DispatchReason.TIMER

    def begin(self, reason: DispatchReason) -> DispatchReason:
        """Begin a turn for this reason, and return the one it has, which may be an earlier one's."""
        self.nudged = False
        if reason is not DispatchReason.TIMER:
            self.owed = reason
        return self.owed

    def end(self) -> None:
        """End a turn whose status is written."""
        self.owed = DispatchReason.TIMER

    def is_due(self, reason: DispatchReason, generation: int) -> bool:
        """Whether a turn for this reason dispatches."""
        if reason is not DispatchReason.TIMER or self.report is None or generation != self.generation:
            return True
        return not self.report.hopeless and time.monotonic() >= self.rests_until

    def attempt(self, interval: float) -> Attempt:
        """Return what is known before a dispatch."""
        number = self.failures + 1
        return Attempt(
            number=number,
            before=self.report,
            untraced_for=time.monotonic() - self.traced_at,
            rest=lambda report: back_off(number, interval=interval, asked_for=report.retry_after or 0.0),
        )

    def note(self, report: DispatchReport, generation: int, interval: float) -> bool:
        """Remember a dispatch, and tell whether its outcome or reason is news."""
        rest = self.attempt(interval).rest(report) or 0.0
        before, self.report, self.generation = self.report, report, generation
        self.failures = self.failures + 1 if report.failed else 0
        now = time.monotonic()
        self.rests_until = now + rest if report.failed else now
        self.traced_at = now if report.trace else self.traced_at
        return before is None or (before.outcome, before.reason, before.message) != (report.outcome, report.reason, report.message)


class WorkloadTurns:
    """All turns of a term.

    Args:
        index: the workloads in force.
        dispatcher: what hands them to their plugins.
        interval: the dispatch timer's, in seconds.
        group: where nudged turns run; one that finds the term over ends it.
        assessed: called after every turn with the workload's status, and its last dispatch if it had one.
        under_way: what the term's planned end waits for; a turn is, from its dispatch on until its status is written.
    """

    def __init__(
        self,
        *,
        index: WorkloadsIndex,
        dispatcher: Dispatcher,
        interval: float,
        group: asyncio.TaskGroup,
        assessed: Assessed,
        under_way: UnderWay | None = None,
    ) -> None:
        self._index = index
        self._dispatcher = dispatcher
        self._interval = interval
        self._group = group
        self._assessed = assessed
        self._under_way = under_way or UnderWay()
        self._memories: dict[str, _Memory] = {}
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # each as long as somebody has it or waits for it
        self._leaving: frozenset[str] = frozenset()
        self._reading = asyncio.Semaphore(_READING)
        self._writing = asyncio.Semaphore(_WRITING)  # apart, for a turn's end should not queue behind the beginnings of 2,000 others

    async def take(self, workload: str, reason: DispatchReason) -> None:
        """Take one turn of a workload; nothing happens if it is not in force.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        async with self._turn(workload):
            memory = self._memory(workload)
            why = memory.begin(reason)
            snapshot = await self._snapshot(workload)
            if snapshot is None:
                self._memories.pop(workload, None)
                return
            async with self._under_way.begun(f"workload {workload}"):
                if self._can_dispatch(snapshot) and memory.is_due(why, snapshot.declared.generation):
                    self._note(workload, memory, snapshot, await self._dispatcher.reconcile(snapshot, why, memory.attempt(self._interval)))
                await self._write_down(workload, memory, snapshot)
            memory.end()

    async def deploy(self, workload: str, event: InboundEvent) -> DispatchReport | None:
        """Tell a workload's trigger of an event and return how the dispatch ended; None if the workload is not in force.

        One that was skipped did nothing, so what the last one found of the workload still stands.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        async with self._turn(workload):
            snapshot = await self._snapshot(workload)
            if snapshot is None:
                return None
            refused = self._refuse_deploy(snapshot)
            if refused:
                return refused
            async with self._under_way.begun(f"workload {workload}"):
                report = await self._dispatcher.deploy(snapshot, event, self._memory(workload).attempt(self._interval))
                if report.outcome is not DispatchOutcome.SKIPPED:
                    await self._settle_deployment(workload, snapshot, report)
            return report

    async def tear_down(self, workload: str, attempt: Attempt = _ONLY) -> DispatchReport | None:
        """Take down what a workload's source put up; None if there is nothing to take down.

        Args:
            workload: its id.
            attempt: which one this is, and when the next is if it fails; by default nobody tries again.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        async with self._turn(workload):
            snapshot = await self._snapshot(workload)
            if snapshot is None or not snapshot.declared.source_kind:
                return None
            memory = self._memory(workload)
            async with self._under_way.begun(f"workload {workload}"):
                report = await self._dispatcher.teardown(snapshot, attempt)
                self._note(workload, memory, snapshot, report)
                if report.failed:
                    await self._write_down(workload, memory, snapshot)
            return report

    def nudge(self, workloads: Iterable[str], reason: DispatchReason) -> None:
        """Ask for a turn of some workloads soon; one that already waits for its turn is not asked for twice."""
        for workload in workloads:
            memory = self._memory(workload)
            if not memory.nudged:
                memory.nudged = True
                self._group.create_task(self._nudged(workload, reason), name=f"turn of {workload}")

    def leave(self, leaving: Collection[str]) -> None:
        """Dispatch these workloads no more, and all others again: these are no longer declared, and stay until they are torn down."""
        self._leaving = frozenset(leaving)

    def forget(self, gone: Collection[str]) -> None:
        """Forget what is remembered of workloads that are no longer in force."""
        for workload in gone:
            self._memories.pop(workload, None)

    @property
    def known(self) -> Set[str]:
        """The workloads that something is remembered of."""
        return self._memories.keys()

    async def _settle_deployment(self, workload: str, snapshot: WorkloadSnapshot, report: DispatchReport) -> None:
        """Write a deployment down, or leave that to the timer: an error of it would have the deployment made again."""
        memory = self._memory(workload)
        self._note(workload, memory, snapshot, report)
        try:
            await self._write_down(workload, memory, snapshot)
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:
            logger.debug("workload %s: %s", workload, error)

    async def _nudged(self, workload: str, reason: DispatchReason) -> None:
        try:
            await self.take(workload, reason)
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused) as error:  # its timer tries again
            logger.debug("workload %s: %s", workload, error)

    def _turn(self, workload: str) -> asyncio.Lock:
        """Return what keeps the turns of a workload apart, and outlives what is remembered of it: it may go and come back meanwhile."""
        return self._locks.setdefault(workload, asyncio.Lock())

    def _can_dispatch(self, snapshot: WorkloadSnapshot) -> bool:
        """Whether there is something to hand over, and anybody knows what runs: on a host that is away the last dispatch stays the last."""
        declared = snapshot.declared
        return declared.dispatched and not snapshot.host.why_unknown and declared.key.id not in self._leaving

    def _refuse_deploy(self, snapshot: WorkloadSnapshot) -> DispatchReport | None:
        declared = snapshot.declared
        if declared.key.id in self._leaving:
            return _skipped("NotDeclared", "it is no longer declared, and is being torn down")
        if declared.suspended:
            return _skipped("Suspended", "spec.suspend is set: take it out to deploy")
        if not declared.dispatched:
            return _skipped("NotDispatched", "it needs both spec.source and spec.trigger to be deployed")
        return None

    async def _snapshot(self, workload: str) -> WorkloadSnapshot | None:
        async with self._reading:
            return await self._index.snapshot(workload)

    async def _write_down(self, workload: str, memory: _Memory, snapshot: WorkloadSnapshot) -> None:
        """Work out the status, write it to the index if it is another one, and tell the driver."""
        declared = snapshot.declared
        containers = tuple(CountedContainer(row=it.row, role=it.role, state=it.state) for it in snapshot.rows)
        dispatch = memory.report if declared.dispatched else None
        facts = WorkloadFacts(host=snapshot.host, containers=containers, suspended=declared.suspended, dispatch=dispatch)
        status = workload_status(
            workload_conditions(facts),
            count(it.state for it in containers),
            dispatch=dispatch,
            generation=declared.generation,
            now=snapshot.now,
            previous=read_workload_status(snapshot.status),
        )
        document = status.model_dump(mode="json")
        if document != snapshot.status:
            async with self._writing:
                await self._index.write_status(workload, document)
        self._assessed(workload, status, dispatch)

    def _note(self, workload: str, memory: _Memory, snapshot: WorkloadSnapshot, report: DispatchReport) -> None:
        if not memory.note(report, snapshot.declared.generation, self._interval):
            return
        level = logging.WARNING if report.failed else logging.INFO if report.outcome is DispatchOutcome.CHANGED else logging.DEBUG
        logger.log(
            level,
            "workload %s: dispatch %s%s",
            workload,
            report.outcome,
            "".join(f": {text}" for text in (report.reason, report.message) if text),
            extra={
                "action": f"dispatch_{report.outcome}",
                "workload": workload,
                "host": snapshot.declared.key.host,
                "reason": report.reason,
                "trace_id": report.trace_id,
                "span_id": report.trace.span_id if report.trace else "",
            },
        )

    def _memory(self, workload: str) -> _Memory:
        return self._memories.setdefault(workload, _Memory())


def _skipped(reason: str, message: str) -> DispatchReport:
    return DispatchReport(outcome=DispatchOutcome.SKIPPED, reason=reason, message=message)
