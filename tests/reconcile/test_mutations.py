"""An engine is changed behind a committed intent, for a bounded time, one change of an object at a time, or not at all (I4, I5)."""

import asyncio
import math
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.index.conftest import Open, Sql, opened
from tests.index.intents_of_terms import OPEN, Claim, Led, lead_anew, led
from tests.index.waiting import until, until_blocked
from tests.reconcile.mutating import MOMENT, Deed, Site
from tinyforge.domain.intents import ENDING_SECONDS, LONGEST_SECONDS
from tinyforge.ports import EngineError, EngineReason, Fenced, IndexUnavailable, MutationRefused, MutationUnanswered
from tinyforge.reconcile.mutations import WithoutLease

__all__ = ["Open", "lead_anew", "led", "opened"]

ENDS = "SELECT object, outcome, message FROM tinyforge.intents ORDER BY id"
STILL_OPEN = [("web", "", "")]


@pytest.fixture
def site(led: Led) -> Site:
    return Site(led)


@pytest.fixture
def deed(sql: Sql) -> Deed:
    """A call that goes on until it is let go."""
    return Deed(sql)


@pytest.fixture
async def stubborn(sql: Sql) -> AsyncIterator[Deed]:
    """A call that goes on until it is let go, though it is cancelled; at the end of the test if nobody has before."""
    stubborn = Deed(sql, stubborn=True)
    yield stubborn
    stubborn.let_go.set()


def quick_deed(sql: Sql, error: BaseException | None = None) -> Deed:
    """A call that ends at once."""
    deed = Deed(sql, error=error)
    deed.let_go.set()
    return deed


async def test_i4_a_call_begins_when_its_intent_is_committed_and_what_it_answers_is_returned(site: Site, sql: Sql) -> None:
    deed = quick_deed(sql)
    assert await site.perform(deed) == "did web"
    assert deed.saw_open == [deed.intent.id]
    assert deed.intent.epoch == site.led.term.epoch
    assert sql(ENDS) == [("web", "done", "")]
    assert site.mutations.under_way() == ()


@pytest.mark.parametrize("error", [ValueError("no such\nimage"), EngineError(EngineReason.HTTP_ERROR, "no such image")])
async def test_what_an_engine_refuses_reaches_the_caller_and_is_recorded(error: Exception, site: Site, sql: Sql) -> None:
    with pytest.raises(type(error), match="no such"):
        await site.perform(quick_deed(sql, error))
    assert sql(ENDS) == [("web", "failed", "no such image")]


async def test_i5_a_call_without_an_answer_leaves_its_intent_open_for_the_engine_may_have_done_it(site: Site, sql: Sql) -> None:
    error = EngineError(EngineReason.TIMEOUT, "no answer in 5 s")
    with pytest.raises(
        MutationUnanswered, match=r"nobody knows how this ended: create web on local .*: no answer in 5 s; look whether"
    ) as failed:
        await site.perform(quick_deed(sql, error))
    assert failed.value.__cause__ is error
    assert sql(ENDS) == STILL_OPEN


async def test_i5_a_call_that_cancels_itself_has_not_answered(site: Site, sql: Sql) -> None:
    with pytest.raises(MutationUnanswered, match="the call cancelled itself"):
        await site.perform(quick_deed(sql, asyncio.CancelledError()))
    assert sql(ENDS) == STILL_OPEN


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


async def test_two_changes_of_one_object_never_overlap_and_others_do(site: Site, sql: Sql) -> None:
    deeds = [Deed(sql) for _ in range(4)]
    tasks = [await site.begun(deeds[0], "web"), await site.begun(deeds[1], "db"), await site.begun(deeds[2], "web", host="other")]
    waiting = asyncio.create_task(site.perform(deeds[3], "web"))
    assert [it.begun.is_set() for it in deeds] == [True, True, True, False]
    deeds[0].let_go.set()
    await deeds[3].begun.wait()
    assert deeds[0].ended.is_set()
    assert deeds[3].saw_open == sorted(it.intent.id for it in deeds[1:])
    for deed in deeds:
        deed.let_go.set()
    assert await asyncio.gather(*tasks, waiting) == ["did web", "did db", "did web", "did web"]


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


async def test_fault_13_an_answer_counts_though_postgresql_is_away_and_the_next_intent_closes_the_one_before(
    site: Site, deed: Deed, sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    task = await site.begun(deed)
    with without_intents(sql):
        deed.let_go.set()
        assert await task == "did web"
        with pytest.raises(Exception, match="no schema of Tinyforge"):
            await site.perform(quick_deed(sql))
    assert "how it ended is not recorded" in caplog.text
    assert sql(ENDS) == STILL_OPEN
    assert await site.perform(quick_deed(sql)) == "did web"
    assert sql(ENDS) == [("web", "failed", "nobody recorded how it ended"), ("web", "done", "")]


async def test_fault_16_without_a_committed_intent_nothing_is_begun(site: Site, deed: Deed, sql: Sql, psql: psycopg.Connection) -> None:
    psql.execute("LOCK TABLE tinyforge.intents IN EXCLUSIVE MODE")
    with pytest.raises(IndexUnavailable):
        await site.perform(deed)
    psql.rollback()
    assert not deed.begun.is_set()
    assert sql(ENDS) == []


async def test_i4_a_deposed_term_begins_nothing(site: Site, deed: Deed, lead_anew: Claim, sql: Sql) -> None:
    await lead_anew()
    with pytest.raises(Fenced):
        await site.perform(deed)
    assert not deed.begun.is_set()
    assert sql(ENDS) == []


async def test_i5_who_is_deposed_during_a_call_hears_of_it_at_its_end_and_the_next_leader_knows_of_the_call(
    site: Site, deed: Deed, lead_anew: Claim
) -> None:
    task = await site.begun(deed)
    successor = await lead_anew()
    deed.let_go.set()
    with pytest.raises(Fenced):
        await task
    assert [it.intent for it in await successor.intents.open_of_lower_epochs("local")] == [deed.intent]


@pytest.mark.parametrize(("name", "seconds"), [("", 1.0), ("a\0b", 1.0), ("web", 0.0), ("web", math.inf), ("web", LONGEST_SECONDS + 1)])
async def test_a_change_that_no_intent_can_say_is_refused(name: str, seconds: float, site: Site, deed: Deed, sql: Sql) -> None:
    with pytest.raises(MutationRefused, match=r"^create on local: (a change must be given|the object of a change must be)"):
        await site.perform(deed, name, seconds=seconds)
    assert sql(ENDS) == []


def test_without_a_lease_the_validity_has_no_end() -> None:
    assert (WithoutLease().valid(), WithoutLease().left()) == (True, math.inf)


HOW = ("answers", "raises", "says nothing", "hangs", "is cancelled")


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(plan=st.lists(st.tuples(st.sampled_from(("web", "db")), st.sampled_from(HOW)), min_size=1, max_size=6))
async def test_i4_whatever_calls_do_each_begins_behind_its_own_committed_intent_alone_with_its_object(
    plan: list[tuple[str, str]], lead_anew: Claim, sql: Sql
) -> None:
    sql("DELETE FROM tinyforge.intents")
    site = Site(await lead_anew())
    on_it: dict[str, int] = {"web": 0, "db": 0}

    async def one(name: str, how: str) -> None:
        async def call(intent: Any) -> None:
            assert (intent.id,) in sql(OPEN)
            on_it[name] += 1
            try:
                assert on_it[name] == 1
                await asyncio.sleep(0)
                await behave(how)
            finally:
                on_it[name] -= 1

        await site.mutations.perform(host="local", object=name, action="create", seconds=30.0, call=call)

    tasks = [asyncio.create_task(one(*each)) for each in plan]
    while not all(it.done() for it in tasks):
        await asyncio.wait(tasks, timeout=0.02)
        site.clock.ahead += 40.0  # what was cut off is over, and what hangs has had its time
        site.sights.shows = {id_ for (id_,) in sql(OPEN)}
        for task, (_, how) in zip(tasks, plan, strict=True):
            if how == "is cancelled":
                task.cancel()
    found = [it.exception() for it in tasks if not it.cancelled()]
    assert {type(it) for it in found} <= {type(None), ValueError, MutationUnanswered, MutationRefused}
    assert len(sql(OPEN)) <= 2


async def behave(how: str) -> None:
    """End as it is wanted."""
    if how == "raises":
        raise ValueError("no")
    if how == "says nothing":
        raise EngineError(EngineReason.CONNECT_FAILED, "reset")
    if how != "answers":
        await asyncio.Event().wait()


@contextmanager
def without_intents(sql: Sql) -> Iterator[None]:
    """Let PostgreSQL refuse whatever is about intents."""
    sql("ALTER TABLE tinyforge.intents RENAME TO away")
    yield
    sql("ALTER TABLE tinyforge.away RENAME TO intents")
