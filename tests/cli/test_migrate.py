"""`tinyforge migrate`."""

from tests.cli.conftest import Tinyforge
from tinyforge.index.schema import migrations


def test_an_empty_database_gets_the_schema_and_the_second_time_nothing(tinyforge: Tinyforge, empty_database_url: str) -> None:
    first = tinyforge("migrate", TINYFORGE_DATABASE_URL=empty_database_url)
    assert first.exit_code == 0
    assert first.stdout.splitlines() == [f"applied {migration.id}" for migration in migrations()]
    second = tinyforge("migrate", TINYFORGE_DATABASE_URL=empty_database_url)
    assert (second.exit_code, second.stdout) == (0, "up to date\n")


def test_json_lists_what_was_applied(tinyforge: Tinyforge, empty_database_url: str) -> None:
    assert tinyforge("migrate", "--json", TINYFORGE_DATABASE_URL=empty_database_url).json == {"applied": [it.id for it in migrations()]}
    assert tinyforge("migrate", "--json", TINYFORGE_DATABASE_URL=empty_database_url).json == {"applied": []}


def test_a_database_that_is_away_is_one_line(tinyforge: Tinyforge) -> None:
    ended = tinyforge("migrate", TINYFORGE_DATABASE_URL="postgresql:///none?host=/nowhere")
    assert (ended.exit_code, ended.stdout) == (1, "")
    assert ended.stderr.startswith("Error: PostgreSQL: ")
    assert ended.stderr.count("\n") == 1


def test_an_argument_is_a_usage_error(tinyforge: Tinyforge) -> None:
    assert tinyforge("migrate", "now").exit_code == 2


def test_what_reads_a_database_without_a_schema_names_this_verb(tinyforge: Tinyforge, empty_database_url: str) -> None:
    for verb in (["ps"], ["hosts"], ["workloads"], ["sync"], ["explain", "web"], ["forget", "shop"]):
        ended = tinyforge(*verb, TINYFORGE_DATABASE_URL=empty_database_url)
        assert ended.exit_code == 1
        assert "`tinyforge migrate`" in ended.stderr, verb
