"""Passes as they are printed, by `run --once` and by `sync`."""

import json
from typing import Any

import pytest

from tinyforge.cli.passes import print_passes
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.traces import Traceparent
from tinyforge.reconcile.answers import describe_pass

Capture = pytest.CaptureFixture[str]

TRACE = "0af7651916cd43dd8448eb211c80319c"


def described(host: str, *, trace: str = "") -> dict[str, Any]:
    found = Traceparent(trace, "b7ad6b7169203331") if trace else None
    return {**describe_pass(PassReport(host=host, outcome=PassOutcome.CHANGED, duration_seconds=0.0123, trace=found))}


def test_the_trace_of_a_pass_is_printed_where_there_is_one(capsys: Capture) -> None:
    print_passes([described("a", trace=TRACE), described("b")], as_json=False)
    titles, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert titles[-2:] == ["TRACE", "WHY"]
    assert [row[7:] for row in rows] == [["12", "ms", TRACE, "-"], ["12", "ms", "-", "-"]]


def test_without_traces_there_is_no_column_of_them(capsys: Capture) -> None:
    print_passes([described("a")], as_json=False)
    assert "TRACE" not in capsys.readouterr().out


def test_a_document_always_tells_the_trace_which_may_be_empty(capsys: Capture) -> None:
    print_passes([described("a", trace=TRACE), described("b")], as_json=True)
    assert [it["traceID"] for it in json.loads(capsys.readouterr().out)] == [TRACE, ""]


@pytest.mark.parametrize("as_json", [True, False])
def test_what_a_controller_of_the_release_before_answers_is_printed_too(as_json: bool, capsys: Capture) -> None:
    answer = described("a")
    del answer["traceID"]
    print_passes([answer], as_json=as_json)
    printed = capsys.readouterr().out
    assert json.loads(printed)[0]["traceID"] == "" if as_json else "TRACE" not in printed
