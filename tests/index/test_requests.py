"""People ask the leader by way of the index: they get its answer, or a sentence that says why there is none."""

import asyncio
import os
import pwd
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.index.attending import Notes, held
from tests.index.conftest import Sql
from tests.index.waiting import until
from tinyforge.domain.requests import Request, RequestKind
from tinyforge.index.led import LedIndex
from tinyforge.index.requests import NobodyLeads, ask
from tinyforge.ports import IndexUnavailable

ANY_TEXT = st.text(max_size=20) | st.sampled_from(["\0", "\\u0000", "\\\\u0000", "\ud800", "a\udfffb", "%s", "'; --"])


@asynccontextmanager
async def leading(index: LedIndex) -> AsyncIterator[asyncio.Semaphore]:
    """Hold the leader's presence for the length of a block; the semaphore counts how often there may be a request."""
    notes = Notes()
    async with held(index.presence, notes):
        yield notes.requests


async def answer_one(index: LedIndex, asked: asyncio.Semaphore, outcome: Mapping[str, Any]) -> Request:
    """Wait for a request, answer it, and return it."""
    await asyncio.wait_for(asked.acquire(), 5)
    (request,) = await index.requests.open_requests()
    await index.requests.answer(request, outcome)
    return request


@pytest.mark.parametrize("kind", RequestKind)
async def test_what_is_asked_reaches_the_leader_and_its_answer_whoever_asked(kind: RequestKind, index: LedIndex, database_url: str) -> None:
    async with leading(index) as asked:
        asking = asyncio.create_task(ask(database_url, kind=kind, host="local", argument="default/app", timeout=5))
        request = await answer_one(index, asked, {"passes": [1, 2.5, None, "ü"]})
        assert await asking == {"passes": [1, 2.5, None, "ü"]}
    assert (request.kind, request.host, request.argument) == (kind, "local", "default/app")
    assert await index.requests.open_requests() == []


async def test_answers_go_to_who_asked_for_them(index: LedIndex, database_url: str, sql: Sql) -> None:
    async with leading(index):
        asking = [asyncio.create_task(ask(database_url, kind=RequestKind.SYNC, argument=str(number), timeout=5)) for number in range(5)]
        await until(lambda: sql("SELECT count(*) FROM tinyforge.sync_requests") == [(5,)])
        for request in reversed(await index.requests.open_requests()):
            await index.requests.answer(request, {"to": request.argument})
        assert await asyncio.gather(*asking) == [{"to": str(number)} for number in range(5)]


async def test_requests_are_met_oldest_first_also_those_of_a_former_leaders_time(index: LedIndex, sql: Sql) -> None:
    for argument in ("one", "two", "three"):
        sql("INSERT INTO tinyforge.sync_requests (kind, argument) VALUES ('sync', %s)", argument)
    assert [request.argument for request in await index.requests.open_requests()] == ["one", "two", "three"]


async def test_an_answer_is_written_once(index: LedIndex, sql: Sql) -> None:
    sql("INSERT INTO tinyforge.sync_requests (kind) VALUES ('sync')")
    (request,) = await index.requests.open_requests()
    await index.requests.answer(request, {"first": True})
    await index.requests.answer(request, {"second": True})
    assert sql("SELECT outcome FROM tinyforge.sync_requests") == [({"first": True},)]


async def test_an_answer_whose_notification_was_missed_is_found_all_the_same(index: LedIndex, database_url: str, sql: Sql) -> None:
    async with leading(index) as asked:
        asking = asyncio.create_task(ask(database_url, kind=RequestKind.SYNC, timeout=60))
        await until(lambda: not asked.locked())
        sql("ALTER TABLE tinyforge.sync_requests DISABLE TRIGGER announce_request")
        await answer_one(index, asked, {"found": True})
        assert await asyncio.wait_for(asking, 3) == {"found": True}


async def test_who_asked_and_when_can_be_read(index: LedIndex, database_url: str, sql: Sql) -> None:
    async with leading(index):
        with pytest.raises(IndexUnavailable):
            await ask(database_url, kind=RequestKind.SYNC, timeout=0)
    ((by, waiting),) = sql("SELECT requested_by, requested_at <= now() AND done_at IS NULL FROM tinyforge.sync_requests")
    assert by.endswith(f"@{os.uname().nodename}")
    assert waiting


async def test_a_user_without_a_name_can_ask_too(index: LedIndex, database_url: str, sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a container the user may be a number that no file knows; the test's own user has a name, so it is taken away."""
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", {}.__getitem__)
    async with leading(index):
        with pytest.raises(IndexUnavailable, match="did not answer"):
            await ask(database_url, kind=RequestKind.SYNC, timeout=0)
    assert sql("SELECT requested_by FROM tinyforge.sync_requests") == [(f"{os.getuid()}@{os.uname().nodename}",)]


async def test_a_leader_that_does_not_answer_in_time_is_said_to_be_late_and_the_request_stays(
    index: LedIndex, database_url: str, sql: Sql
) -> None:
    async with leading(index):
        with pytest.raises(IndexUnavailable, match=r"the controller did not answer within 0.2 s; the request stays") as late:
            await ask(database_url, kind=RequestKind.SYNC, timeout=0.2)
    assert not isinstance(late.value, NobodyLeads)
    assert len(await index.requests.open_requests()) == 1


@pytest.mark.parametrize(("kind", "verb"), [(RequestKind.SYNC, "hosts"), (RequestKind.FORGET, "ps"), (RequestKind.DEPLOY, "workloads")])
async def test_who_gave_up_waiting_is_told_where_the_effect_will_show(
    kind: RequestKind, verb: str, index: LedIndex, database_url: str
) -> None:
    async with leading(index):
        with pytest.raises(IndexUnavailable, match=f"and `tinyforge {verb}` shows its effect"):
            await ask(database_url, kind=kind, timeout=0)


async def test_a_leader_that_dies_while_it_is_asked_is_said_to_be_gone(index: LedIndex, database_url: str, sql: Sql) -> None:
    async with leading(index) as asked:
        asking = asyncio.create_task(ask(database_url, kind=RequestKind.SYNC, timeout=1))
        await asked.acquire()
    sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = %s", index.term.session)
    with pytest.raises(NobodyLeads, match="no controller runs on this database: the last one was last heard of at"):
        await asking


async def test_where_nobody_ever_led_that_is_said_and_what_to_do(database_url: str, sql: Sql) -> None:
    with pytest.raises(NobodyLeads, match="no controller ever ran on this database; start one with `tinyforge run`"):
        await ask(database_url, kind=RequestKind.SYNC, timeout=1)
    assert sql("SELECT count(*) FROM tinyforge.sync_requests") == [(0,)], "nobody would ever answer it"


async def test_where_nobody_leads_any_more_it_is_said_since_when(database_url: str, sql: Sql) -> None:
    sql("UPDATE tinyforge.leaders SET epoch = 1, session = 'gone', driver = 'standalone', claimed_at = '2026-03-01 10:00:00+00'")
    with pytest.raises(NobodyLeads, match="last heard of at 2026-03-01 10:00:00 UTC; start one with `tinyforge run`"):
        await ask(in_utc(database_url), kind=RequestKind.SYNC, timeout=1)
    sql("INSERT INTO tinyforge.hosts (name, last_pass_at) VALUES ('local', '2026-03-01 12:30:00+00')")
    with pytest.raises(NobodyLeads, match="last heard of at 2026-03-01 12:30:00 UTC"):
        await ask(in_utc(database_url), kind=RequestKind.SYNC, timeout=1)


async def test_a_database_that_does_not_answer_is_told_with_its_reason() -> None:
    with pytest.raises(IndexUnavailable, match="No such file or directory"):
        await ask("host=/nowhere", kind=RequestKind.SYNC, timeout=1)


async def test_fault_19_a_request_of_a_newer_programs_kind_is_left_to_a_newer_leader(index: LedIndex, sql: Sql) -> None:
    sql("ALTER TABLE tinyforge.sync_requests DROP CONSTRAINT sync_requests_kind_check")
    sql("INSERT INTO tinyforge.sync_requests (kind) VALUES ('restart'), ('sync')")
    assert [request.kind for request in await index.requests.open_requests()] == [RequestKind.SYNC]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(label=ANY_TEXT, key=ANY_TEXT)
async def test_fault_36_an_answer_may_hold_any_label_of_a_container(label: str, key: str, index: LedIndex, sql: Sql) -> None:
    sql("TRUNCATE tinyforge.sync_requests")
    sql("INSERT INTO tinyforge.sync_requests (kind) VALUES ('explain')")
    (request,) = await index.requests.open_requests()
    await index.requests.answer(request, {"explanations": [{"labels": {key: label}}]})
    ((outcome,),) = sql("SELECT outcome FROM tinyforge.sync_requests")
    assert outcome == {"explanations": [{"labels": {readable(key): readable(label)}}]}


@pytest.mark.parametrize("odd", ["'; DROP TABLE tinyforge.sync_requests; --", "%s %(id)s", "\udcff", "x" * 100_000])
async def test_fault_36_whatever_is_asked_about_is_text_and_nothing_else(odd: str, index: LedIndex, database_url: str) -> None:
    async with leading(index) as asked:
        asking = asyncio.create_task(ask(database_url, kind=RequestKind.EXPLAIN, argument=odd, timeout=5))
        request = await answer_one(index, asked, {})
        await asking
    assert request.argument == readable(odd)


def readable(text: str) -> str:
    """Text as PostgreSQL can hold it."""
    return "".join("\ufffd" if letter == "\0" or "\ud800" <= letter <= "\udfff" else letter for letter in text)


def in_utc(url: str) -> str:
    """The address of a database whose sessions tell times in UTC."""
    return psycopg.conninfo.make_conninfo(url, options="-c timezone=UTC")
