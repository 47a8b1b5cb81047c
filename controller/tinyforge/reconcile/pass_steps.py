"""What a pass does and when, taken down while it runs, for the trace that it may leave (`tinyforge.reconcile.pass_trace`).

Every pass takes this down, and few leave a trace: so it is times and references only, and no span.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from opentelemetry.trace import SpanKind

from tinyforge.domain.passes import PassReason
from tinyforge.domain.texts import MESSAGE_LENGTH, printable
from tinyforge.ports import EngineError, RowsMoved, TinyforgeError

Attributes = Mapping[str, str | int]
Clock = Callable[[], int]
"""Tells nanoseconds, and never goes back."""

_NOTHING: Attributes = {}
_LISTED: Attributes = {"http.response.status_code": 200}  # no other answer counts (`tinyforge.ports.Listing`)
_WRITES_HOST: Attributes = {
    "db.system.name": "postgresql",
    "db.operation.name": "UPDATE",
    "db.collection.name": "tinyforge.hosts",
    "db.query.summary": "UPDATE tinyforge.hosts",
}
_WRITES_ROWS: Attributes = {
    "db.system.name": "postgresql",
    "db.operation.name": "INSERT",
    "db.collection.name": "tinyforge.containers",
    "db.query.summary": "INSERT tinyforge.containers UPDATE tinyforge.hosts",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a trace tells of an error: its `kind` in one word, the `exception`'s class, a `message` for people, and the server's `codes`.

    No value of a row or of a label is in it. What nobody of us raised may say anything, so it has no message; `RowsMoved` names rows, which
    are named after labels.
    """

    kind: str
    exception: str
    message: str
    codes: Attributes

    @classmethod
    def of(cls, error: BaseException) -> Self:
        """Return what a trace tells of `error`."""
        speaks = isinstance(error, TinyforgeError) and not isinstance(error, RowsMoved)
        return cls(
            kind=error.reason.value if isinstance(error, EngineError) else type(error).__name__,
            exception=f"{type(error).__module__}.{type(error).__qualname__}",
            message=printable(str(error), MESSAGE_LENGTH) if speaks else "",
            codes=_codes(error),
        )


class Step:
    """One step: a block whose beginning, end and failure are taken down. It has the span's `name` and `kind`, and what is known of it."""

    __slots__ = ("_clock", "_if_it_succeeds", "attributes", "began", "ended", "failure", "kind", "name")

    def __init__(self, name: str, kind: SpanKind, attributes: Attributes, clock: Clock, *, if_it_succeeds: Attributes = _NOTHING) -> None:
        self.name = name
        self.kind = kind
        self.attributes = attributes
        self.began = 0
        self.ended = 0
        self.failure: Failure | None = None
        self._clock = clock
        self._if_it_succeeds = if_it_succeeds

    def __enter__(self) -> None:
        self.began = self._clock()

    def __exit__(self, _: type[BaseException] | None, error: BaseException | None, __: TracebackType | None) -> None:
        self.ended = self._clock()
        self.failure = Failure.of(error) if error else None

    @property
    def outcome(self) -> Attributes:
        """What is known of it since it ended."""
        return self.failure.codes if self.failure else self._if_it_succeeds


class PassSteps:
    """The steps of one pass, in nanoseconds of `clock`; `request` is what is known of the request for the list before it is made.

    `began_at` is the time of day at which it began, in nanoseconds since 1970; `rows_read` are the times at which its host's rows had been
    read; `failure` is why it failed, if it did.
    """

    def __init__(self, reason: PassReason, *, request: Attributes, clock: Clock) -> None:
        self.reason = reason
        self.began_at = time.time_ns()
        self.began = clock()
        self.taken: list[Step] = []
        self.rows_read: list[int] = []
        self.failure: Failure | None = None
        self._request = request
        self._clock = clock

    def read(self) -> None:
        """Take down that the host's rows have just been read."""
        self.rows_read.append(self._clock())

    def listing(self) -> Step:
        """Return the step that asks the engine for its list."""
        return self._take(Step("docker.containers.list", SpanKind.CLIENT, self._request, self._clock, if_it_succeeds=_LISTED))

    def planning(self) -> Step:
        """Return the step that decides what to write."""
        return self._take(Step("index.plan", SpanKind.INTERNAL, _NOTHING, self._clock))

    def writing(self, *, rows: bool) -> Step:
        """Return the step that writes the pass down, with `rows` of containers or without any."""
        return self._take(Step("index.write", SpanKind.CLIENT, _WRITES_ROWS if rows else _WRITES_HOST, self._clock))

    def failed(self, error: BaseException) -> None:
        """Take down why the pass failed."""
        self.failure = Failure.of(error)

    def at(self, moment: int) -> int:
        """Return the time of day, in nanoseconds since 1970, at a moment of the clock."""
        return self.began_at + moment - self.began

    def _take(self, step: Step) -> Step:
        self.taken.append(step)
        return step


def _codes(error: BaseException) -> Attributes:
    """Return the status or SQLSTATE that a server gave; the SQLSTATE is on what the adapter chained to its own error."""
    if isinstance(error, EngineError):
        return {"http.response.status_code": error.http_status} if error.http_status else _NOTHING
    state = getattr(error.__cause__, "sqlstate", None)
    return {"db.response.status_code": str(state)} if state else _NOTHING
