"""The first things that somebody does: the README's "Five minutes", command by command, and a run without anything."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.fresh_machine import CONTROL_C, FreshMachine
from tests.e2e.index import Index
from tests.servers.bare_machine import ROOT
from tests.servers.docker_engine import DockerEngine

CLONE = "git clone https://example.com/tinyforge.git && cd tinyforge"
DIFFERENT_EVERY_TIME = {
    r"\d\d:\d\d:\d\d": "TIME",
    r"\S+/\d+/[0-9a-f]{8}\b": "PROCESS",
    r"\b[0-9a-f]{12}\b": "CONTAINER",
    r"\b\d+ ?(ms|s)\b": "SPAN",
    r"\S+/psql\b": "psql",
}


def five_minutes() -> list[tuple[str, list[str]]]:
    """The blocks of that section: `console` with what one types, `text` with what one sees."""
    section = (ROOT / "README.md").read_text().partition("\n## Five minutes\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    return [(kind, [line.removeprefix("$ ") for line in text.splitlines()]) for kind, text in blocks]


def shape(lines: list[str]) -> list[str]:
    """Lines without what differs from one time to the next; a table's columns are as wide as what is in them."""
    text = "\n".join(lines)
    for pattern, name in DIFFERENT_EVERY_TIME.items():
        text = re.sub(pattern, name, text)
    return [re.sub(" +", " ", line) for line in text.splitlines()]


@pytest.fixture
def machine(docker_engine: DockerEngine, tmp_path: Path) -> Iterator[FreshMachine]:
    with closing(FreshMachine(docker_engine, tmp_path)) as machine:
        yield machine


def test_the_readmes_five_minutes_go_as_they_are_written(machine: FreshMachine, docker_engine: DockerEngine) -> None:
    (_, first), (_, start), (_, second), (_, table), (_, third) = five_minutes()
    assert first == [CLONE, "make run"]
    for name in ("db", "cache", "proxy"):
        docker_engine.create(name)
    machine.type("make run")
    assert shape(machine.see("containers listed").splitlines()) == shape(start)
    seen = machine.run([*second, *third])
    ps, stopped, gone = (printed.splitlines() for command, printed in seen.items() if command.endswith("tinyforge ps"))
    assert shape(ps) == shape(table)
    assert "stopped" in stopped[-1]
    assert "missing (ContainerGone)" in gone[-1]
    assert "outcome    ignored by rule M1" in seen["tinyforge explain stranger"]
    assert {line.split()[0] for line in seen["tinyforge doctor"].splitlines()} <= {"ok", "warn"}
    machine.press(CONTROL_C)
    machine.type("make run")
    again = machine.see("containers listed")
    assert "leads with epoch 2" in again
    assert "declared" not in again
    assert "missing (ContainerGone)" in machine.run([second[0], "tinyforge ps"])["tinyforge ps"]


def test_a_run_without_a_folder_says_how_many_containers_it_saw_and_why_it_manages_none(
    docker_engine: DockerEngine, start: Start, index: Index
) -> None:
    docker_engine.create("one")
    docker_engine.create("two")
    controller = start(DOCKER_HOST=docker_engine.endpoint)
    controller.says("host local: saw 2 containers and manages none, since no workload is declared for it")
    index.host_becomes("reachable")
    assert index.states() == {}
