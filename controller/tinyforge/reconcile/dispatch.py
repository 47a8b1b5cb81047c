"""One dispatch: a workload handed to its source, because of its trigger or not (rules D1 to D3). It ends in a report, whatever happens.

Each dispatch is a trace of its own, with a child a step (`tinyforge.reconcile.dispatch_trace`); where it was recorded is in the report.
"""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from typing import Any, TypeVar

from tinyforge.domain.dispatch import Attempt, DispatchOutcome, DispatchReason, DispatchReport
from tinyforge.domain.texts import MESSAGE_LENGTH, one_word, printable
from tinyforge.plugin import (
    Changed,
    Container,
    DeploymentIntent,
    Failed,
    InboundEvent,
    Outcome,
    PublicFace,
    Seen,
    Skipped,
    Source,
    Trigger,
    Unchanged,
    Workload,
)
from tinyforge.ports import WorkloadSnapshot
from tinyforge.reconcile.dispatch_trace import DispatchTrace, DispatchTraces
from tinyforge.reconcile.plugin_call import PluginFailed, call_plugin
from tinyforge.reconcile.plugins import PluginFault, Plugins, Prepared
from tinyforge.reconcile.plugins.faults import told

T = TypeVar("T")
Step = Callable[[DispatchTrace], Awaitable[DispatchReport]]
Dispatched = Callable[[str, DispatchReport, float], None]

_FIRST = Attempt()
_OUTCOMES = (Unchanged, Changed, Failed, Skipped)
_FACE_FIELDS = frozenset(field.name for field in fields(PublicFace))


class Dispatcher:
    """Hands workloads to their plugins.

    Args:
        plugins: those there are.
        timeout: how many seconds one call of a plugin may take.
        traces: where each is recorded.
        dispatched: called after each dispatch with the kind of its source, how it ended, and how many seconds it took.
    """

    def __init__(
        self, *, plugins: Plugins, timeout: float, traces: DispatchTraces, dispatched: Dispatched = lambda _source, _report, _took: None
    ) -> None:
        self._plugins = plugins
        self._timeout = timeout
        self._traces = traces
        self._dispatched = dispatched

    async def reconcile(self, snapshot: WorkloadSnapshot, reason: DispatchReason, attempt: Attempt = _FIRST) -> DispatchReport:
        """Let the source bring a workload in line, or carry out what its trigger asks for now. Its host can be vouched for."""

        async def step(told: DispatchTrace) -> DispatchReport:
            source, trigger = self._source(snapshot), self._trigger(snapshot)
            intent = await self._check(told, trigger, snapshot)
            if intent is not None:
                return await self._deploy(told, snapshot, source, intent)
            return await self._ask(told, snapshot, "source.reconcile", lambda: source.plugin.reconcile(_seen(snapshot, source.config)))

        return await self._dispatch(snapshot, reason, attempt, step)

    async def deploy(self, snapshot: WorkloadSnapshot, event: InboundEvent, attempt: Attempt = _FIRST) -> DispatchReport:
        """Tell the trigger of an event, and let the source carry out what it makes of that; skipped while the host is away."""

        async def step(told: DispatchTrace) -> DispatchReport:
            if snapshot.host.why_unknown:
                return _report(Skipped(reason=snapshot.host.why_unknown, message=_nobody_knows(snapshot)))
            source, trigger = self._source(snapshot), self._trigger(snapshot)
            answer = await self._receive(told, trigger, snapshot, event)
            return answer if isinstance(answer, DispatchReport) else await self._deploy(told, snapshot, source, answer)

        return await self._dispatch(snapshot, DispatchReason.DEPLOY, attempt, step)

    async def teardown(self, snapshot: WorkloadSnapshot, attempt: Attempt = _FIRST) -> DispatchReport:
        """Let the source take down what it put up for a workload that is no longer declared; that needs no trigger.

        It is asked while the host is away too: whether there is anything to take down there, only the source knows.
        """

        async def step(told: DispatchTrace) -> DispatchReport:
            source = self._source(snapshot)
            return await self._ask(told, snapshot, "source.teardown", lambda: source.plugin.teardown(_seen(snapshot, source.config)))

        return await self._dispatch(snapshot, DispatchReason.SPEC, attempt, step)

    async def _dispatch(self, snapshot: WorkloadSnapshot, reason: DispatchReason, attempt: Attempt, step: Step) -> DispatchReport:
        began = time.monotonic()
        with self._traces.dispatch(snapshot, reason, attempt) as told:
            try:
                report = told.ended(await step(told))
            except PluginFailed as error:
                report = told.ended(_failed(error.reason, str(error), retry_after=error.retry_after), error)
        self._dispatched(snapshot.declared.source_kind, report, time.monotonic() - began)
        return report

    def _source(self, snapshot: WorkloadSnapshot) -> Prepared[Source[Any]]:
        return _usable(self._plugins.source(snapshot.declared.source_kind, snapshot.declared.source_config))

    def _trigger(self, snapshot: WorkloadSnapshot) -> Prepared[Trigger[Any]]:
        return _usable(self._plugins.trigger(snapshot.declared.trigger_kind, snapshot.declared.trigger_config))

    async def _check(self, told: DispatchTrace, trigger: Prepared[Trigger[Any]], snapshot: WorkloadSnapshot) -> DeploymentIntent | None:
        seen = _seen(snapshot, trigger.config)
        with told.step("trigger.check") as step:
            call = partial(trigger.plugin.check, seen)
            intent = await call_plugin(
                "trigger.check", call, wanted=(DeploymentIntent, type(None)), seconds=self._timeout, hidden=_configs(snapshot)
            )
            step.found(wants_deployment=intent is not None)
            return intent

    async def _receive(
        self, told: DispatchTrace, trigger: Prepared[Trigger[Any]], snapshot: WorkloadSnapshot, event: InboundEvent
    ) -> DeploymentIntent | DispatchReport:
        seen = _seen(snapshot, trigger.config)
        with told.step("trigger.receive") as step:
            call = partial(trigger.plugin.receive, seen, event)
            wanted: tuple[type[DeploymentIntent | Skipped], ...] = (DeploymentIntent, Skipped)
            answer = await call_plugin("trigger.receive", call, wanted=wanted, seconds=self._timeout, hidden=_configs(snapshot))
            step.found(wants_deployment=isinstance(answer, DeploymentIntent))
            return _report(answer) if isinstance(answer, Skipped) else answer

    async def _deploy(
        self, told: DispatchTrace, snapshot: WorkloadSnapshot, source: Prepared[Source[Any]], intent: DeploymentIntent
    ) -> DispatchReport:
        told.wanted(intent)
        return await self._ask(told, snapshot, "source.deploy", lambda: source.plugin.deploy(_seen(snapshot, source.config), intent))

    async def _ask(
        self, told: DispatchTrace, snapshot: WorkloadSnapshot, name: str, call: Callable[[], Awaitable[Outcome]]
    ) -> DispatchReport:
        with told.step(name) as step:
            report = _report(await call_plugin(name, call, wanted=_OUTCOMES, seconds=self._timeout, hidden=_configs(snapshot)))
            step.ended(report)
            return report


def _usable(prepared: Prepared[T] | PluginFault) -> Prepared[T]:
    if isinstance(prepared, PluginFault):
        raise PluginFailed(prepared.reason, prepared.message, retry_after=None)
    return prepared


def _configs(snapshot: WorkloadSnapshot) -> Sequence[object]:
    return snapshot.declared.source_config, snapshot.declared.trigger_config


def _seen(snapshot: WorkloadSnapshot, config: Any) -> Seen[Any]:
    """Return what a plugin is shown; a value of its own each time, so that nothing a plugin does to it reaches anybody else."""
    declared, key = snapshot.declared, snapshot.declared.key
    return Seen(
        workload=Workload(
            id=key.id,
            kind=key.kind.value,
            host=key.host,
            ref=key.ref,
            compose_project=key.compose_project,
            group=declared.group_id,
            parent=declared.parent_id,
            faces=tuple(_face(face) for face in declared.public_faces),
        ),
        config=config,
        containers=tuple(
            Container(row=it.row, container_id=it.container_id, role=it.role, image=it.image, state=it.state, port=it.port)
            for it in snapshot.rows
        ),
        as_of=snapshot.host.as_of or snapshot.now,
    )


def _face(written: Mapping[str, Any]) -> PublicFace:
    return PublicFace(**{name: written[name] for name in _FACE_FIELDS & written.keys()})  # a newer program may have written more


def _nobody_knows(snapshot: WorkloadSnapshot) -> str:
    return f'nobody can say now what runs on host "{snapshot.host.name}"'


def _report(outcome: Outcome) -> DispatchReport:
    """Return what an outcome says. Its parts may be anything, for nobody checked them."""
    try:
        return _read(outcome)
    except Exception as error:
        raise PluginFailed("BadAnswer", f"the {type(outcome).__name__} that it answered cannot be read: {told(error)}") from error


def _read(outcome: Outcome) -> DispatchReport:
    match outcome:
        case Unchanged():
            return DispatchReport(outcome=DispatchOutcome.UNCHANGED)
        case Changed(message=message):
            return DispatchReport(outcome=DispatchOutcome.CHANGED, message=_sentence(message))
        case Failed(reason=reason, message=message, retry_after=retry_after):
            return _failed(reason, message, retry_after=None if retry_after is None else float(retry_after))
        case Skipped(reason=reason, message=message):
            word = one_word(str(reason), otherwise="")
            return DispatchReport(outcome=DispatchOutcome.SKIPPED, reason=word, message=_sentence(message))


def _failed(reason: object, message: object, *, retry_after: float | None) -> DispatchReport:
    word = one_word(str(reason), otherwise="DispatchFailed")
    return DispatchReport(outcome=DispatchOutcome.FAILED, reason=word, message=_sentence(message), retry_after=retry_after)


def _sentence(text: object) -> str:
    return printable(str(text), MESSAGE_LENGTH)
