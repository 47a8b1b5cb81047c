"""The traces of passes: each is recorded after its end, and only if it is worth keeping (`tinyforge.domain.passes.why_kept`).

Most passes find nothing new, and whether one does is known at its end only. So nothing but times is taken down while it runs
(`tinyforge.reconcile.pass_steps`), and its spans are made of that afterwards, with the times at which everything happened.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, StatusCode

from tinyforge.domain.endpoints import Endpoint
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import Kept, PassOutcome, PassReason, PassReport, why_kept
from tinyforge.domain.traces import Traceparent
from tinyforge.reconcile.pass_steps import Attributes, Clock, Failure, PassSteps
from tinyforge.reconcile.trace_links import place_of

_tracer = trace.get_tracer("tinyforge")
_SECOND = 1_000_000_000


class PassTraces:
    """The traces of one host's passes.

    Args:
        host: the host.
        epoch: the term's.
        clock: tells nanoseconds, and never goes back.
    """

    def __init__(self, host: Host, *, epoch: int, clock: Clock = time.monotonic_ns) -> None:
        self._about: Attributes = {"tinyforge.host": host.name, "tinyforge.epoch": epoch}
        self._request: Attributes = {"http.request.method": "GET", **_server(Endpoint.parse(host.endpoint))}
        self._clock = clock
        self._kept_at: int | None = None
        self._raised = ""

    def begin(self, reason: PassReason) -> PassSteps:
        """Return what is to be told of the steps of a pass that begins now."""
        return PassSteps(reason, request=self._request, clock=self._clock)

    @contextmanager
    def ended(self, steps: PassSteps, report: PassReport) -> Iterator[Traceparent | None]:
        """Record a pass that has ended, if it is to be kept, and be in its root for the length of a block: what is logged there names it.

        The block is given the root, or None if nothing is recorded.
        """
        self._raised = ""
        moment = self._clock()
        root = self._record(steps, report.outcome, moment, _counts(report))
        with trace.use_span(root, record_exception=False, set_status_on_exception=False):
            try:
                yield place_of(root)
            finally:
                root.end(steps.at(moment))

    def raised(self, steps: PassSteps, error: BaseException) -> None:
        """Record a pass that was given up or could not be written down, as one that failed; of a row of them for one cause the first."""
        steps.failed(error)
        cause = type(error).__name__
        repeats, self._raised = self._raised == cause, cause
        moment = self._clock()
        self._record(steps, PassOutcome.FAILED, moment, {}, repeats=repeats).end(steps.at(moment))

    def _record(self, steps: PassSteps, outcome: PassOutcome, ended: int, counts: Attributes, *, repeats: bool = False) -> Span:
        """Return the root of a pass, which has all but its end; one that records nothing if there is none."""
        kept = self._why_kept(steps, outcome, ended, repeats=repeats)
        if kept is None:
            return trace.INVALID_SPAN
        self._kept_at = ended
        about = {"tinyforge.pass.reason": steps.reason.value, "tinyforge.pass.outcome": outcome.value, "tinyforge.pass.kept": kept.value}
        root = _tracer.start_span("index.pass", context=Context(), attributes={**self._about, **about, **counts}, start_time=steps.began_at)
        if root.is_recording():
            _tell(root, steps, ended)
        return root

    def _why_kept(self, steps: PassSteps, outcome: PassOutcome, ended: int, *, repeats: bool) -> Kept | None:
        since_kept = None if self._kept_at is None else (ended - self._kept_at) / _SECOND
        return why_kept(outcome, steps.reason, seconds=(ended - steps.began) / _SECOND, since_kept=since_kept, repeats=repeats)


def _tell(root: Span, steps: PassSteps, ended: int) -> None:
    for moment in steps.rows_read:
        root.add_event("rows read", timestamp=steps.at(moment))
    within = trace.set_span_in_context(root, Context())
    for step in steps.taken:
        span = _tracer.start_span(
            step.name, context=within, kind=step.kind, attributes={**step.attributes, **step.outcome}, start_time=steps.at(step.began)
        )
        _fail(span, step.failure, steps.at(step.ended))
        span.end(steps.at(step.ended))
    _fail(root, steps.failure, steps.at(ended))


def _fail(span: Span, failure: Failure | None, moment: int) -> None:
    """Make a span an error. The event is made by hand: `record_exception` adds the texts of all that is chained, which are not ours."""
    if failure:
        span.set_status(StatusCode.ERROR, failure.kind)
        span.set_attribute("error.type", failure.kind)
        span.add_event("exception", {"exception.type": failure.exception, "exception.message": failure.message}, timestamp=moment)


def _counts(report: PassReport) -> Attributes:
    return {
        "tinyforge.pass.listed": report.listed,
        "tinyforge.pass.matched": report.matched,
        "tinyforge.pass.ignored": report.ignored,
        "tinyforge.pass.written": report.written,
        "tinyforge.pass.missing": report.missing,
    }


def _server(endpoint: Endpoint) -> Attributes:
    """Return where an engine answers: for a unix socket its path, as the semantic conventions have it."""
    return {"server.address": endpoint.host, "server.port": endpoint.port} if endpoint.host else {"server.address": endpoint.path}
