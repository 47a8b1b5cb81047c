"""`tinyforge leader`, where nobody is elected by a Lease; `tests/operator/test_leader_verb.py` has the replicas of a cluster."""

from pathlib import Path

from tests.cli.conftest import Tinyforge
from tests.cli.controllers import declare, running_controller
from tests.cli.index import HOSTILE, Index


def test_it_says_who_leads_without_a_word_about_leases(tinyforge: Tinyforge, index: Index, tmp_path: Path) -> None:
    with running_controller(index.url, declare(tmp_path / "manifests")):
        ended = tinyforge("leader")
    assert ended.exit_code == 0, ended
    ((holder,),) = index.sql("SELECT session FROM tinyforge.leaders")
    said = [line.split()[0] for line in ended.stdout.splitlines()]
    assert said == ["leader", "epoch", "since", "driver", "lease", "standbys"]
    assert "standalone" in ended.stdout
    assert holder


def test_where_nobody_ever_led_it_says_so_and_ends_with_1(tinyforge: Tinyforge) -> None:
    ended = tinyforge("leader")
    assert ended.exit_code == 1
    assert ended.stderr == "Error: nobody leads: no controller ever ran on this database; start one with `tinyforge run -f FOLDER`\n"
    document = tinyforge("leader", "--json")
    assert (document.exit_code, document.json["leads"], document.json["epoch"], document.json["since"]) == (1, False, 0, None)


def test_where_nobody_leads_any_more_it_says_since_when(tinyforge: Tinyforge, index: Index) -> None:
    index.sql(
        "UPDATE tinyforge.leaders SET epoch = 7, holder = 'pod-1/ab12', session = 'gone', driver = 'operator',"
        " claimed_at = '2026-01-02 03:04Z'"
    )

    ended = tinyforge("leader")
    assert ended.exit_code == 1
    assert "nobody; last: pod-1/ab12" in ended.stdout
    assert "Error: nobody leads: pod-1/ab12 was last heard of at 2026-01-02 " in ended.stderr
    index.sql("UPDATE tinyforge.leaders SET holder = ''")
    assert "whoever led last was last heard of at 2026-01-02 " in tinyforge("leader").stderr


def test_a_holder_is_nobodys_terminal(tinyforge: Tinyforge, index: Index) -> None:
    index.sql("UPDATE tinyforge.leaders SET epoch = 7, holder = %s, session = 'pretender', claimed_at = now()", HOSTILE)
    with index.session("pretender"):
        ended = tinyforge("leader")
    assert ended.exit_code == 0
    assert "\x1b" not in ended.stdout
    assert "\\x1b[31mred" in ended.stdout


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("leader", "who").exit_code == 2
