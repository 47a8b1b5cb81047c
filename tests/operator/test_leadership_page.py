"""What the page about several replicas says goes as it is written, and it speaks of every fault of a leader."""

import socket

import pytest

from tests.operator.test_readme import PAGE, Walker, clone, walk
from tests.operator.walk import blocks
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes import ROOT
from tinyforge.domain.lease import LeaseTimes
from tinyforge.settings import Settings

__all__ = ["clone", "walk"]

LEADERSHIP = (ROOT / "docs/leadership.md").read_text()
FAULTS = {*range(1, 13), 14, 16, 19, 20}


@pytest.fixture
def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.mark.timeout(240)
def test_the_page_about_several_replicas_goes_as_it_is_written(walk: Walker, free_port: int, docker_engine: DockerEngine):
    somebody = walk(docker_engine, {"127.0.0.1:8081": f"127.0.0.1:{free_port}"})
    somebody.go(blocks(PAGE, section="Install"))
    somebody.go(blocks(LEADERSHIP))


def test_every_fault_of_a_leader_has_its_row():
    rows = [line.split(" | ")[0].removeprefix("| ") for line in LEADERSHIP.splitlines() if line.startswith("| ")]
    assert {int(row) for row in rows if row.isdigit()} == FAULTS


def test_the_numbers_of_the_page_are_those_of_the_settings():
    settings, times = Settings(), LeaseTimes()
    for name in ("duration", "renew_deadline", "retry_period", "request_timeout"):
        assert f"| `TINYFORGE_LEASE_{name.upper()}` | {getattr(times, name):g} s |" in LEADERSHIP
        assert getattr(settings.lease_times, name) == getattr(times, name)
    assert f"| `TINYFORGE_DRAIN` | {settings.drain:g} s |" in LEADERSHIP
    assert f"{times.survived_outage:g}s without the API server" in LEADERSHIP
