"""How a verb ends when something is wrong: one clear line, and the exit code that says whose fault it was."""

import signal
from pathlib import Path

import pytest

from tests.cli.conftest import Program, Tinyforge
from tests.cli.index import Index

READERS = (["ps"], ["hosts"], ["workloads"], ["sync"], ["explain", "web"], ["forget", "shop"])


@pytest.mark.parametrize("verb", READERS, ids=lambda verb: verb[0])
def test_where_nothing_ran_yet_a_verb_says_so_and_makes_no_database(verb: list[str], tinyforge: Tinyforge, tmp_path: Path) -> None:
    ended = tinyforge(*verb, TINYFORGE_DATABASE_URL=None, TINYFORGE_DATA=str(tmp_path / "data"))
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert f"nothing has run yet: there is no database in {tmp_path / 'data'}" in ended.stderr
    assert "tinyforge run" in ended.stderr
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("verb", [["sync"], ["explain", "web"], ["forget", "shop"], ["migrate"], ["ps"]], ids=lambda verb: verb[0])
def test_a_database_that_is_away_is_one_line_without_a_traceback(verb: list[str], tinyforge: Tinyforge) -> None:
    ended = tinyforge(*verb, TINYFORGE_DATABASE_URL="postgresql:///none?host=/nowhere")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: PostgreSQL: ")
    assert "/nowhere" in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_settings_that_cannot_be_used_are_exit_code_2_whatever_the_verb(tinyforge: Tinyforge) -> None:
    for verb in (*READERS, ["migrate"], ["settings"], ["doctor"], ["run"]):
        ended = tinyforge(*verb, TINYFORGE_INTERVAL="soon")
        assert (ended.exit_code, ended.stdout) == (2, ""), verb
        assert "TINYFORGE_INTERVAL: 'soon' is not a duration" in ended.stderr


def test_a_reader_that_goes_away_is_no_error(program: Program, index: Index) -> None:
    index.host()
    index.sql(
        "INSERT INTO tinyforge.containers (id, workload_id, workload_kind, host)"
        " SELECT 'row' || n, 'default/shop', 'stack', 'local' FROM generate_series(1, 5000) AS n"
    )
    for arguments in (["ps"], ["ps", "--json"]):
        ps = program(*arguments)
        assert ps.stdout
        ps.stdout.readline()
        ps.stdout.close()
        ps.stdout = None
        assert "Error" not in ps.communicate()[1]


def test_a_full_disk_behind_stdout_is_one_line(program: Program, index: Index) -> None:
    index.host()
    index.row()
    with open("/dev/full", "w") as full:
        ps = program("ps", stdout=full)
        _, said = ps.communicate()
    assert ps.returncode == 1
    assert "Error: [Errno 28]" in said
    assert "Traceback" not in said


def test_a_terminal_without_utf_8_gets_what_it_can_show(program: Program, index: Index, tmp_path: Path) -> None:
    index.host()
    index.row(image="naïve/日本")
    with (tmp_path / "shown").open("wb") as file:
        ps = program("ps", stdout=file, PYTHONIOENCODING="latin-1")
        _, said = ps.communicate()
    assert ps.returncode == 0, said
    assert "naïve/\\u65e5\\u672c" in (tmp_path / "shown").read_text("latin-1")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 0)])
def test_a_signal_while_an_answer_is_awaited_ends_it_at_once(number: signal.Signals, code: int, program: Program, index: Index) -> None:
    index.sql("UPDATE tinyforge.leaders SET epoch = 1, holder = 'me', session = 'pretender', claimed_at = now()")
    with index.session("pretender"):  # makes a leader that never answers look alive
        sync = program("sync", "--timeout", "1h")
        index.wait_until("SELECT count(*) = 1 FROM tinyforge.sync_requests")
        sync.send_signal(number)
        assert sync.wait(timeout=5) == code
    assert sync.communicate() == ("", "")
