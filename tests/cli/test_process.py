"""Signals: the first one is obeyed in order, the second one at once."""

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

ASYNCHRONOUS = """
import asyncio, click
from tinyforge.cli import process
from tinyforge.cli.verb import Verb

async def work():
    try:
        print("works", flush=True)
        await asyncio.sleep(60)
    finally:
        print("stops", flush=True)
        await asyncio.sleep({stopping})

@click.command(cls=Verb, examples={{}})
def verb():
    process.run(work())

verb()
"""
BLOCKING = """
import click, time
from tinyforge.cli.verb import Verb

@click.command(cls=Verb, examples={{}})
def verb():
    try:
        print("works", flush=True)
        time.sleep(60)
    finally:
        print("stops", flush=True)
        time.sleep({stopping})

verb()
"""
STUBBORN = """
import asyncio, click, logging
from tinyforge.cli import Verbs, process
from tinyforge.cli.verb import Verb

class OneVerb(Verbs):
    def get_command(self, ctx, name):
        return verb

async def work():
    print("works", flush=True)
    while True:
        try:
            await asyncio.sleep(60)
        except BaseException:
            pass

@click.command(cls=Verb, examples={{}})
def verb():
    process._WORK_SECONDS = {stopping}
    logging.basicConfig(format="%(message)s")
    try:
        process.run(work())
    finally:
        print("stops")

OneVerb("tinyforge")(["work"])
"""


@pytest.fixture(params=[ASYNCHRONOUS, BLOCKING], ids=["in its event loop", "outside of it"])
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[(signal.SIGINT, 130), (signal.SIGTERM, 0)], ids=["SIGINT", "SIGTERM"])
def ending(request: pytest.FixtureRequest) -> tuple[signal.Signals, int]:
    number, exit_code = request.param
    return number, exit_code


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[str]"]]:
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        process.kill()
        process.communicate()


def start(code: str, stopping: float, started: list["subprocess.Popen[str]"]) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", code.format(stopping=stopping)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    started.append(process)
    assert process.stdout
    assert process.stdout.readline() == "works\n"
    return process


def test_the_first_signal_stops_a_verb_in_order(
    code: str, ending: tuple[signal.Signals, int], started: list["subprocess.Popen[str]"]
) -> None:
    process = start(code, 0.01, started)
    process.send_signal(ending[0])
    assert process.wait(timeout=5) == ending[1]
    assert process.communicate() == ("stops\n", "")


def test_the_second_signal_ends_a_verb_that_does_not_stop(
    code: str, ending: tuple[signal.Signals, int], started: list["subprocess.Popen[str]"]
) -> None:
    process = start(code, 60, started)
    process.send_signal(ending[0])
    assert process.stdout
    assert process.stdout.readline() == "stops\n"
    process.send_signal(ending[0])
    assert process.wait(timeout=5) == ending[1]
    assert process.communicate()[1] == ""


def test_p5_work_that_does_not_end_when_it_is_cancelled_is_left_behind_and_what_is_outside_of_it_is_done(
    ending: tuple[signal.Signals, int], started: list["subprocess.Popen[str]"]
) -> None:
    process = start(STUBBORN, 0.01, started)
    process.send_signal(ending[0])
    assert process.wait(timeout=5) == ending[1]
    assert process.communicate() == ("stops\n", "not ended when cancelled, and left behind: work\n")


def test_a_sigint_that_a_shell_had_ignored_is_obeyed(started: list["subprocess.Popen[str]"]) -> None:
    """A script's `tinyforge run &` starts with SIGINT ignored."""
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        process = start(ASYNCHRONOUS, 0.01, started)
    finally:
        signal.signal(signal.SIGINT, handler)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=5) == 130
