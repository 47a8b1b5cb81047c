"""Intents on a real PostgreSQL: what is written before an engine is changed, by whom, and what the next leader finds of it."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import psycopg
import pytest

from tests.index.conftest import Sql
from tests.index.intents_of_terms import OPEN, Claim, Led, lead_anew, led
from tests.index.waiting import until_blocked
from tinyforge.domain.intents import Intent, IntentOutcome, Settled
from tinyforge.ports import Fenced, IndexRefused, RowsMoved

__all__ = ["lead_anew", "led"]

ROWS = "SELECT id, epoch, host, object, action, outcome, message FROM tinyforge.intents ORDER BY id"


async def test_i4_an_intent_is_committed_when_it_is_open_and_says_what_is_changed(led: Led, sql: Sql) -> None:
    intent = await led.opened()
    assert sql(ROWS) == [(intent.id, led.term.epoch, "local", "web", "create", "", "")]
    assert (intent.epoch, intent.host, intent.object, intent.action) == (led.term.epoch, "local", "web", "create")


async def test_a_deadline_is_so_many_seconds_after_postgresqls_clock_behind_the_fence(led: Led, sql: Sql, psql: psycopg.Connection) -> None:
    psql.execute("SELECT pg_advisory_xact_lock(8388357248642937447)")  # as a claim that goes on for a while
    opening = asyncio.create_task(led.opened(seconds=30.0))
    await until_blocked(psql.info.dsn)
    ((fence_passed,),) = sql("SELECT clock_timestamp()")
    psql.rollback()
    intent = await opening
    ((opened_at, deadline),) = sql("SELECT opened_at, deadline FROM tinyforge.intents")
    assert opened_at > fence_passed
    assert (deadline - opened_at).total_seconds() == 30.0
    assert intent.deadline == deadline


@pytest.mark.parametrize("outcome", [IntentOutcome.DONE, IntentOutcome.FAILED])
async def test_a_closed_intent_says_how_it_ended(outcome: IntentOutcome, led: Led, sql: Sql) -> None:
    intent = await led.opened()
    await led.intents.close(intent, outcome, message="it said: \0")
    assert [row[5:] for row in sql(ROWS)] == [(outcome, "it said: \ufffd")]
    assert sql("SELECT closed_at >= opened_at FROM tinyforge.intents") == [(True,)]


async def test_what_was_closed_first_counts(led: Led, sql: Sql) -> None:
    intent = await led.opened()
    await led.intents.close(intent, IntentOutcome.FAILED, message="first")
    await led.intents.close(intent, IntentOutcome.DONE, message="second")
    assert [row[5:] for row in sql(ROWS)] == [("failed", "first")]


async def test_an_intent_of_this_term_that_nobody_closed_is_closed_by_the_next_one_on_its_object(led: Led, sql: Sql) -> None:
    forgotten, other = await led.opened(), await led.opened("db")
    intent = await led.opened()
    assert [row[5:] for row in sql(ROWS)] == [("failed", "nobody recorded how it ended"), ("", ""), ("", "")]
    assert sql(OPEN) == [(other.id,), (intent.id,)]
    assert forgotten.id < intent.id


async def test_i5_the_next_term_finds_what_is_open_on_a_host_and_for_how_long(lead_anew: Claim) -> None:
    first = await lead_anew()
    closed = await first.opened("closed")
    await first.intents.close(closed, IntentOutcome.DONE)
    await first.opened("elsewhere", host="other")
    left_open = [await first.opened("web", seconds=60.0), await first.opened("db", seconds=600.0)]
    second = await lead_anew()
    found = await second.intents.open_of_lower_epochs("local")
    assert [it.intent for it in found] == left_open
    assert 0 < found[0].left <= 60 < found[1].left <= 600
    assert await first.intents.open_of_lower_epochs("local") == ()  # its own are not earlier ones


async def test_an_intent_past_its_deadline_has_nothing_left(lead_anew: Claim, sql: Sql) -> None:
    await (await lead_anew()).opened()
    sql("UPDATE tinyforge.intents SET opened_at = opened_at - interval '1 hour', deadline = deadline - interval '1 hour'")
    (found,) = await (await lead_anew()).intents.open_of_lower_epochs("local")
    assert found.left == 0


async def test_fault_09_a_clock_of_postgresql_that_was_put_back_an_hour_holds_a_host_up_for_no_longer_than_the_call(
    lead_anew: Claim, sql: Sql
) -> None:
    await (await lead_anew()).opened(seconds=30.0)
    sql("UPDATE tinyforge.intents SET opened_at = opened_at + interval '1 hour', deadline = deadline + interval '1 hour'")
    (found,) = await (await lead_anew()).intents.open_of_lower_epochs("local")
    assert found.left == 30.0


async def test_i4_nothing_is_opened_on_a_host_before_what_earlier_terms_left_there_is_closed(lead_anew: Claim, sql: Sql) -> None:
    first = await lead_anew()
    left_open = await first.opened()
    second = await lead_anew()
    for name in ("web", "db"):
        with pytest.raises(IndexRefused, match="host local has open intents of an earlier term"):
            await second.opened(name)
    await second.opened(host="other")
    await second.intents.supersede([Settled(intent=left_open, reason="its deadline is past")])
    await second.opened()
    assert [row[4:] for row in sql(ROWS) if row[0] == left_open.id] == [("create", "superseded", "its deadline is past")]


async def test_a_term_supersedes_only_what_earlier_ones_left_open(lead_anew: Claim, sql: Sql) -> None:
    first = await lead_anew()
    closed, left_open = await first.opened("closed"), await first.opened("open")
    await first.intents.close(closed, IntentOutcome.DONE, message="as it was")
    second = await lead_anew()
    own = await second.opened(host="other")
    await second.intents.supersede([Settled(intent=it, reason=f"{it.object} is over") for it in (closed, left_open, own)])
    assert [row[5:] for row in sql(ROWS)] == [("done", "as it was"), ("superseded", "open is over"), ("", "")]
    await second.intents.supersede([])


async def test_a_term_does_not_close_the_intents_of_another(lead_anew: Claim, sql: Sql) -> None:
    left_open = await (await lead_anew()).opened()
    await (await lead_anew()).intents.close(left_open, IntentOutcome.DONE)
    assert sql(OPEN) == [(left_open.id,)]


EVERYTHING_WRITTEN: dict[str, Callable[[Led, Intent, Intent], Awaitable[object]]] = {
    "opening": lambda led, _own, _earlier: led.opened("late"),
    "closing": lambda led, own, _earlier: led.intents.close(own, IntentOutcome.DONE),
    "superseding": lambda led, _own, earlier: led.intents.supersede([Settled(intent=earlier, reason="")]),
    "pruning": lambda led, _own, _earlier: led.housekeeping.prune(retention=0),
}


@pytest.mark.parametrize("what", EVERYTHING_WRITTEN)
async def test_p7_a_deposed_term_opens_nothing_and_closes_nothing(what: str, lead_anew: Claim, sql: Sql) -> None:
    earlier = await (await lead_anew()).opened(host="other")
    deposed = await lead_anew()
    own = await deposed.opened()
    sql("UPDATE tinyforge.intents SET opened_at = opened_at - interval '1 week', deadline = deadline - interval '1 week'")
    await lead_anew()
    before = sql(ROWS)
    with pytest.raises(Fenced):
        await EVERYTHING_WRITTEN[what](deposed, own, earlier)
    assert sql(ROWS) == before


async def test_no_two_intents_on_one_object_are_open_even_if_two_are_opened_at_once(led: Led, sql: Sql) -> None:
    answers = await asyncio.gather(*(led.opened() for _ in range(4)), return_exceptions=True)
    assert {type(it) for it in answers} <= {Intent, RowsMoved}
    assert len(sql(OPEN)) == 1


async def test_whatever_a_program_does_a_closed_intent_stays_as_it_is(led: Led, sql: Sql) -> None:
    await led.intents.close(await led.opened(), IntentOutcome.DONE)
    with pytest.raises(psycopg.DatabaseError, match="is closed and stays as it is"):
        sql("UPDATE tinyforge.intents SET closed_at = NULL, outcome = ''")


@pytest.mark.parametrize("broken", ["outcome = 'perhaps'", "outcome = 'done'", "closed_at = now()", "deadline = opened_at", "object = ''"])
async def test_a_row_that_makes_no_sense_is_refused(broken: str, led: Led, psql: psycopg.Connection) -> None:
    await led.opened()
    with pytest.raises(psycopg.errors.CheckViolation):
        psql.execute(f"UPDATE tinyforge.intents SET {broken}".encode())  # noqa: S608 - written above


async def test_intents_are_pruned_a_day_after_they_were_closed_or_should_have_been(led: Led, sql: Sql) -> None:
    for name in ("old", "older", "young", "open"):
        intent = await led.opened(name)
        if name != "open":
            sql("UPDATE tinyforge.intents SET closed_at = %s, outcome = 'done' WHERE id = %s", datetime.now(UTC), intent.id)
    sql("ALTER TABLE tinyforge.intents DISABLE TRIGGER keep_intents")
    sql("UPDATE tinyforge.intents SET closed_at = now() - interval '25 hours' WHERE object LIKE 'old%'")
    sql("UPDATE tinyforge.intents SET opened_at = 'epoch', deadline = now() - interval '23 hours' WHERE object = 'open'")
    await led.housekeeping.prune(retention=0)
    assert sql("SELECT object FROM tinyforge.intents ORDER BY id") == [("young",), ("open",)]
    sql("UPDATE tinyforge.intents SET deadline = now() - interval '25 hours' WHERE object = 'open'")
    await led.housekeeping.prune(retention=0)
    assert sql("SELECT object FROM tinyforge.intents ORDER BY id") == [("young",)]


async def test_what_is_open_on_a_host_is_found_by_an_index(led: Led, sql: Sql) -> None:
    sql(
        "INSERT INTO tinyforge.intents (epoch, host, object, action, opened_at, deadline, closed_at, outcome)"
        " SELECT 0, 'local', 'it ' || i, 'create', now(), now() + interval '1 s', now(), 'done' FROM generate_series(1, 5000) AS i"
    )
    sql("ANALYZE tinyforge.intents")
    plan = sql("EXPLAIN SELECT FROM tinyforge.intents WHERE host = 'local' AND epoch < 9 AND closed_at IS NULL")
    assert "intents_open" in str(plan)
    assert await led.intents.open_of_lower_epochs("local") == ()
