"""`tinyforge explain`, asked of a real controller, and from a folder alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Tinyforge
from tests.cli.controllers import declare, running_controller
from tests.cli.index import HOSTILE, Index
from tests.servers.docker_engine import DockerEngine

STACK = {"com.docker.compose.project": "tinyforge-default_shop", "com.docker.compose.service": "web"}
KEYS = ["container", "host", "rule", "outcome", "workload", "row", "reason", "name", "labels"]


@pytest.fixture
def folder(docker_engine: DockerEngine, tmp_path: Path) -> Path:
    return declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"shop": "kind: stack", "blog": "kind: site"})


@pytest.fixture
def controller(index: Index, folder: Path) -> Iterator[None]:
    with running_controller(index.url, folder):
        yield


@pytest.mark.usefixtures("controller")
def test_a_matched_container_is_told_its_rule_row_and_labels(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    container = docker_engine.create("shop-web-1", {**STACK, "other": "label"})
    ended = tinyforge("explain", "shop-web-1", "--json")
    assert ended.exit_code == 0, ended
    assert list(ended.json) == KEYS
    assert ended.json == {
        "container": container,
        "host": "local",
        "rule": "M7",
        "outcome": "matched",
        "workload": "default/shop",
        "row": "default/shop:web",
        "reason": ended.json["reason"],
        "name": "shop-web-1",
        "labels": STACK,
    }
    shown = tinyforge("explain", container[:6]).stdout
    assert "matched by rule M7" in shown
    assert "default/shop:web" in shown


@pytest.mark.usefixtures("controller")
def test_an_ignored_container_is_told_what_was_looked_at(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    docker_engine.create("nobody")
    shown = tinyforge("explain", "nobody").stdout
    assert "ignored by rule M1" in shown
    assert "tinyforge.workload.id" in shown


@pytest.mark.usefixtures("controller")
def test_a_refused_container_is_told_why(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    docker_engine.create("liar", {"tinyforge.workload.id": "default/blog", "tinyforge.workload.kind": "stack"})
    shown = tinyforge("explain", "liar").stdout
    assert "refused by rule M4" in shown
    assert "default/blog" in shown


@pytest.mark.usefixtures("controller")
def test_a_displaced_container_is_told_by_which(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    docker_engine.create("old", STACK)
    winner = docker_engine.create("new", STACK, start=True)
    shown = tinyforge("explain", "old").stdout
    assert "displaced by rule M9" in shown
    assert winner[:12] in shown


@pytest.mark.usefixtures("controller")
def test_hostile_labels_are_shown_and_not_obeyed(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    docker_engine.create("evil", {**STACK, "tinyforge.note": HOSTILE})
    shown = tinyforge("explain", "evil").stdout
    assert "label tinyforge.note" in shown
    assert all(char.isprintable() for line in shown.splitlines() for char in line)
    assert tinyforge("explain", "evil", "--json").json["labels"]["tinyforge.note"] == HOSTILE


@pytest.mark.usefixtures("controller")
def test_fault_36_a_label_with_a_nul_is_explained_and_the_controller_goes_on(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    docker_engine.create("nul", {**STACK, "tinyforge.note": "a\0b"})
    assert tinyforge("explain", "nul", "--timeout", "5s").exit_code == 0
    assert tinyforge("sync").exit_code == 0


@pytest.mark.usefixtures("controller")
def test_several_containers_that_answer_are_listed(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    ids = [docker_engine.create()]
    while len(ids) == len({id_[0] for id_ in ids}):
        ids.append(docker_engine.create())
    alike = ids[-1][0]
    ended = tinyforge("explain", alike)
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert f"2 containers answer to {alike}" in ended.stderr
    assert all(id_ in ended.stderr for id_ in ids if id_[0] == alike)


@pytest.mark.usefixtures("controller")
def test_a_container_that_is_gone_is_told_by_the_row_it_left(tinyforge: Tinyforge, docker_engine: DockerEngine) -> None:
    container = docker_engine.create("web", STACK)
    assert tinyforge("sync").exit_code == 0
    docker_engine.remove_all()
    assert tinyforge("sync").exit_code == 0
    ended = tinyforge("explain", container[:12])
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert "row default/shop:web carries the id" in ended.stderr
    assert "missing (ContainerGone) since 20" in ended.stderr


def test_a_host_that_cannot_be_asked_is_named_with_the_reason(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests")):
        ended = tinyforge("explain", "web")
    assert ended.exit_code == 1
    assert "host local could not be asked: ConnectFailed" in ended.stderr


def test_without_a_controller_the_way_out_is_named(tinyforge: Tinyforge) -> None:
    ended = tinyforge("explain", "web")
    assert ended.exit_code == 1
    assert "no controller ever ran" in ended.stderr
    assert "explain -f FOLDER" in ended.stderr


def test_from_a_folder_no_controller_is_needed(tinyforge: Tinyforge, docker_engine: DockerEngine, folder: Path) -> None:
    docker_engine.create("shop-web-1", STACK)
    ended = tinyforge("explain", "shop-web-1", "-f", str(folder), "--json")
    assert ended.exit_code == 0, ended
    assert (ended.json["rule"], ended.json["row"]) == ("M7", "default/shop:web")


def test_from_a_folder_rows_are_those_of_the_database(
    tinyforge: Tinyforge, index: Index, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    folder = declare(tmp_path / "manifests", endpoint=docker_engine.endpoint, workloads={"app": "kind: project"})
    container = docker_engine.create("app", {"tinyforge.workload.id": "default/app"})
    assert tinyforge("explain", "app", "-f", str(folder), "--json").json["outcome"] == "ignored"
    index.row("made-by-its-deployer", workload="default/app", container=container)
    assert tinyforge("explain", "app", "-f", str(folder), "--json").json["row"] == "default/app:made-by-its-deployer"


def test_from_a_folder_a_database_that_is_away_is_said_and_done_without(
    tinyforge: Tinyforge, docker_engine: DockerEngine, folder: Path
) -> None:
    docker_engine.create("shop-web-1", STACK)
    for settings in ({"TINYFORGE_DATABASE_URL": None}, {"TINYFORGE_DATABASE_URL": "postgresql:///none?host=/nowhere"}):
        ended = tinyforge("explain", "shop-web-1", "-f", str(folder), **settings)
        assert ended.exit_code == 0, ended
        assert "matched by rule M7" in ended.stdout
        assert "rows and the installation's id are not looked at" in ended.stderr


def test_from_a_folder_bad_manifests_and_refused_workloads_are_said(
    tinyforge: Tinyforge, docker_engine: DockerEngine, folder: Path
) -> None:
    docker_engine.create("shop-web-1", STACK)
    (folder / "bad.yaml").write_text("kind: Nothing\n")
    (folder / "lost.yaml").write_text(
        "apiVersion: tinyforge.dev/v1alpha1\nkind: Workload\nmetadata: {name: lost}\nspec: {kind: site, host: gone}\n"
    )
    ended = tinyforge("explain", "shop-web-1", "-f", str(folder))
    assert ended.exit_code == 0, ended
    assert "bad.yaml:1: kind:" in ended.stderr
    assert "default/lost is refused" in ended.stderr


def test_from_a_folder_only_the_host_that_is_named_is_asked(tinyforge: Tinyforge, docker_engine: DockerEngine, folder: Path) -> None:
    docker_engine.create("shop-web-1", STACK)
    declare(folder, host="dead")
    assert "host dead could not be asked" in tinyforge("explain", "shop-web-1", "-f", str(folder)).stderr
    assert "dead" not in tinyforge("explain", "shop-web-1", "-f", str(folder), "--host", "local").stderr
    unknown = tinyforge("explain", "shop-web-1", "-f", str(folder), "--host", "web7")
    assert unknown.exit_code == 1
    assert 'no DockerHost "web7" is declared; declared are: dead, local' in unknown.stderr


def test_a_folder_that_is_missing_is_exit_code_1(tinyforge: Tinyforge) -> None:
    ended = tinyforge("explain", "web", "-f", "/nowhere/manifests")
    assert ended.exit_code == 1
    assert "/nowhere/manifests" in ended.stderr


@pytest.mark.parametrize("arguments", [[], [""], ["web\n"], ["\udcff"], ["web", "--host", "A"], ["web", "--timeout", "x"]])
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge("explain", *arguments)
    assert ended.exit_code == 2
    assert "Usage: tinyforge explain" in ended.stderr
