"""The PostgreSQL fixtures keep what they promise to everybody else's tests."""

import psycopg
import pytest

from tests.servers.postgres import OwnPostgres, Postgres


def test_a_database_has_the_schema(database_url: str, postgres_server: Postgres) -> None:
    assert postgres_server.sql("SELECT to_regclass('tinyforge.containers') IS NOT NULL", url=database_url) == [(True,)]


def test_an_empty_database_has_no_schema(empty_database_url: str, postgres_server: Postgres) -> None:
    assert postgres_server.sql("SELECT to_regnamespace('tinyforge') IS NULL", url=empty_database_url) == [(True,)]


@pytest.mark.parametrize("turn", [1, 2])
def test_every_test_has_a_database_of_its_own(turn: int, database_url: str, postgres_server: Postgres) -> None:
    postgres_server.sql("CREATE TABLE mine (turn int)", url=database_url)


async def test_a_database_serves_an_asynchronous_test(database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute("SELECT 1")
        assert await cursor.fetchone() == (1,)


@pytest.mark.parametrize("end", ["smart", "fast", "immediate", "kill"])
def test_what_was_committed_survives_any_end_of_an_own_server(end: str, own_postgres: OwnPostgres) -> None:
    own_postgres.sql("CREATE TABLE kept (name text)")
    own_postgres.sql("INSERT INTO kept VALUES (%s)", end)
    if end == "kill":
        own_postgres.kill()
    else:
        own_postgres.stop(end)  # type: ignore[arg-type] # the parameters above are the modes
    with pytest.raises(psycopg.OperationalError):
        own_postgres.sql("SELECT")
    own_postgres.start()
    assert own_postgres.sql("SELECT name FROM kept") == [(end,)]
