"""docs/plugins.md, block by block: its objects are read, its package is built, installed and tested, and what it shows is what is said."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.controllers import Controller, environment_of_a_user, tinyforge
from tests.e2e.manifests import Manifests
from tests.plugins.conftest import EXAMPLE
from tests.plugins.site import Site
from tests.servers.bare_machine import ROOT
from tests.servers.docker_engine import DockerEngine
from tinyforge.standalone.manifests.read import read_folder

NAMED = re.compile(r"# (\S+\.\w+)\n")
"""The first line of a block that is a file."""


class Block(NamedTuple):
    """A block of the page, and the title of the chapter that it is in."""

    chapter: str
    language: str
    text: str


def blocks() -> list[Block]:
    chapters = re.split(r"^## ", (ROOT / "docs/plugins.md").read_text(), flags=re.MULTILINE)
    return [
        Block(chapter.partition("\n")[0], language, text)
        for chapter in chapters
        for language, text in re.findall(r"^```(\w*)\n(.*?)^```$", chapter, re.MULTILINE | re.DOTALL)
    ]


def blocks_of(*languages: str, chapter: str = "") -> list[Block]:
    return [block for block in blocks() if block.language in languages and chapter in ("", block.chapter)]


def commands(block: Block) -> list[list[str]]:
    return [shlex.split(line.removeprefix("$ ")) for line in block.text.splitlines()]


def shape(text: str) -> list[list[str]]:
    """Lines by their words: a table's columns are as wide as what is in them."""
    return [line.split() for line in text.splitlines()]


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of the page, as somebody has it who copied its files."""
    folder = tmp_path_factory.mktemp("plugin") / "tinyforge-textfile"
    for block in blocks_of("toml", "python"):
        if name := NAMED.match(block.text):
            (folder / name[1]).parent.mkdir(parents=True, exist_ok=True)
            (folder / name[1]).write_text(block.text)
    return folder


@pytest.fixture(scope="module")
def installed(package: Path) -> Path:
    """A folder of packages with that package in it, installed as the page says, though beside nothing else."""
    folder = package.parent / "site-packages"
    (command,) = [each for block in blocks_of("console") for each in commands(block) if each[0] == "scripts/uv"]
    here = {"scripts/uv": str(ROOT / "scripts/uv"), ".venv/bin/python": sys.executable, "../tinyforge-textfile": str(package)}
    assert here.keys() < set(command)
    options = ["--quiet", "--offline", "--no-deps", "--target", str(folder)]
    subprocess.run([*(here.get(word, word) for word in command), *options], check=True)
    return folder


@pytest.fixture(scope="module")
def nightly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of packages with one whose plugin cannot be loaded."""
    site = Site(tmp_path_factory.mktemp("site-packages"))
    (site.folder / "their_nightly.py").write_text("import croniter\n")
    site.distribution("[tinyforge.sources]\nnightly = their_nightly:NightlySource\n", name="their-nightly")
    return site.folder


@pytest.fixture
def web_1(docker_engine: DockerEngine) -> Iterator[DockerEngine]:
    """The host of the page's workloads: one container of the shop runs there, from an older image than the page expects."""
    docker_engine.client.tag("busybox", "nginx", "1.26")
    docker_engine.create("shop-web-1", belonging_to("shop", "web"), image="nginx:1.26", ports=[80], start=True)
    yield docker_engine
    docker_engine.client.remove_image("nginx:1.26", force=True)


def written(folder: Path, chapter: str = "") -> Manifests:
    """The objects of a chapter, or of all, in a folder of manifests."""
    manifests = Manifests(folder)
    for number, block in enumerate(blocks_of("yaml", chapter=chapter)):
        manifests.write(f"{number}.yaml", block.text)
    return manifests


def test_every_block_is_of_a_language_that_is_looked_at_here() -> None:
    assert {block.language for block in blocks()} == {"yaml", "text", "console", "toml", "python"}
    assert {command[0] for block in blocks_of("console") for command in commands(block)} == {"tinyforge", "python", "scripts/uv"}


def test_its_objects_are_read_without_a_complaint(tmp_path: Path) -> None:
    found = read_folder(written(tmp_path / "manifests").folder)
    assert found.problems == ()
    assert {each.value.key.id.removeprefix("default/") for each in found.reading.workloads} == {
        *("shop", "blog"),
        *("mistyped-kind", "mistyped-field", "broken-plugin"),
    }


def test_its_trigger_is_the_one_of_the_example_that_is_built_and_tested() -> None:
    example = (EXAMPLE / "tinyforge_example/__init__.py").read_text()
    (trigger,) = [block for block in blocks_of("python") if not NAMED.match(block.text)]
    assert trigger.text in example


def test_its_source_passes_the_contract_by_the_command_that_it_names(package: Path, installed: Path) -> None:
    ((command,),) = [commands(block) for block in blocks_of("console", chapter="Test it")]
    ended = subprocess.run(
        [sys.executable, *command[1:], "-p", "no:cacheprovider"],
        cwd=package,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(installed), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert re.search(r"=== \d+ passed in", ended.stdout), "nothing is skipped"


@pytest.mark.parametrize(
    ("chapter", "beside"),
    [("The built-ins", None), ("What goes wrong, and what is said", "nightly"), ("Install it", "installed")],
    ids=["built-ins", "what goes wrong", "install"],
)
def test_what_it_shows_is_what_the_log_and_the_commands_say(
    chapter: str, beside: str | None, web_1: DockerEngine, database_url: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    manifests = written(tmp_path / "manifests", chapter)
    manifests.host("web-1", web_1.endpoint)
    environment = environment_of_a_user(
        TINYFORGE_DATABASE_URL=database_url,
        TINYFORGE_INTERVAL="100ms",
        TINYFORGE_LOG_FORMAT="text",
        PYTHONPATH=str(request.getfixturevalue(beside)) if beside else None,
    )
    with ExitStack() as started:
        run = Controller("-f", manifests.folder, environment=environment)
        started.callback(run.kill)
        answer = None
        for block in blocks_of("console", "text", chapter=chapter):
            if block.language == "console":
                answer = tinyforge(*commands(block)[-1][1:], environment=environment).stdout
            elif answer is not None:
                assert shape(answer) == shape(block.text)
                answer = None
            else:
                for line in map(without_time, block.text.splitlines()):
                    assert without_time(run.says(line)) == line


def without_time(line: str) -> str:
    """A line of the log from its level on."""
    return line.partition(" ")[2]
