"""The newest `run` leads: it always can, and never where an operator does, unless it is told to."""

import asyncio

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from tests.index.conftest import Open, Sql
from tests.index.examples import complete
from tests.index.waiting import until
from tests.servers.postgres import Postgres
from tinyforge.index.database import PROGRAM
from tinyforge.index.leadership import Identity, claim, read_leader, release
from tinyforge.index.led import LedIndex, lead
from tinyforge.index.schema import migrate
from tinyforge.ports import IndexRefused, IndexUnavailable, Term

FENCE = "SELECT tinyforge.fence(%s, %s, %s)"


async def test_the_first_claim_takes_epoch_one_and_each_later_one_the_next(database_url: str, sql: Sql) -> None:
    for epoch in (1, 2, 3):
        identity = Identity.draw()
        assert await claim(database_url, identity) == Term(epoch=epoch, holder=identity.holder, session=identity.session)
        assert sql("SELECT name, epoch, holder, session, driver, lease, claimed_at <= now() FROM tinyforge.leaders") == [
            ("main", epoch, identity.holder, identity.session, "standalone", "", True)
        ]


async def test_claims_made_at_once_get_an_epoch_each_and_the_last_of_them_leads(database_url: str, sql: Sql) -> None:
    terms = await asyncio.gather(*(claim(database_url, Identity.draw()) for _ in range(5)))
    assert sorted(term.epoch for term in terms) == [1, 2, 3, 4, 5]
    last = max(terms, key=lambda term: term.epoch)
    assert sql("SELECT epoch, holder FROM tinyforge.leaders") == [(last.epoch, last.holder)]


def test_no_two_processes_have_one_identity_not_even_with_one_pid() -> None:
    drawn = [Identity.draw(prefix) for _ in range(50) for prefix in ("", "3f0e6f0a-56a1-4c0e-9d52-2f3e8f0f2b11")]
    assert len({it.holder for it in drawn}) == len({it.session for it in drawn}) == 100
    assert max(len(it.session.encode()) for it in drawn) <= 63, "PostgreSQL would cut the name"


async def test_a_claim_ends_nobody_elses_sessions(
    index: LedIndex, database_url: str, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    term, bystanders = index.term, []
    with postgres_server.database() as other:
        for url, name in ((database_url, "psql"), (postgres_server.url_of(other), term.session)):
            bystanders.append(await psycopg.AsyncConnection.connect(url, application_name=name, autocommit=True))
        async with await psycopg.AsyncConnection.connect(database_url, application_name=term.session) as frozen:
            await frozen.execute(FENCE, (term.epoch, term.holder, PROGRAM))
            await claim(database_url, Identity.draw())
            with pytest.raises(psycopg.OperationalError):
                await frozen.execute("SELECT 1")
        for connection in bystanders:
            await connection.execute("SELECT 1")
            await connection.close()


async def test_a_claim_that_nobody_lets_through_gives_up_and_says_why(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tinyforge.index.leadership._PATIENCE_SECONDS", 0.3)
    short_slices(monkeypatch)
    async with await psycopg.AsyncConnection.connect(database_url) as psql:
        await psql.execute("SELECT FROM tinyforge.leaders FOR UPDATE")
        with pytest.raises(IndexUnavailable, match="a lock in PostgreSQL was not free in time"):
            await claim(database_url, Identity.draw())


@pytest.mark.parametrize(
    ("driver", "lease", "holder", "who"),
    [
        ("operator", "uid-1/tinyforge", "pod-1", r"led by pod-1 \(driver operator under Lease uid-1/tinyforge\)"),
        ("operator", "uid-1/tinyforge", "", r"led by nobody just now \(driver operator under Lease uid-1/tinyforge\)"),
        ("other", "", "somebody", r"led by somebody \(driver other\)"),
    ],
)
async def test_a_database_that_another_driver_or_lease_leads_is_refused_and_taken_over_only_on_request(
    driver: str, lease: str, holder: str, who: str, database_url: str, sql: Sql
) -> None:
    sql("UPDATE tinyforge.leaders SET epoch = 4, holder = %s, driver = %s, lease = %s", holder, driver, lease)
    with pytest.raises(IndexRefused, match=who) as refused:
        await claim(database_url, Identity.draw())
    assert "--take-over" in str(refused.value)
    assert sql("SELECT epoch, holder FROM tinyforge.leaders") == [(4, holder)]
    assert (await claim(database_url, Identity.draw(), take_over=True)).epoch == 5
    assert sql("SELECT driver, lease FROM tinyforge.leaders") == [("standalone", "")]


async def test_without_its_row_nobody_leads_until_migrate_restores_it(database_url: str, sql: Sql) -> None:
    sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
    sql("DELETE FROM tinyforge.leaders")
    sql("ALTER TABLE tinyforge.leaders ENABLE TRIGGER ALL")
    with pytest.raises(IndexRefused, match=r"row of tinyforge\.leaders is gone; `tinyforge migrate` restores it"):
        await claim(database_url, Identity.draw())
    assert await migrate(database_url) == []
    assert (await claim(database_url, Identity.draw())).epoch == 1


async def test_a_leader_whose_row_is_gone_writes_nothing_and_names_what_restores_it(index: LedIndex, sql: Sql) -> None:
    sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
    sql("DELETE FROM tinyforge.leaders")
    with pytest.raises(IndexRefused, match="`tinyforge migrate` restores it"):
        await index.containers.complete(complete())


@pytest.mark.parametrize("statement", ["DELETE FROM tinyforge.leaders", "TRUNCATE tinyforge.leaders"])
def test_the_row_of_leaders_cannot_be_taken_away(statement: str, sql: Sql) -> None:
    with pytest.raises(psycopg.DatabaseError, match="never deleted"):
        sql(statement)
    assert sql("SELECT name FROM tinyforge.leaders") == [("main",)]


@pytest.mark.parametrize("change", ["epoch = epoch - 1", "epoch = 0", "name = 'other'"])
def test_the_epoch_never_decreases_and_stays_with_its_row(change: str, sql: Sql) -> None:
    sql("UPDATE tinyforge.leaders SET epoch = 7")
    with pytest.raises(psycopg.DatabaseError, match="never decreases"):
        sql(SQL("UPDATE tinyforge.leaders SET {}").format(SQL(change)).as_string())
    assert sql("SELECT name, epoch FROM tinyforge.leaders") == [("main", 7)]


async def test_whoever_stops_leading_leaves_the_row_without_a_holder_and_the_epoch_as_it_is(database_url: str, sql: Sql) -> None:
    leading = asyncio.Event()

    async def work() -> None:
        async with lead(database_url):
            leading.set()
            await asyncio.Event().wait()

    working = asyncio.create_task(work())
    await leading.wait()
    working.cancel()
    await asyncio.wait({working})
    assert sql("SELECT epoch, holder FROM tinyforge.leaders") == [(1, "")]


async def test_whoever_was_deposed_leaves_the_row_to_its_successor(database_url: str, opened: Open, sql: Sql) -> None:
    async with lead(database_url) as deposed:
        successor = await claim(database_url, Identity.draw())
    database = await opened(database_url)
    await database.run(lambda connection: release(connection, deposed.term))
    assert sql("SELECT epoch, holder FROM tinyforge.leaders") == [(successor.epoch, successor.holder)]


async def test_a_leader_is_alive_for_as_long_as_a_session_of_its_name_exists(database_url: str, opened: Open) -> None:
    database = await opened(database_url)
    identity = Identity.draw()
    assert not (await database.run(read_leader)).alive
    await claim(database_url, identity)
    async with await psycopg.AsyncConnection.connect(database_url, application_name=identity.session):
        assert (await database.run(read_leader)).alive

    async def dead() -> bool:
        return not (await database.run(read_leader)).alive

    await until(dead)


async def test_a_claim_on_a_server_that_does_not_answer_says_why() -> None:
    with pytest.raises(IndexUnavailable, match="No such file or directory"):
        await claim("host=/nowhere", Identity.draw())


async def test_a_role_that_may_only_read_and_write_rows_can_depose_its_own_kind(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    short_slices(monkeypatch)
    role = f"plain_{database_url.partition('?')[0].rpartition('_')[2]}"
    with psycopg.connect(database_url, autocommit=True) as admin:
        admin.execute(SQL("CREATE ROLE {} LOGIN").format(Identifier(role)))
        admin.execute(SQL("GRANT USAGE ON SCHEMA tinyforge TO {}").format(Identifier(role)))
        admin.execute(SQL("GRANT ALL ON ALL TABLES IN SCHEMA tinyforge TO {}").format(Identifier(role)))
        try:
            await _depose(psycopg.conninfo.make_conninfo(database_url, user=role))
        finally:
            admin.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
            admin.execute(SQL("DROP ROLE {}").format(Identifier(role)))


def short_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait a tenth of the time for whoever is in the way."""
    monkeypatch.setattr("tinyforge.index.claiming._SLICE_SECONDS", 0.1)


async def _depose(url: str) -> None:
    identity = Identity.draw()
    term = await claim(url, identity)
    async with await psycopg.AsyncConnection.connect(url, application_name=identity.session) as frozen:
        await frozen.execute(FENCE, (term.epoch, term.holder, PROGRAM))
        assert (await claim(url, Identity.draw())).epoch == 2
        with pytest.raises(psycopg.OperationalError):
            await frozen.commit()
