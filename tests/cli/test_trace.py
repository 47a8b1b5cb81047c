"""`tinyforge trace`, of a real Jaeger."""

import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.cli.conftest import Ended, Program, Tinyforge
from tests.cli.index import HOSTILE, Index
from tests.cli.terminals import Terminal
from tests.jaeger.telling import error, event, link, span, tell
from tests.servers.jaeger import Jaeger

RED = "\x1b[1;31m"
LONG_AGO = "2026-01-01T00:00:00Z"


@pytest.fixture
def trace_id() -> str:
    return uuid4().hex


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with closing(Terminal()) as terminal:
        yield terminal


def dispatched(trace_id: str, *, at: str = "") -> dict[str, Any]:
    """The status of a workload whose last dispatch failed."""
    moment = at or datetime.now(UTC).isoformat(timespec="seconds")
    return {"lastDispatch": {"at": moment, "outcome": "failed", "reason": "ImageNotFound", "traceID": trace_id}}


def tell_of_a_failure(jaeger: Jaeger, trace_id: str) -> str:
    """Send a dispatch that failed, with the pass that it saw, and return the id of the pass's trace."""
    seen = uuid4().hex
    tell(
        jaeger,
        span(
            "index.pass", trace_id=seen, after=-2, seconds=0.25, attributes={"tinyforge.host": "local", "tinyforge.pass.outcome": "changed"}
        ),
        span("docker.containers.list", trace_id=seen, span_id=2, parent=1, after=-2, attributes={"http.request.method": "GET"}),
        span(
            "workload.dispatch",
            trace_id=trace_id,
            seconds=1.5,
            status=error("ImageNotFound"),
            links=[link(seen, link="pass")],
            attributes={"tinyforge.workload.id": "default/shop", "tinyforge.dispatch.outcome": "failed", "otel.scope.name": "tinyforge"},
            events=[event("retry scheduled", after=1.5, tinyforge__dispatch__retry_at="2026-09-21T14:14:00Z")],
        ),
        span("trigger.check", trace_id=trace_id, span_id=2, parent=1, seconds=0.002),
        span(
            "source.deploy",
            trace_id=trace_id,
            span_id=3,
            parent=1,
            after=0.1,
            seconds=1.4,
            status=error("ImageNotFound"),
            events=[event("exception", after=1.4, exception__type="tinyforge.PluginFailed", exception__message="no nginx:1.28")],
        ),
    )
    return seen


def test_the_last_dispatch_of_a_workload_is_a_tree_with_the_pass_that_it_saw(
    tinyforge: Tinyforge, index: Index, jaeger: Jaeger, trace_id: str
) -> None:
    index.workload("default/shop", status=dispatched(trace_id))
    seen = tell_of_a_failure(jaeger, trace_id)
    ended = tinyforge("trace", "shop", TINYFORGE_JAEGER_URL=jaeger.url)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [
        f"trace {trace_id}  {jaeger.url}/trace/{trace_id}",
        "workload.dispatch  failed  1.50s  at 2026-09-21 14:13:20 UTC  ERROR ImageNotFound",
        "├── workload: id=default/shop",
        f"├── linked: index.pass  changed  250ms  2.00s before, trace {seen}",
        "│   ├── host: local",
        "│   └── docker.containers.list  10ms",
        "│       └── http.request.method=GET",
        "├── trigger.check  2.00ms",
        "├── source.deploy  1.40s  ERROR ImageNotFound",
        "│   └── +1.30s PluginFailed: no nginx:1.28",
        "└── +1.50s retry scheduled  dispatch.retry_at=2026-09-21T14:14:00Z",
    ]


def test_a_trace_can_be_named_by_its_id_and_needs_no_database(tinyforge: Tinyforge, jaeger: Jaeger, trace_id: str) -> None:
    tell_of_a_failure(jaeger, trace_id)
    shown = tinyforge(
        "trace", "--trace-id", trace_id.upper(), TINYFORGE_JAEGER_URL=jaeger.url, TINYFORGE_DATABASE_URL="postgresql://127.0.0.1:1/x"
    )
    assert "workload.dispatch  failed" in shown.stdout


def test_json_has_the_spans_with_all_that_is_known_of_them(tinyforge: Tinyforge, jaeger: Jaeger, trace_id: str) -> None:
    seen = tell_of_a_failure(jaeger, trace_id)
    root, _, deploy = tinyforge("trace", "--trace-id", trace_id, "--json", TINYFORGE_JAEGER_URL=jaeger.url).json
    assert (root["traceID"], root["spanID"], root["parentSpanID"]) == (trace_id, f"{1:016x}", "")
    assert (root["service"], root["name"], root["failed"], root["message"]) == ("tinyforge", "workload.dispatch", True, "ImageNotFound")
    assert (root["startTime"], root["durationSeconds"]) == ("2026-09-21T14:13:20+00:00", 1.5)
    assert root["attributes"]["tinyforge.workload.id"] == "default/shop"
    assert [it["traceID"] for it in root["links"]] == [seen]
    assert deploy["events"] == [
        {
            "name": "exception",
            "time": "2026-09-21T14:13:21.400000+00:00",
            "attributes": {"exception.type": "tinyforge.PluginFailed", "exception.message": "no nginx:1.28"},
        }
    ]


def test_on_a_terminal_an_error_stands_out_and_long_lines_are_folded_between_the_branches(
    program: Program, terminal: Terminal, jaeger: Jaeger, trace_id: str
) -> None:
    noted = {"tinyforge.dispatch.message": "word " * 40}
    tell(
        jaeger,
        span("workload.dispatch", trace_id=trace_id, status=error("Drift"), attributes=noted),
        span("trigger.check", trace_id=trace_id, span_id=2, parent=1),
    )
    shown = program("trace", "--trace-id", trace_id, stdout=terminal.program, TERM="xterm", TINYFORGE_JAEGER_URL=jaeger.url)
    assert shown.wait() == 0, shown.communicate()
    screen = terminal.read_until("trigger.check")
    assert f"{RED}  ERROR Drift" in screen
    _, _, *folded = re.sub(r"\x1b\[[0-9;]*m", "", screen).splitlines()
    assert len(folded) == 4
    assert [line[:4] for line in folded] == ["├── ", "│   ", "│   ", "└── "]


def test_a_trace_that_is_still_on_its_way_is_waited_for(tinyforge: Tinyforge, index: Index, jaeger: Jaeger, trace_id: str) -> None:
    index.workload("default/shop", status=dispatched(trace_id))
    tell(jaeger, span("trigger.check", trace_id=trace_id, span_id=2, parent=1))
    rest = threading.Timer(0.7, tell_of_a_failure, (jaeger, trace_id))
    rest.start()
    ended = tinyforge("trace", "shop", "--timeout", "30s", TINYFORGE_JAEGER_URL=jaeger.url)
    rest.join()
    assert "workload.dispatch  failed" in ended.stdout
    assert ended.stderr == ""


def test_a_trace_whose_root_does_not_come_is_shown_as_far_as_it_is_there(tinyforge: Tinyforge, jaeger: Jaeger, trace_id: str) -> None:
    tell(jaeger, span("trigger.check", trace_id=trace_id, span_id=2, parent=1))
    ended = tinyforge("trace", "--trace-id", trace_id, "--timeout", "100ms", TINYFORGE_JAEGER_URL=jaeger.url)
    assert ended.exit_code == 0
    assert "trigger.check  10ms  at 2026-09-21 14:13:20 UTC  (its parent is not in Jaeger)" in ended.stdout
    assert "Its root is not in Jaeger" in ended.stderr


def test_a_trace_that_jaeger_has_forgotten_is_told_at_once_with_what_to_look_at(
    tinyforge: Tinyforge, index: Index, jaeger: Jaeger, trace_id: str
) -> None:
    index.workload("default/shop", status=dispatched(trace_id, at=LONG_AGO))
    began = time.monotonic()
    ended = tinyforge("trace", "shop", "--timeout", "1h", TINYFORGE_JAEGER_URL=jaeger.url)
    assert time.monotonic() - began < 30
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert f"has no trace {trace_id}, of the dispatch of default/shop at 2026-01-01 00:00:00 UTC (" in ended.stderr
    assert "which ended failed; it has forgotten it, or never got it." in ended.stderr
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in ended.stderr


def test_without_an_address_it_says_what_to_set_and_which_trace_it_is(tinyforge: Tinyforge, index: Index, trace_id: str) -> None:
    index.workload("default/shop", status=dispatched(trace_id))
    ended = tinyforge("trace", "shop")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "TINYFORGE_JAEGER_URL is not set" in ended.stderr
    assert f"trace {trace_id}, of the dispatch of default/shop" in ended.stderr


def test_a_jaeger_that_is_away_is_one_line(tinyforge: Tinyforge, own_jaeger: Jaeger, trace_id: str) -> None:
    ended = tinyforge("trace", "--trace-id", trace_id, TINYFORGE_JAEGER_URL=own_jaeger.url)
    assert (ended.exit_code, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)
    assert f"Jaeger at {own_jaeger.url} does not answer" in ended.stderr


def test_the_password_of_the_address_is_never_printed(tinyforge: Tinyforge, jaeger: Jaeger, own_jaeger: Jaeger, trace_id: str) -> None:
    tell_of_a_failure(jaeger, trace_id)

    def printed(*arguments: str, url: str) -> str:
        ended: Ended = tinyforge(*arguments, TINYFORGE_JAEGER_URL=url.replace("//", "//me:hunter2@"))
        return ended.stdout + ended.stderr

    for arguments in (["trace", "--trace-id", trace_id], ["settings"], ["settings", "--json"], ["doctor"]):
        for url in (jaeger.url, own_jaeger.url, f"{jaeger.url}/wrong", jaeger.otlp_http):
            assert "hunter2" not in printed(*arguments, url=url), arguments
    assert jaeger.url in printed("settings", url=jaeger.url)
    assert "hunter" not in printed("settings", url="http://me:hunter#2@jaeger")


@pytest.mark.parametrize("arguments", [[], ["shop", "--trace-id", "a" * 32]])
def test_a_workload_or_an_id_has_to_be_named_and_not_both(arguments: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge("trace", *arguments)
    assert ended.exit_code == 2
    assert "Name a WORKLOAD, or a trace by --trace-id, and not both." in ended.stderr


def test_an_id_that_is_none_is_a_usage_error(tinyforge: Tinyforge) -> None:
    ended = tinyforge("trace", "--trace-id", "../services")
    assert ended.exit_code == 2
    assert "it has 32 hexadecimal digits" in ended.stderr


def test_a_workload_that_there_is_not_is_told_with_the_likely_one(tinyforge: Tinyforge, index: Index) -> None:
    assert "there is no workload default/shop; there are: none" in tinyforge("trace", "shop").stderr
    for number in range(12):
        index.workload(f"team/app-{number:02}")
    assert "there are: team/app-00, team/app-01," in tinyforge("trace", "shop").stderr
    assert "and 2 more" in tinyforge("trace", "shop").stderr
    index.workload("default/shop")
    ended = tinyforge("trace", "shpo")
    assert ended.exit_code == 1
    assert "there is no workload default/shpo; did you mean default/shop?" in ended.stderr


def test_a_workload_that_was_never_dispatched_says_what_it_needs(tinyforge: Tinyforge, index: Index) -> None:
    index.workload("default/shop")
    ended = tinyforge("trace", "shop")
    assert ended.exit_code == 1
    assert "default/shop was never dispatched: it has to have a source and a trigger" in ended.stderr


def test_a_dispatch_that_left_no_trace_says_what_decides_about_that(tinyforge: Tinyforge, index: Index) -> None:
    index.workload("default/shop", status=dispatched("", at=LONG_AGO))
    ended = tinyforge("trace", "shop")
    assert ended.exit_code == 1
    assert "there is no trace of the dispatch of default/shop at 2026-01-01 00:00:00 UTC" in ended.stderr
    assert "OTEL_EXPORTER_OTLP_ENDPOINT" in ended.stderr


def test_what_somebody_wrote_into_a_trace_reaches_no_terminal(tinyforge: Tinyforge, jaeger: Jaeger, trace_id: str) -> None:
    tell(
        jaeger,
        span(
            HOSTILE,
            trace_id=trace_id,
            status=error(HOSTILE),
            attributes={HOSTILE: HOSTILE, "tinyforge.x.outcome": HOSTILE, "list": [HOSTILE]},
            events=[event(HOSTILE, said=HOSTILE), event("exception", exception__type=HOSTILE, exception__message=HOSTILE)],
            links=[link(uuid4().hex, link=HOSTILE)],
        ),
    )
    for arguments in ([], ["--json"]):
        shown = tinyforge("trace", "--trace-id", trace_id, *arguments, TINYFORGE_JAEGER_URL=jaeger.url)
        assert shown.exit_code == 0
        assert all(char.isprintable() for line in shown.stdout.splitlines() for char in line), arguments
        assert "[bold]x[/bold]:smile:" in shown.stdout
