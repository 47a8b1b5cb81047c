"""An engine is changed behind a committed intent, one change of an object at a time, or not at all (I4, I5)."""

import asyncio
import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.index.conftest import Open, Sql, opened
from tests.index.intents_of_terms import OPEN, Claim, lead_anew, led
from tests.reconcile.mutating import ENDS, STILL_OPEN, Deed, Site, deed, quick_deed, site
from tinyforge.domain.intents import LONGEST_SECONDS
from tinyforge.ports import EngineError, EngineReason, Fenced, IndexUnavailable, MutationRefused, MutationUnanswered

__all__ = ["Open", "deed", "lead_anew", "led", "opened", "site"]


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


async def test_two_changes_of_one_object_never_overlap_and_others_do(site: Site, sql: Sql) -> None:
    deeds = [Deed(sql) for _ in range(4)]
    tasks = [await site.begun(deeds[0], "web"), await site.begun(deeds[1], "db"), await site.begun(deeds[2], "web", host="other")]
    waiting = asyncio.create_task(site.perform(deeds[3], "web"))
    assert [it.begun.is_set() for it in deeds] == [True, True, True, False]
    deeds[0].let_go.set()
    await deeds[3].begun.wait()
    assert deeds[0].ended.is_set()
    assert deeds[3].saw_open == sorted(it.intent.id for it in deeds[1:])
    for each in deeds:
        each.let_go.set()
    assert await asyncio.gather(*tasks, waiting) == ["did web", "did db", "did web", "did web"]


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
