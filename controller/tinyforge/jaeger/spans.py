"""A trace as Jaeger has it: spans, and how they hang together."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

Attributes = Mapping[str, object]
"""By key: texts, numbers, truth values, None, and lists and mappings of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened during a span; an exception is one."""

    name: str
    at: datetime
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A span of another trace that this one follows from."""

    trace_id: str
    span_id: str
    attributes: Attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One step. `parent_id` is empty for a root; `failure` is None unless it ended in an error, and then says which, if it was said."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    service: str
    began: datetime
    seconds: float
    failure: str | None
    attributes: Attributes
    events: Sequence[Event]
    links: Sequence[Link]


class Trace:
    """The spans of one trace, in the order in which they began. A span that was stored twice counts once."""

    def __init__(self, spans: Iterable[Span]) -> None:
        by_id = {span.span_id: span for span in spans}
        self.spans: Sequence[Span] = sorted(by_id.values(), key=lambda span: (span.began, -span.seconds))
        self._children: dict[str, list[Span]] = {}
        self._known = by_id.keys()
        for span in self.spans:
            self._children.setdefault(span.parent_id, []).append(span)

    @property
    def root(self) -> Span | None:
        """The first span without a parent; None while it has not arrived."""
        return next((span for span in self.spans if not span.parent_id), None)

    @property
    def tops(self) -> Sequence[Span]:
        """The spans with which its trees begin: those without a parent, then those whose parent is not here."""
        roots = [span for span in self.spans if not span.parent_id]
        return roots + [span for span in self.spans if span.parent_id and span.parent_id not in self._known]

    def children(self, span: Span) -> Sequence[Span]:
        """Return the steps of a span."""
        return self._children.get(span.span_id, ())
