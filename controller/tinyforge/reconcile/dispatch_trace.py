"""The trace of a dispatch (rule D3): what was seen, what was decided and why, what was done, how it ended, and when it is tried again.

Each dispatch is a root of its own, made while it happens, with a child a step; what is seen and decided are attributes and events, never
spans. Nothing of a config, a label or an environment is in it. What a plugin says is, as it is in the status: in one bounded line. Of an
error that it raised the places in the code are told too, but no text of what is chained to it, which nobody has bounded or looked at.
"""

import asyncio
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanContext, StatusCode, TraceFlags

from tinyforge.domain.dispatch import Attempt, DispatchOutcome, DispatchReason, DispatchReport, TraceUnchanged
from tinyforge.domain.texts import MESSAGE_LENGTH, printable
from tinyforge.domain.traces import Traceparent
from tinyforge.domain.workload_status import count
from tinyforge.plugin import DeploymentIntent
from tinyforge.ports import WorkloadSnapshot
from tinyforge.reconcile.plugin_call import PluginFailed
from tinyforge.reconcile.trace_links import TraceLinks, place_of

_tracer = trace.get_tracer("tinyforge")

_ID_LENGTH = 128  # characters
_STACK_LENGTH = 8192  # characters, of which the last ones say most
_MOST_FRAMES = 30
_MOST_CHAINED = 8

Attributes = Mapping[str, str | int | bool]


class DispatchTraces:
    """The traces of a term's dispatches.

    Args:
        epoch: the term's.
        links: what each is linked to, and where it is noted for the next one.
        unchanged: which of those that find nothing new are kept.
    """

    def __init__(self, *, epoch: int, links: TraceLinks, unchanged: TraceUnchanged = TraceUnchanged.ALL) -> None:
        self._epoch = epoch
        self._links = links
        self._unchanged = unchanged

    @contextmanager
    def dispatch(self, snapshot: WorkloadSnapshot, reason: DispatchReason, attempt: Attempt) -> Iterator["DispatchTrace"]:
        """Record a dispatch for the length of a block, which tells it how it ended; one that is broken off has failed."""
        key = snapshot.declared.key
        about = {"tinyforge.epoch": self._epoch, "tinyforge.dispatch.reason": reason.value, "tinyforge.dispatch.attempt": attempt.number}
        root = _tracer.start_span(
            "workload.dispatch",
            context=Context(),
            attributes={**_about(snapshot), **_seen(snapshot), **about},
            links=[_link(what, place) for what, place in self._links.of(key.id, key.host).items()],  # now, so that samplers see them
        )
        told = DispatchTrace(
            root,
            attempt,
            is_kept=lambda report: self._unchanged.keeps(report, reason, attempt),
            note=partial(self._links.dispatched, key.id),
        )
        try:
            with trace.use_span(root, record_exception=False, set_status_on_exception=False):
                yield told
        except BaseException as error:
            root.set_attribute("tinyforge.dispatch.outcome", DispatchOutcome.FAILED.value)
            _break_off(root, error)
            raise
        finally:
            root.end()


class DispatchTrace:
    """One trace, while its dispatch happens.

    Args:
        root: its root span.
        attempt: which attempt it is.
        is_kept: tells whether a dispatch that ended so leaves a trace.
        note: called with where it was recorded, if it is kept.
    """

    def __init__(
        self, root: Span, attempt: Attempt, *, is_kept: Callable[[DispatchReport], bool], note: Callable[[Traceparent | None], None]
    ) -> None:
        self._root = root
        self._attempt = attempt
        self._is_kept = is_kept
        self._note = note

    @contextmanager
    def step(self, name: str) -> Iterator["StepTrace"]:
        """Record a step for the length of a block: a call of a plugin, named after what is called."""
        with _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False) as span:
            try:
                yield StepTrace(span)
            except PluginFailed as error:
                _fail(span, error.reason, str(error), error)
                raise
            except asyncio.CancelledError as error:
                _break_off(span, error)
                raise

    def wanted(self, intent: DeploymentIntent) -> None:
        """Tell that a trigger wants a deployment, and why. Its id and reason may be anything, for nobody checked them."""
        if self._root.is_recording():
            about = {"tinyforge.intent.id": _text(intent.id, _ID_LENGTH), "tinyforge.intent.reason": _text(intent.reason, MESSAGE_LENGTH)}
            self._root.add_event("deployment wanted", about)

    def ended(self, report: DispatchReport, error: PluginFailed | None = None) -> DispatchReport:
        """Tell how the dispatch ended, and what raised if anything did; return the report with the place of its trace, if it is kept."""
        self._root.set_attributes(_outcome(report))
        if report.failed:
            _fail(self._root, report.reason, report.message, error)
            self._tell_retry(report)
        place = place_of(self._root)
        if not self._is_kept(report):
            self._root.set_attribute("tinyforge.dispatch.dropped", True)
            place = None
        self._note(place)
        return replace(report, trace=place)

    def _tell_retry(self, report: DispatchReport) -> None:
        seconds = self._attempt.retry_in(report)
        if seconds is None:
            self._root.set_attribute("tinyforge.dispatch.retry", "after_change" if report.hopeless else "none")
            return
        at = _moment(datetime.now(UTC) + timedelta(seconds=seconds))
        self._root.set_attributes({"tinyforge.dispatch.retry": "scheduled", "tinyforge.dispatch.retry_at": at})
        self._root.add_event("retry scheduled", {"tinyforge.dispatch.retry_at": at, "tinyforge.dispatch.attempt": self._attempt.number + 1})


class StepTrace:
    """One step, while it happens."""

    def __init__(self, span: Span) -> None:
        self._span = span

    def ended(self, report: DispatchReport) -> None:
        """Tell what a source answered, or a trigger that skips."""
        self._span.set_attribute("tinyforge.step.outcome", report.outcome.value)
        if report.failed:
            _fail(self._span, report.reason, report.message, None)

    def found(self, *, wants_deployment: bool) -> None:
        """Tell what a trigger answered."""
        self._span.set_attribute("tinyforge.step.outcome", "deployment_wanted" if wants_deployment else "nothing_wanted")


def _about(snapshot: WorkloadSnapshot) -> Attributes:
    declared = snapshot.declared
    return {
        "tinyforge.workload.id": declared.key.id,
        "tinyforge.workload.kind": declared.key.kind.value,
        "tinyforge.workload.generation": declared.generation,
        "tinyforge.source.kind": declared.source_kind,
        "tinyforge.trigger.kind": declared.trigger_kind,
        "tinyforge.host": declared.key.host,
    }


def _seen(snapshot: WorkloadSnapshot) -> Attributes:
    """Return what was seen: how many containers in which state, and how old that is."""
    counts, host = count(row.state for row in snapshot.rows), snapshot.host
    seen: dict[str, str | int | bool] = {
        f"tinyforge.containers.{name}": getattr(counts, name) for name in ("total", "running", "stopped", "missing", "unknown", "other")
    }
    if host.as_of:
        seen["tinyforge.host.as_of"] = _moment(host.as_of)
    if host.why_unknown:
        seen["tinyforge.host.why_unknown"] = host.why_unknown
    return seen


def _outcome(report: DispatchReport) -> Attributes:
    said = {"tinyforge.dispatch.outcome_reason": report.reason, "tinyforge.dispatch.message": report.message}
    return {"tinyforge.dispatch.outcome": report.outcome.value, **{name: text for name, text in said.items() if text}}


def _break_off(span: Span, error: BaseException) -> None:
    kind = "Cancelled" if isinstance(error, asyncio.CancelledError) else type(error).__name__
    _fail(span, kind, "it was broken off before it had an end", None)


def _fail(span: Span, reason: str, message: str, error: PluginFailed | None) -> None:
    """Make a span an error. The event is made by hand: `record_exception` adds the texts of all that is chained."""
    if not span.is_recording():
        return
    raised = error.__cause__ if error and error.__cause__ else error
    about = {"exception.type": _text(type(raised).__name__, _ID_LENGTH) if raised else reason, "exception.message": message}
    span.set_status(StatusCode.ERROR, f"{reason}: {message}")
    span.set_attribute("error.type", reason)
    span.add_event("exception", {**about, "exception.stacktrace": _stack(error)} if error else about)


def _text(anything: object, length: int) -> str:
    try:
        return printable(str(anything), length)
    except Exception:  # noqa: BLE001 - its text is a plugin's code too
        return ""


def _stack(error: BaseException) -> str:
    """Return where an error came from: what is chained to it, the origin first, with the places but neither texts nor lines of code."""
    chain: list[str] = []
    each: BaseException | None = error
    while each and len(chain) < _MOST_CHAINED:
        frames = traceback.StackSummary.extract(traceback.walk_tb(each.__traceback__), limit=-_MOST_FRAMES, lookup_lines=False)
        places = [f'  File "{frame.filename}", line {frame.lineno}, in {frame.name}' for frame in frames]
        chain.append("\n".join([*places, type(each).__name__]))
        each = each.__cause__ or each.__context__
    return "\n\n".join(reversed(chain))[-_STACK_LENGTH:]


def _link(what: str, place: Traceparent) -> Link:
    flags = TraceFlags(TraceFlags.SAMPLED if place.sampled else TraceFlags.DEFAULT)
    at = SpanContext(int(place.trace_id, 16), int(place.span_id, 16), is_remote=True, trace_flags=flags)
    return Link(at, {"tinyforge.link": what})


def _moment(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
