"""`tinyforge deploy`, answered by a real controller, and by a leader that answers what a test wants where no built-in source would."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tinyforge
from tests.cli.controllers import START_SECONDS, declare, running_controller
from tests.cli.index import HOSTILE, Index
from tests.index.attending import Notes, held
from tests.servers.docker_engine import DockerEngine
from tinyforge.index.led import LedIndex, lead

EXTERNAL = "kind: stack, source: {kind: external}, trigger: {kind: manual}"


@contextmanager
def answering(url: str, answer: Mapping[str, Any]) -> Iterator[None]:
    """A leader that gives this answer to every request, for the length of a block: no built-in source deploys anything yet."""
    leads, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_answer_all(url, answer, leads, stop)), name="leader")
    thread.start()
    try:
        assert leads.wait(START_SECONDS), "nobody leads"
        yield
    finally:
        stop.set()
        thread.join()


async def _answer_all(url: str, answer: Mapping[str, Any], leads: threading.Event, stop: threading.Event) -> None:
    notes = Notes()
    async with lead(url) as index, held(index.presence, notes):
        leads.set()
        answering = asyncio.create_task(_answer_each(index, notes.requests, answer))
        await asyncio.to_thread(stop.wait)
        answering.cancel()
        with suppress(asyncio.CancelledError):
            await answering


async def _answer_each(index: LedIndex, asked: asyncio.Semaphore, answer: Mapping[str, Any]) -> None:
    while True:
        await asked.acquire()
        for request in await index.requests.open_requests():
            await index.requests.answer(request, answer)


def answer_of(outcome: str, *, reason: str = "", message: str = "", trace: str = "") -> dict[str, str]:
    return {"workload": "default/shop", "outcome": outcome, "reason": reason, "message": message, "traceID": trace}


def test_what_somebody_else_deploys_is_skipped_and_that_is_no_failure(
    tinyforge: Tinyforge, index: Index, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": EXTERNAL})
    with running_controller(index.url, folder):
        assert tinyforge("sync").exit_code == 0
        ended = tinyforge("deploy", "shop")
        assert ended.exit_code == 0, ended
        assert ended.stdout.startswith("default/shop  skipped  ExternallyManaged: whoever runs these containers deploys them")
        assert len(ended.stdout.splitlines()) == 1
        answer = tinyforge("deploy", "default/shop", "--json").json
        assert list(answer) == ["workload", "outcome", "reason", "message", "traceID"]
        assert (answer["workload"], answer["outcome"], answer["reason"]) == ("default/shop", "skipped", "ExternallyManaged")
    assert index.sql("SELECT kind, argument FROM tinyforge.sync_requests WHERE kind = 'deploy'") == [("deploy", "default/shop")] * 2


def test_a_workload_that_nobody_declared_is_a_failure_and_is_said(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests")):
        ended = tinyforge("deploy", "team/other")
        assert (ended.exit_code, ended.stdout) == (1, "")
        assert '"team/other"' in ended.stderr


@pytest.mark.parametrize(
    ("answer", "exit_code", "line"),
    [
        (answer_of("unchanged"), 0, "default/shop  unchanged"),
        (answer_of("changed", message="nginx:1.27 runs"), 0, "default/shop  changed  nginx:1.27 runs"),
        (answer_of("changed", trace="4bf92f35"), 0, "default/shop  changed  (trace 4bf92f35)"),
        (answer_of("skipped", reason="NotManual", message="ask the clock"), 0, "default/shop  skipped  NotManual: ask the clock"),
        (
            answer_of("failed", reason="ImageNotFound", message="no nginx:1.28: push it", trace="4bf92f35"),
            1,
            "default/shop  failed  ImageNotFound: no nginx:1.28: push it  (trace 4bf92f35)",
        ),
    ],
)
def test_how_it_ended_is_one_line_and_a_failure_is_exit_code_1(
    answer: dict[str, str], exit_code: int, line: str, tinyforge: Tinyforge, index: Index
) -> None:
    with answering(index.url, answer):
        ended = tinyforge("deploy", "shop")
        assert (ended.exit_code, ended.stdout, ended.stderr) == (exit_code, f"{line}\n", "")
        in_json = tinyforge("deploy", "shop", "--json")
        assert (in_json.exit_code, in_json.json) == (exit_code, answer)


def test_hostile_text_is_written_out(tinyforge: Tinyforge, index: Index) -> None:
    with answering(index.url, answer_of("failed", reason=HOSTILE, message=f"{HOSTILE}\nmore", trace=HOSTILE)):
        shown = tinyforge("deploy", "shop").stdout
    assert "\\x1b[31mred" in shown
    assert shown.removesuffix("\n").isprintable()


def test_an_answer_that_does_not_come_in_time_is_a_failure(tinyforge: Tinyforge, index: Index) -> None:
    index.sql("UPDATE tinyforge.leaders SET session = 'tinyforge/test', claimed_at = now()")
    with index.session("tinyforge/test"):
        ended = tinyforge("deploy", "shop", "--timeout", "100ms")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "did not answer within 0.1 s; the request stays, and `tinyforge workloads` shows its effect" in ended.stderr


def test_without_a_controller_it_says_so(tinyforge: Tinyforge) -> None:
    ended = tinyforge("deploy", "shop")
    assert ended.exit_code == 1
    assert "no controller ever ran" in ended.stderr


@pytest.mark.parametrize(
    "arguments", [[], ["Shop"], ["a/b/c"], ["shop\n"], ["/shop"], ["shop", "mail"], ["shop", "--timeout", "0"], ["shop", "--role", "web"]]
)
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge("deploy", *arguments)
    assert ended.exit_code == 2
    assert "Usage: tinyforge deploy" in ended.stderr
