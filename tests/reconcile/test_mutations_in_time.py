"""A change of an engine is bounded: by its own time, by the validity of the Lease, and by its caller's end."""

import asyncio
import math

import psycopg
import pytest

from tests.index.conftest import Open, Sql, opened
from tests.index.intents_of_terms import Led, lead_anew, led
from tests.index.waiting import until, until_blocked
from tests.reconcile.mutating import ENDS, MOMENT, STILL_OPEN, Deed, Site, deed, quick_deed, site, stubborn
from tinyforge.domain.intents import ENDING_SECONDS
from tinyforge.ports import MutationRefused, MutationUnanswered
from tinyforge.reconcile.mutations import WithoutLease

__all__ = ["Open", "deed", "lead_anew", "led", "opened", "site", "stubborn"]


async def test_i5_a_call_that_hangs_is_cut_off_when_its_time_is_over_and_its_intent_stays_open(site: Site, deed: Deed, sql: Sql) -> None:
    async with asyncio.timeout(MOMENT):
        with pytest.raises(MutationUnanswered, match="its time was over"):
            await site.perform(deed, seconds=0.1)
    assert deed.was_cancelled
    assert deed.ended.is_set()
    assert sql(ENDS) == STILL_OPEN


async def test_a_deadline_is_later_by_postgresqls_clock_than_the_end_of_a_call_that_hangs(site: Site, deed: Deed, sql: Sql) -> None:
    with pytest.raises(MutationUnanswered):
        await site.perform(deed, seconds=0.1)
    assert sql("SELECT clock_timestamp() < deadline AND deadline - opened_at = interval '2.1 s' FROM tinyforge.intents") == [(True,)]


async def test_fault_03_a_call_during_which_the_machine_slept_past_its_time_is_cut_off_a_moment_after(site: Site, deed: Deed) -> None:
    task = await site.begun(deed, seconds=60.0)
    site.clock.ahead = 3600.0
    async with asyncio.timeout(MOMENT):
        with pytest.raises(MutationUnanswered, match="its time was over"):
            await task
    assert deed.was_cancelled


async def test_a_call_that_answers_while_it_is_told_to_end_has_answered(site: Site, stubborn: Deed, sql: Sql) -> None:
    task = await site.begun(stubborn)
    site.clock.ahead = 3600.0
    await until(lambda: stubborn.was_cancelled)
    stubborn.let_go.set()
    assert await task == "did web"
    assert sql(ENDS) == [("web", "done", "")]


async def test_what_a_call_raises_because_it_is_told_to_end_is_no_answer(site: Site, stubborn: Deed, sql: Sql) -> None:
    stubborn.error = ValueError("interrupted")
    task = await site.begun(stubborn)
    site.clock.ahead = 3600.0
    await until(lambda: stubborn.was_cancelled)
    stubborn.let_go.set()
    with pytest.raises(MutationUnanswered, match="its time was over"):
        await task
    assert sql(ENDS) == STILL_OPEN


@pytest.mark.parametrize("left", [4.9, 0.0, -1.0])
async def test_fault_07_nothing_is_begun_that_the_validity_does_not_cover(left: float, site: Site, deed: Deed, sql: Sql) -> None:
    site.validity.seconds = left
    with pytest.raises(MutationRefused, match="the Lease could not be renewed: nothing is changed until it is"):
        await site.perform(deed, seconds=3.0)
    assert not deed.begun.is_set()
    assert sql(ENDS) == []


async def test_fault_07_a_call_is_cut_off_when_the_validity_ends_and_not_before(led: Led, deed: Deed, sql: Sql) -> None:
    site = Site(led, steady=0.2)
    site.validity.seconds = 0.2
    task = await site.begun(deed, seconds=60.0)
    site.validity.seconds = 10.0  # a renewal was answered
    looks = site.validity.looks
    await until(lambda: site.validity.looks >= looks + 3)
    assert not deed.ended.is_set()
    site.validity.seconds = 0.0
    async with asyncio.timeout(MOMENT):
        with pytest.raises(MutationUnanswered, match="the Lease could not be renewed"):
            await task
    assert deed.was_cancelled
    assert sql(ENDS) == STILL_OPEN


TOO_LONG = {"took all of its time to open it": (61.0, math.inf), "the Lease could not be renewed": (0.0, 1.0)}


@pytest.mark.parametrize("why", TOO_LONG)
async def test_nothing_is_begun_if_opening_the_intent_took_too_long(
    why: str, site: Site, deed: Deed, sql: Sql, psql: psycopg.Connection
) -> None:
    psql.execute("LOCK TABLE tinyforge.intents IN EXCLUSIVE MODE")
    task = asyncio.create_task(site.perform(deed, seconds=60.0))
    await until_blocked(psql.info.dsn)
    site.clock.ahead, site.validity.seconds = TOO_LONG[why]
    psql.rollback()
    with pytest.raises(MutationRefused, match=rf"was not begun: .*{why}"):
        await task
    assert not deed.begun.is_set()
    ((_, outcome, message),) = sql(ENDS)
    assert outcome == "failed"
    assert message.startswith("not begun: ")


async def test_p5_a_caller_that_is_cancelled_sees_the_call_end_and_the_intent_stays_open(site: Site, deed: Deed, sql: Sql) -> None:
    task = await site.begun(deed)
    task.cancel()
    async with asyncio.timeout(1.0):
        await asyncio.wait({task})
    assert task.cancelled()
    assert deed.ended.is_set()
    assert sql(ENDS) == STILL_OPEN


async def test_p5_a_call_that_goes_on_when_its_caller_is_cancelled_is_left_behind_named_and_lets_nobody_near_its_object(
    site: Site, stubborn: Deed, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    task = await site.begun(stubborn)
    named = (f"create web on local (intent {stubborn.intent.id} of epoch {site.led.term.epoch})",)
    site.clock.ahead = 60.0
    async with asyncio.timeout(MOMENT):
        with pytest.raises(MutationUnanswered):
            await task
    assert f"{named[0]} does not end when it is told to" in caplog.messages
    assert (site.mutations.under_way(), site.mutations.overdue()) == (named, ())
    site.clock.ahead += ENDING_SECONDS
    assert site.mutations.overdue() == named
    with pytest.raises(MutationRefused, match="was told to end and has not; nothing else is done to web until it has"):
        await site.perform(quick_deed(sql))
    assert await site.perform(quick_deed(sql), "db") == "did db"
    stubborn.let_go.set()
    await stubborn.ended.wait()
    assert await site.perform(quick_deed(sql)) == "did web"
    assert site.mutations.under_way() == ()


@pytest.mark.parametrize("seen", [True, False])
async def test_after_a_call_that_was_cut_off_its_object_waits_for_the_deadline_or_the_effect(
    seen: bool, site: Site, deed: Deed, sql: Sql
) -> None:
    task = await site.begun(deed, seconds=60.0)
    task.cancel()
    await asyncio.wait({task})
    again = quick_deed(sql)
    waiting = asyncio.create_task(site.perform(again))
    await until(lambda: site.sights.looks > 0)
    assert not again.begun.is_set()
    if seen:
        site.sights.shows = {deed.intent.id}
    else:
        site.clock.ahead = 60.0 + ENDING_SECONDS
    async with asyncio.timeout(MOMENT):
        assert await waiting == "did web"
    assert sql(ENDS) == [("web", "failed", "nobody recorded how it ended"), ("web", "done", "")]


def test_without_a_lease_the_validity_has_no_end() -> None:
    assert (WithoutLease().valid(), WithoutLease().left()) == (True, math.inf)
