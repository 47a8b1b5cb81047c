"""`tinyforge ps --watch`, on a terminal and in a pipe."""

import signal
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Program
from tests.cli.index import HOSTILE, Index
from tests.cli.terminals import Terminal
from tests.servers.postgres import OwnPostgres, Postgres

GREEN = "\x1b[32m"


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    with closing(Terminal()) as terminal:
        yield terminal


def test_a_terminal_shows_the_table_and_its_changes_in_colour(program: Program, terminal: Terminal, index: Index) -> None:
    index.host()
    index.row("web")
    watch = program("ps", "--watch", stdout=terminal.program, TERM="xterm")
    terminal.read_until(f"{GREEN}running")
    index.sql("UPDATE tinyforge.containers SET state = 'stopped'")
    terminal.read_until("stopped")
    watch.send_signal(signal.SIGINT)
    assert watch.wait() == 130
    assert watch.communicate()[1] == ""


def test_a_terminal_shows_why_it_is_empty_until_it_is_not(program: Program, terminal: Terminal, index: Index) -> None:
    program("ps", "--watch", stdout=terminal.program, TERM="xterm")
    terminal.read_until("nothing is declared")
    index.host()
    index.row("web")
    terminal.read_until(f"{GREEN}running")


def test_more_rows_than_the_terminal_has_lines_are_counted(program: Program, terminal: Terminal, index: Index) -> None:
    index.host()
    for number in range(30):
        index.row(f"web{number}", container=f"{number:064d}")
    program("ps", "--watch", stdout=terminal.program, TERM="xterm", LINES="14", COLUMNS="120")
    terminal.read_until("and 20 more rows")


def test_hostile_text_moves_no_cursor(program: Program, terminal: Terminal, index: Index) -> None:
    index.host()
    index.row("web", image=HOSTILE)
    program("ps", "--watch", stdout=terminal.program, TERM="xterm", COLUMNS="200")
    assert "\x1b[31m" not in terminal.read_until("\\x1b[31mred")
    assert "\x07" not in terminal.seen


def test_a_pipe_gets_a_line_for_every_change_and_no_other(program: Program, index: Index) -> None:
    index.host()
    index.row("web", container="a" * 64)
    watch = program("ps", "--watch")
    assert watch.stdout
    assert watch.stdout.readline().split()[1:] == ["default/shop:web", "running", "a" * 12, "nginx:1", "local"]
    index.sql("UPDATE tinyforge.containers SET state = 'missing', state_reason = 'ContainerGone', missing_since = now()")
    assert "missing (ContainerGone)" in watch.stdout.readline()
    index.sql("DELETE FROM tinyforge.containers")
    assert "no such row any more" in watch.stdout.readline()
    watch.send_signal(signal.SIGINT)
    assert watch.wait() == 130
    assert watch.stdout.read() == ""


def test_sigterm_ends_it_as_done(program: Program, index: Index) -> None:
    index.host()
    index.row("web")
    watch = program("ps", "--watch")
    assert watch.stdout
    watch.stdout.readline()
    watch.terminate()
    assert watch.wait() == 0


def test_a_reader_that_goes_away_ends_it_quietly(program: Program, index: Index) -> None:
    index.host()
    index.row("web")
    watch = program("ps", "--watch")
    assert watch.stdout
    watch.stdout.readline()
    watch.stdout.close()
    watch.stdout = None
    index.sql("UPDATE tinyforge.containers SET state = 'stopped'")
    watch.wait()
    assert watch.communicate()[1] == ""


def test_fault_13_postgresql_restarted_is_said_once_and_survived(program: Program, own_postgres: OwnPostgres) -> None:
    index = Index(own_postgres, own_postgres.url)
    index.host()
    index.row("web")
    watch = program("ps", "--watch", TINYFORGE_DATABASE_URL=own_postgres.url)
    assert watch.stdout
    assert watch.stderr
    watch.stdout.readline()
    own_postgres.stop()
    assert "trying again" in watch.stderr.readline()
    own_postgres.start()
    index.sql("UPDATE tinyforge.containers SET state = 'stopped'")
    assert "stopped" in watch.stdout.readline()


def test_a_database_that_is_away_at_the_start_ends_it(program: Program, postgres_server: Postgres, tmp_path: Path) -> None:
    watch = program("ps", "--watch", TINYFORGE_DATABASE_URL=f"postgresql:///x?host={tmp_path}")
    assert watch.wait() == 1
    assert "Error: PostgreSQL" in watch.communicate()[1]
