"""`tinyforge hosts`."""

from datetime import datetime

from tests.cli.conftest import Tinyforge
from tests.cli.index import HOSTILE, Index


def test_a_host_is_shown_with_its_state_its_counts_and_their_age(tinyforge: Tinyforge, index: Index) -> None:
    index.host("web1")
    titles, line = tinyforge("hosts").stdout.splitlines()
    assert titles.split() == ["HOST", "STATE", "CONTAINERS", "MANAGED", "CHECKED", "ENGINE", "ENDPOINT", "WHY"]
    assert line.split() == ["web1", "reachable", "7", "3", "1m", "20.10", "unix:///nowhere.sock", "-"]


def test_a_host_that_does_not_answer_says_why(tinyforge: Tinyforge, index: Index) -> None:
    index.host("web1", state="unreachable", reason="Timeout", message="no whole answer within 20 s")
    assert "unreachable (Timeout)" in tinyforge("hosts").stdout
    assert "no whole answer within 20 s" in tinyforge("hosts").stdout


def test_t1_a_host_nobody_looks_at_any_more_is_stale(tinyforge: Tinyforge, index: Index) -> None:
    index.host("web1", seconds_ago=7200)
    assert tinyforge("hosts").stdout.splitlines()[1].split()[:5] == ["web1", "stale", "7", "3", "2h"]


def test_json_has_the_facts_and_times_with_their_offset(tinyforge: Tinyforge, index: Index) -> None:
    index.host("web1")
    index.host("web2", state="suspended", reason="HostSuspended")
    one, two = tinyforge("hosts", "--json").json
    assert (one["name"], one["state"], one["engine_id"], one["stale"]) == ("web1", "reachable", "ENGINE", False)
    assert datetime.fromisoformat(one["last_complete_pass_at"]).tzinfo is not None
    assert two["state_reason"] == "HostSuspended"


def test_hostile_text_is_written_out(tinyforge: Tinyforge, index: Index) -> None:
    index.host("web1", state="unreachable", reason="Timeout", message=HOSTILE)
    shown = tinyforge("hosts").stdout
    assert "\\x1b[31mred" in shown
    assert "\x1b" not in shown


def test_no_host_says_what_to_do(tinyforge: Tinyforge) -> None:
    ended = tinyforge("hosts")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert "tinyforge run" in ended.stderr
    assert tinyforge("hosts", "--json").json == []


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("hosts", "web1").exit_code == 2
