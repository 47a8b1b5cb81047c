"""The README's section about traces, command by command, and docs/traces.md, attribute by attribute."""

import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.fresh_machine import FreshMachine
from tests.operator.walk import Block, blocks
from tests.servers.bare_machine import ROOT
from tests.servers.docker_engine import DockerEngine
from tests.servers.jaeger import PORTS

README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs/traces.md").read_text()
FOLDERS = ("reconcile", "election", "cli/alone.py")
DIFFERENT_EVERY_TIME = {
    r"\b[0-9a-f]{32}\b": "TRACE",
    r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+Z| UTC)": "TIME",
    r"\d\d:\d\d:\d\d": "TIME",
    r"\b\d+(\.\d+)?m?s\b": "SPAN",
    " +": " ",
}
OTHERS = {"tinyforge.hosts", "tinyforge.containers", "tinyforge.election", "tinyforge.dispatch.dropped"}
"""What looks like an attribute and is a table, the name of a tracer, or a mark that no collector sees."""
ATTRIBUTE = re.compile(r'"((?:tinyforge|http|server|db|error|k8s|exception)\.[a-z_.]+)"')


@pytest.fixture
def machine(docker_engine: DockerEngine, tmp_path: Path, jaeger_program: str) -> Iterator[FreshMachine]:
    """A fresh machine with a loopback network, on which Jaeger was built before."""
    with closing(FreshMachine(docker_engine, tmp_path)) as machine:
        machine.run(["ip link set lo up"])
        yield machine


def typed(block: Block) -> list[str]:
    """What one types."""
    return [line.removeprefix("$ ") for line in block.text.splitlines()]


def shape(text: str) -> list[str]:
    """Lines without what differs from one time to the next."""
    for pattern, name in DIFFERENT_EVERY_TIME.items():
        text = re.sub(pattern, name, text)
    return text.strip().splitlines()


def test_the_readmes_section_about_traces_goes_as_it_is_written(machine: FreshMachine, tmp_path: Path) -> None:
    _, built, manifest, start, warning, second, tree = blocks(README, section="Traces")
    machine.run(typed(built))
    (tmp_path / manifest.text.partition("\n")[0].removeprefix("# ")).write_text(manifest.text)
    export, run = typed(start)
    machine.type(f"env {export.removeprefix('export ')} {run}")
    assert shape(machine.see("dispatch failed").splitlines()[-1]) == shape(warning.text)
    seen = machine.run([*typed(second), "tinyforge trace web --json", "tinyforge workloads"])
    shown = seen["tinyforge trace web"]
    assert shape(shown) == shape(tree.text)
    assert shown.split()[1] in seen["tinyforge workloads"]
    keys = {key for span in json.loads(seen["tinyforge trace web --json"]) for key in span["attributes"]}
    assert {key for key in keys if not key.startswith("internal.") and not is_told(key)} == set()


def test_the_image_that_the_readme_names_is_the_jaeger_that_is_tested_with_the_ports_that_it_listens_on() -> None:
    (command,) = typed(blocks(README, section="Traces")[0])
    (version,) = re.findall(r"^version=(\S+)", (ROOT / "scripts/jaeger").read_text(), re.MULTILINE)
    published = {PORTS[f"{what}.host-port"] for what in ("query.http-server", "collector.otlp.http")}
    assert command.endswith(f" jaegertracing/all-in-one:{version}")
    assert {int(port) for port in re.findall(r"-p (\d+):\1 ", command)} == published


def test_every_attribute_that_a_span_may_have_is_on_the_page() -> None:
    files = [file for folder in FOLDERS for file in _files(ROOT / "controller/tinyforge" / folder)]
    keys = {key for file in files for key in ATTRIBUTE.findall(file.read_text())}
    assert len(keys) > 30
    assert {key for key in keys - OTHERS if not key.startswith("exception.") and not is_told(key)} == set()


def is_told(key: str) -> bool:
    """Whether the page has an attribute, by its whole name or behind one that begins as it does."""
    group, _, last = key.rpartition(".")
    return f"`{key}`" in PAGE or (f"`{group}." in PAGE and f"`.{last}`" in PAGE)


def _files(place: Path) -> list[Path]:
    return [place] if place.is_file() else sorted(place.rglob("*.py"))
