"""`tinyforge forget`, answered by a real controller."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Tinyforge
from tests.cli.controllers import declare, running_controller
from tests.cli.index import Index


@pytest.fixture
def controller(index: Index, tmp_path: Path) -> Iterator[None]:
    with running_controller(index.url, declare(tmp_path / "manifests", workloads={"shop": "kind: stack"})):
        index.row("web", container="a" * 64, state="stopped")
        index.row("db", container="b" * 64, state="missing")
        index.row("worker", container="c" * 64, state="missing")
        index.row("routed", container="d" * 64, state="missing", stage="production")
        yield


@pytest.mark.usefixtures("controller")
def test_missing_rows_go_and_a_deployers_are_kept_and_both_are_named(tinyforge: Tinyforge, index: Index) -> None:
    ended = tinyforge("forget", "shop")
    assert ended.exit_code == 0, ended
    assert ended.stdout.splitlines() == ["deleted  default/shop:db", "deleted  default/shop:worker", "kept  default/shop:routed"]
    assert "deployer" in ended.stderr
    assert index.sql("SELECT role FROM tinyforge.containers ORDER BY role") == [("routed",), ("web",)]


@pytest.mark.usefixtures("controller")
def test_a_role_chooses_its_rows_alone(tinyforge: Tinyforge) -> None:
    assert tinyforge("forget", "default/shop", "--role", "db", "--json").json == {"deleted": ["default/shop:db"], "kept": []}


@pytest.mark.usefixtures("controller")
def test_nothing_to_forget_is_no_failure_and_is_said(tinyforge: Tinyforge) -> None:
    ended = tinyforge("forget", "team/other", "--role", "web")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "no row of team/other, role web is missing" in ended.stderr


def test_without_a_controller_it_says_so(tinyforge: Tinyforge) -> None:
    ended = tinyforge("forget", "shop")
    assert ended.exit_code == 1
    assert "no controller ever ran" in ended.stderr


@pytest.mark.parametrize("arguments", [[], ["Shop"], ["a/b/c"], ["shop\n"], ["shop", "--role", ""], ["shop", "--role", "a\nb"]])
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], tinyforge: Tinyforge) -> None:
    """An empty role above all: a script whose variable is empty must not forget every role."""
    ended = tinyforge("forget", *arguments)
    assert ended.exit_code == 2
    assert "Usage: tinyforge forget" in ended.stderr
