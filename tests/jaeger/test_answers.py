"""What Jaeger answers, whoever wrote it: a trace, or one error."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.jaeger.telling import error, event, link, span, spans
from tinyforge.jaeger.answers import read_complaint, read_trace
from tinyforge.jaeger.errors import AnswerUnreadable
from tinyforge.jaeger.spans import Trace

TRACE, OTHER = "a" * 32, "b" * 32


def read(*told: dict[str, Any]) -> Trace:
    return read_trace(json.dumps({"result": spans(*told)}).encode())


def test_a_span_has_its_times_status_attributes_events_and_links() -> None:
    attributes = {"text": "x", "number": 2**60, "share": 0.5, "yes": True, "list": ["a", 1], "map": {"k": "v"}}
    told = span(
        "workload.dispatch",
        trace_id=TRACE,
        seconds=1.5,
        attributes=attributes,
        status=error("ImageNotFound"),
        events=[event("retry scheduled", after=0.5, retry_at="soon")],
        links=[link(OTHER, 7, link="pass")],
    )
    (read_span,) = read(told).spans
    assert (read_span.name, read_span.service, read_span.trace_id, read_span.parent_id) == ("workload.dispatch", "tinyforge", TRACE, "")
    assert (read_span.began, read_span.seconds) == (datetime(2026, 9, 21, 14, 13, 20, tzinfo=UTC), 1.5)
    assert read_span.failure == "ImageNotFound"
    assert read_span.attributes == attributes
    (happened,) = read_span.events
    assert (happened.name, happened.attributes) == ("retry scheduled", {"retry_at": "soon"})
    assert (happened.at - read_span.began).total_seconds() == 0.5
    (followed,) = read_span.links
    assert (followed.trace_id, followed.span_id, followed.attributes) == (OTHER, f"{7:016x}", {"tinyforge.link": "pass"})


@pytest.mark.parametrize(("status", "failure"), [({}, None), ({"code": 1}, None), ({"code": 2}, ""), ({"code": "STATUS_CODE_ERROR"}, "")])
def test_a_span_failed_if_its_status_says_so_by_number_or_by_name(status: dict[str, Any], failure: str | None) -> None:
    assert read(span("x", trace_id=TRACE, status=status)).spans[0].failure == failure


def test_a_trace_of_an_older_jaeger_is_not_wrapped() -> None:
    assert read_trace(json.dumps(spans(span("x", trace_id=TRACE))).encode()).spans[0].name == "x"


def test_numbers_may_be_numbers_and_what_is_left_out_has_its_default() -> None:
    told = {"traceId": TRACE, "spanId": "1", "startTimeUnixNano": 1_000_000_000, "attributes": [{"key": "n", "value": {"intValue": 5}}]}
    (read_span,) = read(told).spans
    assert (read_span.began, read_span.seconds, read_span.attributes) == (datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), 0, {"n": 5})


def test_a_parent_of_zeros_is_none() -> None:
    assert read(span("x", trace_id=TRACE, parentSpanId="0" * 16)).root


def test_steps_are_in_the_order_in_which_they_began_and_a_span_that_came_twice_counts_once() -> None:
    second, first = (span(name, trace_id=TRACE, span_id=number, parent=1, after=number) for name, number in (("second", 3), ("first", 2)))
    trace = read(second, first, span("root", trace_id=TRACE), first)
    assert trace.root
    assert [it.name for it in trace.children(trace.root)] == ["first", "second"]
    assert len(trace.spans) == 3


def test_a_span_whose_parent_is_not_there_is_a_top_of_its_own_behind_the_root() -> None:
    trace = read(span("orphan", trace_id=TRACE, span_id=2, parent=9), span("root", trace_id=TRACE, after=1))
    assert [it.name for it in trace.tops] == ["root", "orphan"]
    assert read(span("orphan", trace_id=TRACE, parent=9)).root is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b"{}",
        b'{"result": []}',
        b'{"result": {"resourceSpans": {}}}',
        b'{"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "canary!", "spanId": "1"}]}]}]}}',
        b'{"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "", "spanId": "1", "startTimeUnixNano": "canary"}]}]}]}}',
        b'{"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "", "spanId": "1", "endTimeUnixNano": -1}]}]}]}}',
        b'{"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "", "spanId": "1", "startTimeUnixNano": 1e30}]}]}]}}',
        b'{"result": {"resourceSpans": [{"scopeSpans": [{"spans": [{"traceId": "", "spanId": "1", "startTimeUnixNano": 1%s}]}]}]}}'
        % (b"0" * 40),
        b"\xff\xfe",
        b'{"result": ' + b"[" * 100_000,
    ],
)
def test_what_is_no_trace_is_refused_with_the_place_and_without_the_value(body: bytes) -> None:
    with pytest.raises(AnswerUnreadable) as caught:
        read_trace(body)
    assert str(caught.value).isprintable()
    assert "canary" not in str(caught.value)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
        max_leaves=8,
    ),
    st.sampled_from(["traceId", "spanId", "parentSpanId", "name", "startTimeUnixNano", "endTimeUnixNano", "attributes", "events", "links"]),
)
def test_whatever_stands_in_a_field_it_is_a_trace_or_one_error(value: object, field: str) -> None:
    try:
        trace = read(span("x", trace_id=TRACE) | {field: value})
    except AnswerUnreadable:
        return
    assert len(trace.spans) == 1


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=8))
def test_each_span_is_below_one_other_at_most_whatever_its_parent(told: list[tuple[int, int]]) -> None:
    trace = read(*(span("x", trace_id=TRACE, span_id=id_, parent=parent) for id_, parent in told))
    below = [it.span_id for each in trace.spans for it in trace.children(each)]
    assert len(below) == len(set(below))
    assert not {it.span_id for it in trace.tops} & set(below)


def test_a_complaint_of_jaegers_is_told_and_any_other_page_is_none() -> None:
    assert read_complaint(b'{"error": {"httpCode": 404, "message": "trace\\nnot\\u001b found"}}') == "trace not found"
    assert read_complaint(b"404 page not found") is None
    assert read_complaint(b"{}") is None
