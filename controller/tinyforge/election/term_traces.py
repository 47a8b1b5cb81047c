"""The traces of a term: a short one of how it was won, or not, and a short one of how it ended. A term itself may last for months.

Both are roots of the name `leader.term`. Called by `elector`, by `tinyforge.operator.replica`, and by `tinyforge.cli.alone`, whose terms
have no Lease.
"""

import asyncio
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum

from opentelemetry import trace
from opentelemetry.context import Context

from tinyforge.domain.complaints import Complaint

_tracer = trace.get_tracer("tinyforge.election")

Attributes = Mapping[str, str | int]

TAKE = "lease.take"
RELEASE = "lease.release"
_CLAIM = "index.claim"
_DRAIN = "drain"

_ASKED = "this process was asked to end"


class TermOutcome(StrEnum):
    """How one phase of a term ended."""

    WON = "won"
    LOST = "lost"
    """Somebody else was quicker, which is no error."""
    FAILED = "failed"
    GIVEN_UP = "given_up"
    """The process was asked to end before it had won."""

    RELEASED = "released"
    """Nobody has to wait."""
    LEFT = "left"
    """It was not given back: nobody could be asked, or it was another's by then. It runs out by itself."""
    DEPOSED = "deposed"
    """It was not this process's any more, so there was nothing to give back."""

    @classmethod
    def of_failure(cls, error: BaseException) -> "TermOutcome":
        """Return how a campaign ended that this ended before it was won."""
        return cls.FAILED if isinstance(error, Exception) else cls.GIVEN_UP


class CampaignTrace:
    """One campaign, of which a root is made once its first step is known to be worth it: a failure that repeats every 2 s is not.

    Args:
        reason: why nobody led any more.
        about: more of it, if there is a Lease: the Lease, and the epoch that is campaigned for.
    """

    def __init__(self, *, reason: str, about: Attributes | None = None) -> None:
        self._attributes = {"tinyforge.term.phase": "campaign", "tinyforge.term.reason": reason, **(about or {})}
        self._since = time.time_ns()
        self._root: trace.Span = trace.INVALID_SPAN

    def took(self, step: str, error: BaseException | None = None) -> None:
        """Record a step that has just ended: it began when the one before it did end."""
        if self._root is trace.INVALID_SPAN:
            self._root = _tracer.start_span("leader.term", Context(), attributes=self._attributes, start_time=self._since)
        span = _tracer.start_span(step, trace.set_span_in_context(self._root), start_time=self._since)
        _add_error(span, error)
        self._since = time.time_ns()
        span.end(self._since)

    @contextmanager
    def claiming(self, complaint: Complaint) -> Iterator[None]:
        """Claim the database in a block, as the last step. What is raised there ends the trace, which is made only if that is news."""
        try:
            yield
        except BaseException as error:
            if complaint.is_news(str(error)):
                self.took(_CLAIM, error)
                self.end(TermOutcome.of_failure(error), error)
            raise
        self.took(_CLAIM)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Have what is said in a block name this trace."""
        with trace.use_span(self._root):
            yield

    def end(self, outcome: TermOutcome, error: BaseException | None = None) -> None:
        """End it. `error`: what made it fail, if anything did."""
        _end(self._root, outcome, error)

    def won(self, epoch: int) -> None:
        """End it with the epoch that was won."""
        self._root.set_attribute("tinyforge.epoch", epoch)
        self.end(TermOutcome.WON)


class EndTrace:
    """The end of one term.

    Args:
        about: what is known of the term (`tinyforge.epoch`, the Lease).
    """

    def __init__(self, about: Attributes) -> None:
        self._about = about
        self._root: trace.Span = trace.INVALID_SPAN

    def begin(self, reason: str) -> None:
        """Begin, for a reason; who comes first has it."""
        if self._root is trace.INVALID_SPAN:
            attributes = {"tinyforge.term.phase": "step_down", "tinyforge.term.reason": reason, **self._about}
            self._root = _tracer.start_span("leader.term", Context(), attributes=attributes)

    @contextmanager
    def draining(self) -> Iterator[None]:
        """Begin, since the process was asked to end, and let what is under way come to its end in a block."""
        self.begin(_ASKED)
        with self.step(_DRAIN):
            yield

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Do a step of it in a block, whose log lines name the trace. It has begun."""
        with (
            trace.use_span(self._root),
            _tracer.start_as_current_span(name, record_exception=False, set_status_on_exception=False),
        ):
            yield

    def end(self, outcome: TermOutcome, error: BaseException | None = None) -> None:
        """End it. `error`: what ended the term, if that was not asked for."""
        _end(self._root, outcome, error)


def why_it_ends(error: BaseException | None) -> str:
    """Return the reason for which a term ends that is ended by this, in a sentence."""
    if error is None:
        return "its work has ended"
    return _ASKED if isinstance(error, asyncio.CancelledError) else str(error) or type(error).__name__


def _end(root: trace.Span, outcome: TermOutcome, error: BaseException | None) -> None:
    root.set_attribute("tinyforge.term.outcome", outcome)
    _add_error(root, error)
    root.end()


def _add_error(span: trace.Span, error: BaseException | None) -> None:
    """Make a span an error if this is one, and not a cancellation; without the stack, for what is chained to ours are foreign texts."""
    if isinstance(error, Exception):
        name, text = type(error).__name__, str(error)
        span.set_attribute("error.type", name)
        span.set_status(trace.StatusCode.ERROR, text)
        span.add_event("exception", {"exception.type": name, "exception.message": text})
