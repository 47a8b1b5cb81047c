"""A term that was won by a Lease is claimed with the Lease's epoch: once, whatever is lost on the way, and never over a newer one."""

import asyncio
import itertools
from collections.abc import Callable

import psycopg
import pytest

from tests.index.conftest import Sql
from tests.index.link import link
from tests.index.test_claims import short_slices
from tests.index.waiting import until, until_blocked
from tests.servers.postgres import OwnPostgres
from tinyforge.index.database import PROGRAM
from tinyforge.index.leadership import OPERATOR, EpochClaiming, Identity, claim
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable, Term

LEASE = "uid-1/tinyforge"
ROW = "SELECT epoch, holder, session, driver, lease FROM tinyforge.leaders"


def claiming(url: str, identity: Identity | None = None, *, lease: str = LEASE, take_over: bool = False) -> EpochClaiming:
    return EpochClaiming(conninfo=url, identity=identity or Identity.draw(), driver=OPERATOR, lease=lease, take_over=take_over)


def never() -> bool:
    return False


def after(times: int) -> Callable[[], bool]:
    """Give up when asked for the nth time."""
    count = itertools.count(1)
    return lambda: next(count) >= times


async def test_an_epoch_is_claimed_with_holder_session_driver_and_lease_and_told(database_url: str, sql: Sql) -> None:
    identity = Identity.draw()
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listening:
        await listening.execute("LISTEN tinyforge_leaders")
        term = await claiming(database_url, identity).claim(7, give_up=never)
        assert [notify.payload async for notify in listening.notifies(timeout=5, stop_after=1)] == [identity.holder]
    assert term == Term(epoch=7, holder=identity.holder, session=identity.session, driver="operator", lease=LEASE)
    assert sql(ROW) == [(7, identity.holder, identity.session, "operator", LEASE)]


async def test_fault_12_an_epoch_is_claimed_again_by_whoever_has_it_and_that_ends_none_of_its_sessions(
    database_url: str, sql: Sql, psql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    short_slices(monkeypatch)
    identity = Identity.draw()
    await claiming(database_url, identity).claim(7, give_up=never)  # its answer may have been lost
    async with await psycopg.AsyncConnection.connect(database_url, application_name=identity.session, autocommit=True) as own:
        psql.execute("SELECT pg_advisory_xact_lock_shared(8388357248642937447)")  # somebody stands in the way for a while
        again = asyncio.create_task(claiming(database_url, identity).claim(7, give_up=never))
        await asyncio.sleep(0.3)
        psql.rollback()
        assert (await again).epoch == 7
        await own.execute("SELECT 1")
    assert sql(ROW)[0][:2] == (7, identity.holder)


@pytest.mark.parametrize("epoch", [6, 7])
async def test_over_a_newer_epoch_or_the_same_in_other_hands_nobody_claims(epoch: int, database_url: str, sql: Sql) -> None:
    first = await claiming(database_url).claim(7, give_up=never)
    with pytest.raises(Fenced, match=f"{first.holder} took over with epoch 7; this process had epoch {epoch}"):
        await claiming(database_url).claim(epoch, give_up=never)
    assert sql(ROW)[0][:2] == (7, first.holder)


async def test_of_many_who_claim_one_epoch_at_once_one_has_it(database_url: str, sql: Sql) -> None:
    claims = [claiming(database_url).claim(7, give_up=never) for _ in range(8)]
    ended = await asyncio.gather(*claims, return_exceptions=True)
    (term,) = [it for it in ended if isinstance(it, Term)]
    assert [type(it) for it in ended].count(Fenced) == 7
    assert sql(ROW)[0][:2] == (7, term.holder)


@pytest.mark.parametrize(
    ("driver", "lease", "holder", "who"),
    [
        ("operator", "uid-2/tinyforge", "pod-1", r"led by pod-1 \(driver operator under Lease uid-2/tinyforge\)"),
        ("operator", "uid-1/other", "", r"led by nobody just now \(driver operator under Lease uid-1/other\)"),
        ("standalone", "", "somebody", r"led by somebody \(driver standalone\)"),
    ],
)
async def test_fault_10_a_database_of_another_lease_or_driver_is_refused_with_who_leads_it_and_taken_over_only_on_request(
    driver: str, lease: str, holder: str, who: str, database_url: str, sql: Sql
) -> None:
    sql("UPDATE tinyforge.leaders SET epoch = 4, holder = %s, driver = %s, lease = %s", holder, driver, lease)
    with pytest.raises(IndexRefused, match=who) as refused:
        await claiming(database_url).claim(9, give_up=never)
    assert not isinstance(refused.value, Fenced)
    assert "--take-over" in str(refused.value)
    assert sql(ROW)[0][:2] == (4, holder)
    await claiming(database_url, take_over=True).claim(9, give_up=never)
    assert sql(ROW)[0][3:] == ("operator", LEASE)


async def test_fault_10_standalone_is_refused_a_database_that_a_lease_leads(database_url: str) -> None:
    term = await claiming(database_url).claim(1, give_up=never)
    with pytest.raises(IndexRefused, match=rf"led by {term.holder} \(driver operator under Lease {LEASE}\)"):
        await claim(database_url, Identity.draw())
    with pytest.raises(IndexRefused, match=rf"led by {term.holder} \(driver operator under Lease {LEASE}\)"):
        await claim(database_url, Identity.draw(), driver=OPERATOR)


async def test_an_operator_without_a_lease_makes_way_for_one_that_has(database_url: str, sql: Sql) -> None:
    await claim(database_url, Identity.draw(), driver=OPERATOR)
    await claiming(database_url).claim(2, give_up=never)
    assert sql(ROW)[0][3:] == ("operator", LEASE)


async def test_fault_19_a_program_that_is_too_old_for_the_schema_claims_nothing_and_names_both(database_url: str, sql: Sql) -> None:
    sql("UPDATE tinyforge.schema SET version = 9, min_program = %s", PROGRAM + 1)
    with pytest.raises(IndexRefused, match=f"asks for program {PROGRAM + 1} or newer, and this one is {PROGRAM}"):
        await claiming(database_url).claim(2, give_up=never)
    assert sql(ROW)[0][:2] == (0, "")


async def test_without_its_row_nobody_claims_and_migrate_is_named(database_url: str, sql: Sql) -> None:
    sql("ALTER TABLE tinyforge.leaders DISABLE TRIGGER ALL")
    sql("DELETE FROM tinyforge.leaders")
    with pytest.raises(IndexRefused, match="`tinyforge migrate` restores it"):
        await claiming(database_url).claim(2, give_up=never)


async def test_a_claim_in_whose_way_somebody_else_stands_is_given_up_when_it_is_time(
    database_url: str, psql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch, sql: Sql
) -> None:
    short_slices(monkeypatch)
    psql.execute("SELECT pg_advisory_xact_lock_shared(8388357248642937447)")  # of a name that no claim ends
    with pytest.raises(IndexUnavailable, match="a lock in PostgreSQL was not free in time"):
        await claiming(database_url).claim(2, give_up=after(4))
    working = asyncio.create_task(claiming(database_url).claim(3, give_up=never))
    await until_blocked(database_url)
    psql.rollback()
    assert (await working).epoch == 3


async def test_a_claim_goes_on_through_a_restart_of_the_server(own_postgres: OwnPostgres) -> None:
    await asyncio.to_thread(own_postgres.stop)
    working = asyncio.create_task(claiming(own_postgres.url).claim(2, give_up=never))
    await asyncio.sleep(0.3)
    assert not working.done()
    await asyncio.to_thread(own_postgres.start)
    assert (await asyncio.wait_for(working, 5)).epoch == 2


async def test_a_claim_on_a_server_that_stays_away_is_given_up_and_says_why() -> None:
    with pytest.raises(IndexUnavailable, match="No such file or directory"):
        await claiming("host=/nowhere").claim(2, give_up=after(3))


async def test_fault_12_a_claim_whose_answer_was_lost_is_made_again_on_another_link(
    database_url: str, sql: Sql, psql: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyforge.index.claiming._ANSWER_SECONDS", 0.2)
    identity = Identity.draw()
    async with link(database_url) as between:
        psql.execute("SELECT pg_advisory_xact_lock_shared(8388357248642937447)")
        working = asyncio.create_task(claiming(between.url, identity).claim(7, give_up=never))
        await until_blocked(database_url)
        between.die()
        psql.rollback()  # the server has all of it, and commits
        await until(lambda: sql(ROW)[0][:2] == (7, identity.holder))
        assert not working.done()
        between.revive()
        assert (await asyncio.wait_for(working, 10)).epoch == 7
