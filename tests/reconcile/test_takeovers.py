"""Before anything is changed on a host in a term, what earlier terms may still do there is waited for or seen, and closed (I5)."""

import asyncio

import psycopg
import pytest

from tests.index.conftest import Sql, opened
from tests.index.intents_of_terms import OPEN, Claim, lead_anew
from tests.index.waiting import until
from tests.reconcile.mutating import MOMENT, Deed, Site
from tinyforge.domain.intents import Intent
from tinyforge.ports import EngineError, EngineReason, Fenced, IndexUnavailable

__all__ = ["lead_anew", "opened"]

ENDS = "SELECT object, outcome, message FROM tinyforge.intents ORDER BY id"


@pytest.fixture
async def inherited(lead_anew: Claim) -> Intent:
    """What a crashed leader has left open."""
    return await (await lead_anew()).opened("web", seconds=60.0)


@pytest.fixture
async def site(inherited: Intent, lead_anew: Claim) -> Site:
    """The term after that."""
    return Site(await lead_anew())


def let_go(sql: Sql) -> Deed:
    """A call that ends at once."""
    deed = Deed(sql)
    deed.let_go.set()
    return deed


async def test_i5_the_first_change_on_a_host_waits_for_the_deadline_of_what_was_left_open_there(site: Site, sql: Sql) -> None:
    deed = let_go(sql)
    task = asyncio.create_task(site.perform(deed, "db"))
    await until(lambda: site.sights.looks > 0)
    assert sql(ENDS) == [("web", "", "")]
    site.clock.ahead = 50.0
    looks = site.sights.looks
    await until(lambda: site.sights.looks > looks)
    assert not deed.begun.is_set()
    site.clock.ahead = 61.0
    async with asyncio.timeout(MOMENT):
        assert await task == "did db"
    assert deed.saw_open == [deed.intent.id]
    assert sql(ENDS) == [("web", "superseded", "its deadline is past"), ("db", "done", "")]


async def test_i5_what_a_full_list_shows_is_not_waited_for(site: Site, inherited: Intent, sql: Sql) -> None:
    site.sights.shows = {inherited.id}
    async with asyncio.timeout(MOMENT):
        assert await site.perform(let_go(sql), "web") == "did web"
    assert site.sights.looks == 1
    assert sql(ENDS) == [("web", "superseded", "its effect was seen in a full list"), ("web", "done", "")]


async def test_i5_of_several_each_is_closed_when_it_is_settled(inherited: Intent, lead_anew: Claim, sql: Sql) -> None:
    second = await lead_anew()
    sql("ALTER TABLE tinyforge.intents DISABLE TRIGGER keep_intents")
    later = await second.opened("db", seconds=600.0)
    site = Site(await lead_anew())
    task = asyncio.create_task(site.mutations.take_over("local"))
    await until(lambda: site.sights.looks > 0)
    site.clock.ahead = 61.0
    await until(lambda: sql(OPEN) == [(later.id,)])
    assert not task.done()
    site.sights.shows = {later.id}
    async with asyncio.timeout(MOMENT):
        await task
    assert sql(OPEN) == []


async def test_what_is_past_its_deadline_needs_no_look_and_no_time(site: Site, sql: Sql) -> None:
    sql("UPDATE tinyforge.intents SET opened_at = opened_at - interval '1 hour', deadline = deadline - interval '1 hour'")
    async with asyncio.timeout(MOMENT):
        await site.mutations.take_over("local")
    assert site.sights.looks == 0
    assert sql(OPEN) == []


async def test_a_host_that_does_not_answer_is_waited_for(site: Site, inherited: Intent) -> None:
    site.sights.error = EngineError(EngineReason.CONNECT_FAILED, "away")
    task = asyncio.create_task(site.mutations.take_over("local"))
    await until(lambda: site.sights.looks > 1)
    assert not task.done()
    site.sights.error, site.sights.shows = None, {inherited.id}
    async with asyncio.timeout(MOMENT):
        await task


async def test_fault_22_a_host_that_hangs_in_a_list_holds_nobody_up_past_the_deadline(lead_anew: Claim, sql: Sql) -> None:
    await (await lead_anew()).opened(seconds=0.5)
    site = Site(await lead_anew())
    site.sights.hangs = True
    async with asyncio.timeout(MOMENT):
        await site.mutations.take_over("local")
    assert sql(OPEN) == []


async def test_p6_another_host_is_not_waited_for(site: Site, sql: Sql) -> None:
    async with asyncio.timeout(MOMENT):
        assert await site.perform(let_go(sql), host="other") == "did web"
    assert site.sights.looks == 0
    assert sql("SELECT count(*) FROM tinyforge.intents WHERE host = 'local' AND closed_at IS NULL") == [(1,)]


async def test_a_host_is_taken_over_once_in_a_term_however_many_ask_at_once(site: Site, inherited: Intent, sql: Sql) -> None:
    site.sights.shows = {inherited.id}
    await asyncio.gather(*(site.perform(let_go(sql), f"it {number}") for number in range(3)), site.mutations.take_over("local"))
    assert site.sights.looks == 1
    sql("ALTER TABLE tinyforge.intents RENAME TO away")
    await site.mutations.take_over("local")  # it would raise if it asked again


async def test_p5_a_wait_that_is_cancelled_ends_at_once_and_is_made_up_for_by_the_next_one(site: Site, inherited: Intent, sql: Sql) -> None:
    task = asyncio.create_task(site.perform(let_go(sql), "web"))
    await until(lambda: site.sights.looks > 0)
    task.cancel()
    async with asyncio.timeout(1.0):
        await asyncio.wait({task})
    assert sql(OPEN) == [(inherited.id,)]
    site.sights.shows = {inherited.id}
    assert await site.perform(let_go(sql), "web") == "did web"


async def test_fault_13_a_host_is_not_taken_over_while_postgresql_is_away(
    site: Site, inherited: Intent, sql: Sql, psql: psycopg.Connection
) -> None:
    site.sights.shows = {inherited.id}
    psql.execute("LOCK TABLE tinyforge.intents IN EXCLUSIVE MODE")
    deed = let_go(sql)
    with pytest.raises(IndexUnavailable):
        await site.perform(deed)
    psql.rollback()
    assert not deed.begun.is_set()
    assert await site.perform(deed) == "did web"


async def test_i5_a_term_that_is_deposed_while_it_waits_supersedes_nothing(
    site: Site, inherited: Intent, lead_anew: Claim, sql: Sql
) -> None:
    task = asyncio.create_task(site.mutations.take_over("local"))
    await until(lambda: site.sights.looks > 0)
    await lead_anew()
    site.clock.ahead = 61.0
    with pytest.raises(Fenced):
        await task
    assert sql(OPEN) == [(inherited.id,)]
