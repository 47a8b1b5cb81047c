"""A trace as a tree on a terminal: each span with how long it took, how it ended, and what was noted on it."""

from collections.abc import Iterator, Mapping, Sequence

from tinyforge.cli.output import Branch, Cell
from tinyforge.cli.texts import moment
from tinyforge.domain.texts import printable
from tinyforge.jaeger.spans import Attributes, Event, Link, Span, Trace

_PASS = "index.pass"  # noqa: S105 - the name of a span
_OURS = "tinyforge."
_OUTCOME = ".outcome"
_OF_THE_FORMAT = ("otel.", "internal.", "opentracing.", "span.kind", "span.format")
"""What Jaeger adds of its own; like `error` and the outcome, which stand in a span's first line, it is not told again."""
_MOST_SPANS = 200
_DEEPEST = 20
_MOST_ATTRIBUTES = 40
_VALUE_LENGTH = 300  # characters
_STYLES = {"failed": "bold red", "changed": "green", "skipped": "yellow"}


def trees(trace: Trace, linked: Mapping[str, Trace]) -> Sequence[Branch]:
    """Return the trees of a trace: one, unless some of it is missing.

    Args:
        trace: the trace.
        linked: what is known of the traces that its root is linked to, by their ids. A pass is shown whole.
    """
    drawing = _Drawing(trace, linked)
    branches = [drawing.top(span) for span in trace.tops[:_MOST_SPANS]]
    rest = len(trace.spans) - drawing.drawn
    if rest > 0:
        branches.append(Branch([Cell(f"{rest} more spans are not shown; --json has them all", "yellow")]))
    return branches


class _Drawing:
    """A trace, and how many of its spans have been drawn."""

    def __init__(self, trace: Trace, linked: Mapping[str, Trace]) -> None:
        self._trace = trace
        self._linked = linked
        self.drawn = 0

    def top(self, span: Span) -> Branch:
        self.drawn += 1
        facts = (Branch([Cell(f"{group}: ", "dim"), Cell(noted)]) for group, noted in _groups(_noted(span)))
        links = (self._link(link, span) for link in span.links[:_MOST_ATTRIBUTES])
        orphan = [Cell("  (its parent is not in Jaeger)", "yellow")] if span.parent_id else []
        return Branch([*_title(span, f"  at {moment(span.began)}"), *orphan], [*facts, *links, *self._rest(span, depth=1)])

    def _step(self, span: Span, depth: int) -> Branch:
        self.drawn += 1
        noted = _in_a_row(_noted(span))
        return Branch(_title(span), [*([Branch([Cell(noted, "dim")])] if noted else []), *self._rest(span, depth + 1)])

    def _rest(self, span: Span, depth: int) -> Iterator[Branch]:
        """Yield what happened on a span and its steps, in the order of their times."""
        events = [event for event in span.events[:_MOST_ATTRIBUTES] if not _is_the_failure(event, span)]
        happened: list[Event | Span] = [*events, *self._trace.children(span)]
        for each in sorted(happened, key=lambda it: it.at if isinstance(it, Event) else it.began):
            if isinstance(each, Event):
                yield _event(each, span)
            elif depth <= _DEEPEST and self.drawn < _MOST_SPANS:
                yield self._step(each, depth)

    def _link(self, link: Link, span: Span) -> Branch:
        trace = self._linked.get(link.trace_id)
        root = trace.root if trace else None
        said = _words(link.attributes.get(f"{_OURS}link", ""))
        what = Cell(f"{said.replace('_', ' ') or 'linked'}: ", "dim")
        if trace is None or root is None:
            return Branch([what, Cell(f"trace {link.trace_id}, which this Jaeger does not have", "yellow")])
        ago = (span.began - root.began).total_seconds()
        when = f"  {length(abs(ago))} {'before' if ago >= 0 else 'after'}, trace {link.trace_id}"
        return Branch([what, *_title(root, when)], trees(trace, {})[0].branches if root.name == _PASS else ())


def length(seconds: float) -> str:
    """Return a length of time as people read it: `0.04ms`, `12ms`, `1.20s`, `2m05s`."""
    if seconds < 1:
        return f"{seconds * 1000:.{0 if seconds >= 0.01 else 2}f}ms"
    return f"{seconds:.2f}s" if seconds < 60 else f"{int(seconds // 60)}m{int(seconds % 60):02d}s"


def _title(span: Span, when: str = "") -> list[Cell]:
    """Return a span's name, its outcome if it says one, how long it took, when it began, and its error."""
    outcome = next((_words(value) for key, value in span.attributes.items() if key.endswith(_OUTCOME)), "")
    cells = [Cell(printable(span.name, _VALUE_LENGTH), "bold")]
    if outcome:
        cells.append(Cell(f"  {outcome}", _STYLES.get(outcome, "")))
    cells += [Cell(f"  {length(span.seconds)}", "cyan"), Cell(when)]
    if span.failure is not None:
        cells.append(Cell(f"  ERROR {printable(span.failure, _VALUE_LENGTH)}".rstrip(), "bold red"))
    return cells


def _event(event: Event, span: Span) -> Branch:
    offset = Cell(f"+{length(max((event.at - span.began).total_seconds(), 0.0))} ", "dim")
    if event.name == "exception":
        kind, message = (_words(event.attributes.get(f"exception.{part}", "")) for part in ("type", "message"))
        return Branch([offset, Cell(f"{kind.rpartition('.')[2] or 'exception'}: {message}", "red")])
    noted = _in_a_row(_named(event.attributes))
    return Branch([offset, Cell(printable(event.name, _VALUE_LENGTH)), Cell(f"  {noted}" if noted else "", "dim")])


def _is_the_failure(event: Event, span: Span) -> bool:
    """Whether an event is the exception that a span's first line tells already."""
    return event.name == "exception" and bool(span.failure) and _words(event.attributes.get("exception.message")) in _said(span)


def _noted(span: Span) -> list[tuple[str, str]]:
    """Return what was noted on a span, but for what its first line says."""
    said = _said(span)
    return [(name, value) for name, value in _named(span.attributes) if value not in said and not name.endswith(_OUTCOME)]


def _said(span: Span) -> Sequence[str]:
    """Return what a failure says: in `Reason: message` both, and the whole."""
    words = _words(span.failure or "")
    reason, _, message = words.partition(": ")
    return [it for it in (words, reason, message) if it]


def _named(attributes: Attributes) -> list[tuple[str, str]]:
    """Return attributes as texts in the order in which they were noted, ours first and without their prefix."""
    ordered = sorted(attributes, key=lambda key: not key.startswith(_OURS))
    kept = [key for key in ordered if key != "error" and not key.startswith(_OF_THE_FORMAT)]
    return [(printable(key.removeprefix(_OURS), _VALUE_LENGTH), _words(attributes[key])) for key in kept[:_MOST_ATTRIBUTES]]


def _groups(noted: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
    """Put into one line what begins with the same word: `host: local  as_of=…` for `host` and `host.as_of`."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, value in noted:
        group, _, rest = name.partition(".")
        groups.setdefault(group, []).append((rest, value))
    return [(group, _in_a_row(members)) for group, members in groups.items()]


def _in_a_row(noted: Sequence[tuple[str, str]]) -> str:
    return "  ".join(f"{name}={value}" if name else value for name, value in noted)


def _words(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case list():
            return printable(", ".join(map(_words, value[:_MOST_ATTRIBUTES])), _VALUE_LENGTH)
        case _:
            return printable(str(value), _VALUE_LENGTH)
