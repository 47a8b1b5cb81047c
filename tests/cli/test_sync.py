"""`tinyforge sync`, answered by a real controller."""

from pathlib import Path

import pytest

from tests.cli.conftest import Tinyforge
from tests.cli.controllers import declare, running_controller
from tests.cli.index import Index
from tests.servers.docker_engine import DockerEngine

KEYS = ["host", "outcome", "reason", "message", "listed", "matched", "ignored", "written", "missing", "durationSeconds", "traceID"]


def test_a_pass_is_made_and_what_it_found_is_printed(
    tinyforge: Tinyforge, index: Index, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack"})
    with running_controller(index.url, folder):
        assert tinyforge("sync").exit_code == 0
        docker_engine.create("web", {"com.docker.compose.project": "tinyforge-default_shop", "com.docker.compose.service": "web"})
        docker_engine.create("nobody")
        ended = tinyforge("sync", "--host", "local")
        assert ended.exit_code == 0, ended
        assert ended.stdout.splitlines()[1].split()[:7] == ["local", "changed", "2", "1", "1", "1", "0"]
        (found,) = tinyforge("sync", "--json").json
        assert list(found) == KEYS
        assert (found["outcome"], found["listed"], found["durationSeconds"] > 0) == ("unchanged", 2, True)


def test_a_pass_that_failed_is_printed_and_is_exit_code_1(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests")):
        ended = tinyforge("sync")
        assert ended.exit_code == 1
        assert "ConnectFailed" in ended.stdout
        assert "tinyforge doctor" in ended.stderr
        assert tinyforge("sync", "--json").json[0]["reason"] == "ConnectFailed"


def test_no_host_is_no_failure_and_is_said(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    (tmp_path / "manifests").mkdir()
    with running_controller(index.url, tmp_path / "manifests"):
        ended = tinyforge("sync")
        assert (ended.exit_code, ended.stdout) == (0, "")
        assert "No host is declared" in ended.stderr
        assert tinyforge("sync", "--json").json == []


def test_a_host_that_is_not_declared_is_told_with_those_that_are(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests")):
        ended = tinyforge("sync", "--host", "web7")
        assert ended.exit_code == 1
        assert 'no DockerHost "web7" is declared; declared are: local' in ended.stderr


def test_without_a_controller_it_says_so_at_once(tinyforge: Tinyforge) -> None:
    ended = tinyforge("sync", "--timeout", "1h")
    assert ended.exit_code == 1
    assert "no controller ever ran on this database" in ended.stderr


def test_with_a_controller_that_is_gone_it_says_since_when(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests")):
        pass
    ended = tinyforge("sync")
    assert ended.exit_code == 1
    assert "no controller runs on this database" in ended.stderr
    assert "last heard of at 20" in ended.stderr


@pytest.mark.parametrize(
    "arguments", [["--timeout", "soon"], ["--timeout", "0"], ["--timeout", "-1s"], ["--timeout", "2h"], ["--host", ""]]
)
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge("sync", *arguments)
    assert ended.exit_code == 2
    assert "Usage: tinyforge sync" in ended.stderr
