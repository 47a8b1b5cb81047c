"""A trace drawn as a tree, whatever Jaeger says is in it."""

import json
from collections.abc import Iterator, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jaeger.telling import Document, error, event, link, span, spans
from tinyforge.cli.output import Branch
from tinyforge.cli.trace_tree import length, trees
from tinyforge.jaeger.answers import read_trace
from tinyforge.jaeger.spans import Trace

TRACE, OTHER = "a" * 32, "b" * 32


def trace(*told: Document) -> Trace:
    return read_trace(json.dumps({"result": spans(*told)}).encode())


def lines(drawn: Trace, known: Mapping[str, Trace] | None = None) -> list[str]:
    return [line for tree in trees(drawn, known or {}) for line in _lines(tree, 0)]


def _lines(branch: Branch, depth: int) -> Iterator[str]:
    yield "  " * depth + "".join(cell.text for cell in branch.cells)
    for each in branch.branches:
        yield from _lines(each, depth + 1)


def linked(**said: str) -> Document:
    return span("workload.dispatch", trace_id=TRACE, links=[link(OTHER, 1, **said)])


def test_a_previous_dispatch_is_named_in_a_line_and_a_pass_is_shown_whole() -> None:
    step = span("index.plan", trace_id=OTHER, span_id=2, parent=1)
    for name, shown in (("workload.dispatch", 2), ("index.pass", 3)):
        drawn = lines(trace(linked()), {OTHER: trace(span(name, trace_id=OTHER, after=-60), step)})
        assert drawn[1] == f"  linked: {name}  10ms  1m00s before, trace {OTHER}"
        assert len(drawn) == shown


def test_what_is_linked_may_have_begun_later_by_somebody_elses_clock() -> None:
    drawn = lines(trace(linked()), {OTHER: trace(span("x", trace_id=OTHER, after=2))})
    assert drawn[1].endswith(f"  2.00s after, trace {OTHER}")


def test_a_link_is_called_what_we_called_it_where_jaeger_kept_that() -> None:
    assert lines(trace(linked(link="previous_dispatch")))[1] == f"  previous dispatch: trace {OTHER}, which this Jaeger does not have"


def test_steps_are_below_their_parents_in_the_order_in_which_they_began() -> None:
    drawn = trace(
        span("root", trace_id=TRACE),
        span("second", trace_id=TRACE, span_id=3, parent=1, after=2),
        span("first", trace_id=TRACE, span_id=2, parent=1, after=1),
        span("inner", trace_id=TRACE, span_id=4, parent=2, after=1),
    )
    assert [line.split("  1")[0].rstrip() for line in lines(drawn)] == ["root", "  first", "    inner", "  second"]


def test_an_exception_that_the_first_line_tells_is_not_told_twice_and_neither_are_its_reason_and_message() -> None:
    noted = {"error.type": "Drift", "tinyforge.dispatch.message": "web: 0 of 1", "tinyforge.dispatch.reason": "timer"}
    happened = [event("exception", exception__message=text) for text in ("web: 0 of 1", "another one")]
    drawn = lines(trace(span("x", trace_id=TRACE, status=error("Drift: web: 0 of 1"), attributes=noted, events=happened)))
    assert [line.partition("  at ")[0] for line in drawn[:1]] == ["x  10ms"]
    assert drawn[0].endswith("  ERROR Drift: web: 0 of 1")
    assert drawn[1:] == ["  dispatch: reason=timer", "  +0.00ms exception: another one"]


def test_attributes_that_begin_alike_share_a_line() -> None:
    noted = {"tinyforge.host": "local", "tinyforge.containers.total": 3, "tinyforge.host.as_of": "now", "tinyforge.containers.running": 2}
    drawn = lines(trace(span("x", trace_id=TRACE, attributes=noted)))
    assert drawn[1:] == ["  host: local  as_of=now", "  containers: total=3  running=2"]


def test_what_we_noted_comes_first_and_what_jaeger_adds_is_left_out() -> None:
    noted = {"db.name": "x", "tinyforge.host": "local", "otel.scope.name": "y", "span.kind": "internal", "error": True, "flag": False}
    assert lines(trace(span("x", trace_id=TRACE, attributes=noted)))[1:] == ["  host: local", "  db: name=x", "  flag: false"]


def test_a_huge_trace_is_shown_in_part_and_says_so() -> None:
    wide = trace(span("root", trace_id=TRACE), *(span("x", trace_id=TRACE, span_id=number, parent=1) for number in range(2, 1002)))
    drawn = lines(wide)
    assert len(drawn) == 201
    assert drawn[-1] == "801 more spans are not shown; --json has them all"


def test_a_deep_trace_is_shown_in_part_and_says_so() -> None:
    deep = trace(*(span("x", trace_id=TRACE, span_id=number, parent=number - 1) for number in range(1, 101)))
    drawn = lines(deep)
    assert len(drawn) == 22
    assert drawn[-1] == "79 more spans are not shown; --json has them all"


def test_spans_that_are_each_others_parents_are_counted_and_not_followed() -> None:
    ring = trace(span("x", trace_id=TRACE, span_id=1, parent=2), span("y", trace_id=TRACE, span_id=2, parent=1))
    assert lines(ring) == ["2 more spans are not shown; --json has them all"]


def test_a_long_value_is_cut_and_many_attributes_and_events_are_left_out() -> None:
    many = {f"key-{number:03}": [["x" * 1000] * 3] * 3 for number in range(100)}
    drawn = lines(trace(span("x", trace_id=TRACE, attributes=many, events=[event("e")] * 100)))
    assert len(drawn) == 81
    assert max(map(len, drawn)) < 330


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(0, 9)), max_size=12))
def test_each_span_is_drawn_once_or_counted_whatever_their_parents(told: list[tuple[int, int]]) -> None:
    given_trace = trace(*(span(f"span-{id_}", trace_id=TRACE, span_id=id_, parent=parent) for id_, parent in told))
    drawn = lines(given_trace)
    shown = [line.split()[0] for line in drawn if "span-" in line]
    counted = [int(line.split()[0]) for line in drawn if "more spans" in line]
    assert len(shown) == len(set(shown))
    assert len(shown) + sum(counted) == len(given_trace.spans)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0.00ms"),
        (0.00004, "0.04ms"),
        (0.0099, "9.90ms"),
        (0.25, "250ms"),
        (1.5, "1.50s"),
        (59.99, "59.99s"),
        (125, "2m05s"),
    ],
)
def test_a_length_of_time_is_in_the_unit_that_fits(seconds: float, shown: str) -> None:
    assert length(seconds) == shown
