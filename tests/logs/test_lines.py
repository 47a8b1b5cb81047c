"""What a line of the log is made of: JSON for machines, short text on a terminal."""

import asyncio
import io
import json
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what a recorded span is
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: TID251 - and one that is not

from tinyforge.logs import configure_logs, lines_of_epoch

logger = logging.getLogger("tinyforge.tests")

Lines = Callable[[], list[dict[str, Any]]]


class Terminal(io.StringIO):
    """Somewhere with a person in front of it."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """The log is the whole process's, and pytest has handlers of its own in it."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def lines() -> Lines:
    """What was said so far, as JSON."""
    stream = io.StringIO()
    configure_logs(form="auto", level="info", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def terminal() -> Terminal:
    stream = Terminal()
    configure_logs(form="auto", level="info", stream=stream)
    return stream


@pytest.fixture
def tracer() -> trace.Tracer:
    return TracerProvider(shutdown_on_exit=False).get_tracer("tests")


def test_off_a_terminal_a_line_is_one_json_object(lines: Lines) -> None:
    logger.warning("host %s: away", "web-1", extra={"action": "pass_failed", "host": "web-1"})
    (line,) = lines()
    assert line.pop("time").startswith("20")
    assert line == {
        "level": "WARNING",
        "action": "pass_failed",
        "logger": "tinyforge.tests",
        "message": "host web-1: away",
        "host": "web-1",
    }


def test_a_line_within_a_span_that_is_recorded_names_its_trace_and_the_span(lines: Lines, tracer: trace.Tracer) -> None:
    with tracer.start_as_current_span("index.pass") as span:
        logger.info("found something", extra={"action": "pass_ended"})
    context = span.get_span_context()
    (line,) = lines()
    assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")


async def test_so_does_a_line_of_a_task_that_began_within_it(lines: Lines, tracer: trace.Tracer) -> None:
    async def say() -> None:
        logger.info("found something", extra={"action": "pass_ended"})

    with tracer.start_as_current_span("index.pass") as span:
        task = asyncio.create_task(say())
    await task
    assert [line.get("trace_id") for line in lines()] == [None], "it has ended by then"
    with tracer.start_as_current_span("index.pass") as span:
        await asyncio.create_task(say())
    assert lines()[-1]["trace_id"] == f"{span.get_span_context().trace_id:032x}"


def test_a_line_names_no_trace_that_nobody_can_open(lines: Lines) -> None:
    dropping = TracerProvider(sampler=ALWAYS_OFF, shutdown_on_exit=False).get_tracer("tests")
    logger.info("outside", extra={"action": "leading"})
    with dropping.start_as_current_span("index.pass"):
        logger.info("not recorded", extra={"action": "pass_ended"})
    assert [(line.get("trace_id"), line.get("span_id")) for line in lines()] == [(None, None)] * 2


def test_a_line_that_is_about_another_trace_keeps_that_one_and_takes_no_span_of_this_one(lines: Lines, tracer: trace.Tracer) -> None:
    with tracer.start_as_current_span("index.pass"):
        logger.info("it ended", extra={"action": "dispatch_changed", "trace_id": "ab" * 16})
        logger.info("nobody recorded it", extra={"action": "dispatch_changed", "trace_id": ""})
    assert [(line.get("trace_id"), line.get("span_id")) for line in lines()] == [("ab" * 16, None), (None, None)]


def test_every_line_of_a_term_has_its_epoch_whichever_thread_says_it_and_none_before_and_after(lines: Lines) -> None:
    logger.info("stands by", extra={"action": "standing_by"})
    with lines_of_epoch(7):
        logger.info("leads", extra={"action": "leading"})
        logging.getLogger("kopf").warning("a library's")
        renewing = threading.Thread(target=logger.info, args=("renewed",), kwargs={"extra": {"action": "lease_renewed"}})
        renewing.start()
        renewing.join()
        logger.info("of an earlier term", extra={"action": "intent_superseded", "epoch": 3})
    logger.info("has ended", extra={"action": "tasks_left_behind"})
    assert [line.get("epoch") for line in lines()] == [None, 7, 7, 7, 3, None]


def test_a_librarys_line_has_the_librarys_name_for_an_action(lines: Lines) -> None:
    logging.getLogger("kopf._core.reactor.running").error("oh")
    logging.getLogger("asyncio").error("ah")
    assert [line["action"] for line in lines()] == ["kopf", "asyncio"]


def test_on_a_terminal_a_line_is_short(terminal: Terminal, tracer: trace.Tracer) -> None:
    with lines_of_epoch(7), tracer.start_as_current_span("index.pass"):
        logger.info("host %s: %d containers listed", "web-1", 3, extra={"action": "pass_ended", "host": "web-1"})
    (line,) = terminal.getvalue().splitlines()
    assert line[8:] == " INFO    host web-1: 3 containers listed"


def test_on_a_terminal_what_failed_ends_with_the_trace_that_shows_why(terminal: Terminal) -> None:
    logger.warning("workload default/shop: dispatch failed", extra={"action": "dispatch_failed", "trace_id": "ab" * 16})
    logger.warning("host web-1: away", extra={"action": "pass_failed"})
    first, second = terminal.getvalue().splitlines()
    assert first[8:] == f" WARNING workload default/shop: dispatch failed (trace {'ab' * 16})"
    assert second[8:] == " WARNING host web-1: away"


def test_on_a_terminal_nothing_foreign_moves_the_cursor(terminal: Terminal) -> None:
    logger.warning("container %s", "\x1b[2J\rweb", extra={"action": "container_refused"})
    assert terminal.getvalue().splitlines() == [f"{terminal.getvalue()[:8]} WARNING container \\x1b[2J\\rweb"]
