"""`tinyforge ps`, as a person and as a script reads it."""

from datetime import datetime

import pytest

from tests.cli.conftest import Tinyforge
from tests.cli.index import HOSTILE, Index


def test_a_row_is_shown_with_what_a_person_asks_about_it(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.row("web", container="f" * 64)
    ended = tinyforge("ps")
    assert ended.exit_code == 0
    titles, line = ended.stdout.splitlines()
    assert titles.split() == ["WORKLOAD", "ROLE", "STATE", "CONTAINER", "IMAGE", "PORT", "HOST", "SEEN"]
    assert line.split() == ["default/shop", "web", "running", "f" * 12, "nginx:1", "80", "local", "1m"]


def test_t1_missing_and_unknown_are_told_apart_and_say_why(tinyforge: Tinyforge, index: Index) -> None:
    index.host("local")
    index.host("away", state="unreachable", reason="Timeout")
    index.row("stopped", state="stopped", container="a" * 64)
    index.row("missing", state="missing", container="b" * 64)
    index.row("unknown", host="away", container="c" * 64)
    lines = {line.split()[1]: line for line in tinyforge("ps").stdout.splitlines()}
    assert " stopped  " in lines["stopped"]
    assert "missing (ContainerGone)" in lines["missing"]
    assert "unknown (HostUnreachable)" in lines["unknown"]


def test_t1_a_pass_that_is_too_old_makes_a_row_unknown_and_its_age_readable(tinyforge: Tinyforge, index: Index) -> None:
    index.host(seconds_ago=600)
    index.row()
    line = tinyforge("ps").stdout.splitlines()[1]
    assert "unknown (Stale)" in line
    assert line.endswith("10m")


def test_nobody_leading_is_said_beside_the_rows(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.row()
    ended = tinyforge("ps")
    assert "No controller ever ran" in ended.stderr
    assert "tinyforge run" in ended.stderr


@pytest.mark.parametrize(
    ("options", "roles"),
    [
        (["--workload", "shop"], ["db", "web"]),
        (["--workload", "team/blog"], ["blog"]),
        (["--host", "other"], ["blog"]),
        (["--state", "missing"], ["db"]),
        (["--workload", "default/shop", "--state", "running"], ["web"]),
    ],
)
def test_options_choose_the_rows(options: list[str], roles: list[str], tinyforge: Tinyforge, index: Index) -> None:
    index.host("local")
    index.host("other")
    index.row("web", container="a" * 64)
    index.row("db", state="missing", container="b" * 64)
    index.row("blog", workload="team/blog", host="other", container="c" * 64)
    assert sorted(row["role"] for row in tinyforge("ps", "--json", *options).json) == roles


def test_json_has_every_column_of_the_view_and_times_with_their_offset(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.row("web", state="missing")
    (row,) = tinyforge("ps", "--json").json
    columns = index.sql("SELECT column_name FROM information_schema.columns WHERE table_name = 'container_status'")
    assert sorted(row) == sorted(name for (name,) in columns)
    assert row["effective_state"] == "missing"
    assert datetime.fromisoformat(row["missing_since"]).tzinfo is not None
    assert row["proxy_route_id"] == ""


def test_json_of_nothing_is_an_empty_array(tinyforge: Tinyforge) -> None:
    ended = tinyforge("ps", "--json")
    assert (ended.exit_code, ended.json, ended.stderr) == (0, [], "")


def test_hostile_text_reaches_no_terminal_as_a_command(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.row("web", image=HOSTILE)
    shown = tinyforge("ps").stdout
    assert all(char.isprintable() for line in shown.splitlines() for char in line)
    assert "\\x1b[31mred" in shown
    assert "[bold]x[/bold]:smile:" in shown


def test_hostile_text_is_whole_in_json_and_harmless_on_the_way(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.row("web", image=HOSTILE)
    ended = tinyforge("ps", "--json")
    assert ended.json[0]["image_ref"] == HOSTILE
    assert ended.stdout.isascii()
    assert "\x1b" not in ended.stdout


def test_nothing_is_cut_in_a_pipe(tinyforge: Tinyforge, index: Index) -> None:
    image = f"registry.example.com/{'long/' * 60}name:tag"
    index.host()
    index.row("web", image=image)
    assert any(image in line for line in tinyforge("ps").stdout.splitlines())


def test_an_empty_index_without_a_controller_says_to_start_one(tinyforge: Tinyforge) -> None:
    ended = tinyforge("ps")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "nothing is declared" in ended.stderr
    assert "tinyforge run -f" in ended.stderr


def test_an_empty_index_without_workloads_says_to_declare_some(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    ended = tinyforge("ps")
    assert "no workload is declared" in ended.stderr
    assert "tinyforge explain" in ended.stderr


def test_an_empty_index_with_workloads_says_that_no_container_is_theirs(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.workload()
    assert "no container carries their labels" in tinyforge("ps").stderr


def test_an_empty_index_with_a_silent_host_says_which_and_why(tinyforge: Tinyforge, index: Index) -> None:
    index.host("far", state="unreachable", reason="ConnectFailed")
    index.workload(host="far")
    ended = tinyforge("ps")
    assert "host far is unreachable (ConnectFailed)" in ended.stderr
    assert "tinyforge doctor" in ended.stderr


def test_a_workload_that_does_not_exist_is_told_with_those_that_do(tinyforge: Tinyforge, index: Index) -> None:
    index.workload("default/shop")
    ended = tinyforge("ps", "--workload", "shpo")
    assert "no workload default/shpo" in ended.stderr
    assert "default/shop" in ended.stderr


def test_a_host_that_does_not_exist_is_told_with_those_that_do(tinyforge: Tinyforge, index: Index) -> None:
    index.host("web1")
    assert "no host web2; there are: web1" in tinyforge("ps", "--host", "web2").stderr


def test_no_row_in_a_state_is_no_failure(tinyforge: Tinyforge, index: Index) -> None:
    index.host()
    index.row()
    ended = tinyforge("ps", "--state", "failed")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "No row is so" in ended.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--state", "happy"],
        ["--workload", "a/b/c"],
        ["--workload", "Shop"],
        ["--host", "a_b"],
        ["--host", "\udcff"],
        ["--watch", "--json"],
        ["x"],
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(arguments: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge("ps", *arguments)
    assert ended.exit_code == 2
    assert "Usage: tinyforge ps" in ended.stderr
