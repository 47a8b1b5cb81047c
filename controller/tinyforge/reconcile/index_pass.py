"""One pass of one host: list it once, bring its rows in line.

The host's rows are read *before* the list is asked for, and everything is written over exactly what was read (rule W7). So that one
reading is also what rule S6 asks for (which rows were bound before), and a steady pass is one read, one list and one small write.
"""

import time
from collections.abc import Mapping
from dataclasses import replace

from tinyforge.domain.hosts import EngineIdentity, Host, HostState
from tinyforge.domain.index_plan import Change, Evidence, IndexPlan, plan_index, sweeps_most
from tinyforge.domain.matching import HostView
from tinyforge.domain.passes import PassOutcome, PassReason, PassReport
from tinyforge.ports import (
    CompletePass,
    ContainersIndex,
    Engine,
    EngineError,
    FailedPass,
    HostSnapshot,
    IndexUnavailable,
    Listing,
    RowsMoved,
    TinyforgeError,
)
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.pass_steps import PassSteps
from tinyforge.reconcile.pass_trace import PassTraces

ENGINE_CHANGED = "EngineChanged"

Seen = tuple[HostView, IndexPlan]
"""What a pass saw that got a list, and what it made of it."""


class EngineChanged(TinyforgeError):
    """Another engine answers under this host's name: its rows are not this engine's to sweep."""


class IndexPass:
    """The passes of one host. Not for two at once: `tinyforge.reconcile.passes` sees to that (rule P3).

    The engine is asked who it is at first contact, after a failed pass, with new credentials, and before a sweep of more than half
    of the host's bound rows; everything else trusts that answer.
    """

    def __init__(
        self, *, host: Host, engine: Engine, index: ContainersIndex, findings: Findings, traces: PassTraces, stale_after: float
    ) -> None:
        self._host = host
        self._engine = engine
        self._index = index
        self._findings = findings
        self._traces = traces
        self._stale_after = stale_after
        self._identified: int | None = None
        self._identity: EngineIdentity | None = None

    async def run(self, reason: PassReason = PassReason.TIMER) -> PassReport:
        """Run one pass and return what it found.

        Raises:
            Fenced: another process leads; nothing was written.
            IndexUnavailable: PostgreSQL does not answer; nothing was written.
        """
        steps = self._traces.begin(reason)
        try:
            report, seen = await self._run(steps)
        except BaseException as error:
            self._traces.raised(steps, error)
            raise
        with self._traces.ended(steps, report) as trace:
            if seen:
                self._findings.containers(*seen)
            self._findings.ended(report)
        return replace(report, trace=trace, asked_by=reason)

    async def _run(self, steps: PassSteps) -> tuple[PassReport, Seen | None]:
        if self._host.suspended:
            about = "spec.suspend is set"
            return PassReport(host=self._host.name, outcome=PassOutcome.SKIPPED, reason="HostSuspended", message=about), None
        snapshot = await self._index.snapshot(self._host.name)
        steps.read()
        try:
            with steps.listing():
                listing = await self._engine.containers()
            return await self._write(steps, snapshot, listing)
        except EngineError as error:
            return await self._fail(steps, HostState.UNREACHABLE, error.reason, error), None
        except EngineChanged as error:
            return await self._fail(steps, HostState.ENGINE_CHANGED, ENGINE_CHANGED, error), None

    async def _identify(self, snapshot: HostSnapshot) -> EngineIdentity:
        """Ask the engine who it is, and refuse another one than the rows are of."""
        self._identity = identity = await self._engine.identity()
        if snapshot.engine_id not in ("", identity.engine_id) and self._host.acknowledged_engine_id != identity.engine_id:
            raise EngineChanged(
                f'engine "{identity.engine_id}" answers at {self._host.endpoint}, and the rows are of engine "{snapshot.engine_id}"; '
                f"if it is meant to, set spec.acknowledgedEngineID to the new id"
            )
        return identity

    async def _write(self, steps: PassSteps, snapshot: HostSnapshot, listing: Listing) -> tuple[PassReport, Seen]:
        """Plan and write; plan once more from a fresh reading if rows moved, and leave what still moves to the next pass (rule W7)."""
        bound_before = snapshot.view.bindings()
        plan = _plan(steps, snapshot.view, listing, bound_before)
        generation = self._engine.generation  # as it is now: credentials may be read anew, for somebody else, until all is written
        asked = self._identified != generation or sweeps_most(snapshot.view, plan)
        identity = await self._identify(snapshot) if asked else None
        view = snapshot.view
        try:
            await self._complete(steps, plan, listing, identity)
        except RowsMoved as moved:
            view = (await self._index.snapshot(self._host.name, also=moved.ids)).view
            steps.read()
            plan = _plan(steps, view, listing, bound_before)
            plan = await self._complete_what_stays(steps, plan, listing, identity)
        self._identified = generation
        return self._report(plan, listing), (view, plan)

    def _report(self, plan: IndexPlan, listing: Listing) -> PassReport:
        return PassReport(
            host=self._host.name,
            outcome=PassOutcome.CHANGED if plan.changes else PassOutcome.UNCHANGED,
            listed=plan.listed,
            matched=plan.matched,
            ignored=plan.ignored,
            written=len(plan.changes),
            missing=plan.swept,
            duration_seconds=time.monotonic() - listing.asked_at,
            changed_workloads=frozenset(workload for change in plan.changes for workload in _workloads(change)),
            engine=self._identity,
        )

    async def _complete_what_stays(self, steps: PassSteps, plan: IndexPlan, listing: Listing, identity: EngineIdentity | None) -> IndexPlan:
        try:
            await self._complete(steps, plan, listing, identity)
        except RowsMoved as moved:
            rest = plan.without(moved.ids)
            if rest == plan:
                raise IndexUnavailable("other transactions keep changing the same rows; the next pass tries again") from moved
            try:
                await self._complete(steps, rest, listing, identity)
            except RowsMoved as again:
                raise IndexUnavailable("other transactions keep changing the same rows; the next pass tries again") from again
            return rest
        return plan

    async def _complete(self, steps: PassSteps, plan: IndexPlan, listing: Listing, identity: EngineIdentity | None) -> None:
        with steps.writing(rows=bool(plan.changes)):
            await self._index.complete(
                CompletePass(
                    host=self._host.name,
                    changes=plan.changes,
                    listed=plan.listed,
                    matched=plan.matched,
                    elapsed=time.monotonic() - listing.asked_at,
                    stale_after=self._stale_after,
                    identity=identity,
                )
            )

    async def _fail(self, steps: PassSteps, state: HostState, reason: str, error: TinyforgeError) -> PassReport:
        self._identified = None
        steps.failed(error)
        with steps.writing(rows=False):
            await self._index.fail(FailedPass(host=self._host.name, state=state, reason=reason, message=str(error)))
        return PassReport(host=self._host.name, outcome=PassOutcome.FAILED, reason=reason, message=str(error), engine=self._identity)


def _plan(steps: PassSteps, view: HostView, listing: Listing, bound_before: Mapping[str, str]) -> IndexPlan:
    with steps.planning():
        return plan_index(view, Evidence(containers=listing.containers, bound_before=bound_before))


def _workloads(change: Change) -> tuple[str, ...]:
    """Return whose row it is, and whose it was."""
    return (change.row.workload_id, change.over.workload_id) if change.over else (change.row.workload_id,)
