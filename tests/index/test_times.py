"""Times are PostgreSQL's own, they say when an answer was asked for, and they never move back (rule T2)."""

from datetime import datetime, timedelta

import pytest

from tests.index.conftest import Sql
from tests.index.examples import HOST, complete, new, row
from tinyforge.domain.hosts import HostState
from tinyforge.domain.index_plan import Change
from tinyforge.domain.rows import MISSING
from tinyforge.index.led import LedIndex
from tinyforge.ports import FailedPass


async def test_t2_a_passs_time_is_the_moment_its_list_was_asked_for(index: LedIndex, sql: Sql) -> None:
    before = clock(sql)
    await index.containers.complete(complete(new(row()), elapsed=7.5))
    after = clock(sql)
    ((at, seen, passed),) = sql(
        "SELECT last_complete_pass_at, last_seen_at, last_pass_at FROM tinyforge.hosts JOIN tinyforge.containers ON host = name"
    )
    assert before <= at + timedelta(seconds=7.5) <= after
    assert at == seen == passed


async def test_t2_missing_since_is_the_moment_the_list_was_asked_for(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(row()), elapsed=60))
    await index.containers.complete(complete([Change(row=row(state=MISSING), over=row())], elapsed=5))
    ((gap, since_is_as_of),) = sql(
        "SELECT extract(epoch FROM missing_since - last_seen_at), missing_since = last_complete_pass_at"
        " FROM tinyforge.hosts JOIN tinyforge.containers ON host = name"
    )
    assert 54 < gap < 56
    assert since_is_as_of


@pytest.mark.parametrize("elapsed", [0.5, 3600.0])
async def test_t2_a_list_that_took_long_never_moves_a_time_back(elapsed: float, index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(row())))
    before = sql("SELECT last_complete_pass_at, last_pass_at FROM tinyforge.hosts")
    await index.containers.complete(complete(new(row("default/app:late")), elapsed=elapsed))
    assert sql("SELECT last_complete_pass_at, last_pass_at FROM tinyforge.hosts") == before
    assert sql("SELECT DISTINCT last_seen_at FROM tinyforge.containers") == [(before[0][0],)]


async def test_t2_a_failed_pass_is_at_the_moment_it_failed_and_moves_nothing_back(index: LedIndex, sql: Sql) -> None:
    sql("UPDATE tinyforge.hosts SET last_pass_at = now() + interval '1 hour', last_complete_pass_at = now() + interval '1 hour'")
    before = sql("SELECT last_pass_at, last_complete_pass_at FROM tinyforge.hosts")
    await index.containers.fail(FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message=""))
    await index.containers.complete(complete())
    assert sql("SELECT last_pass_at, last_complete_pass_at FROM tinyforge.hosts") == before


def clock(sql: Sql) -> datetime:
    """What PostgreSQL's clock says."""
    ((now,),) = sql("SELECT clock_timestamp()")
    assert isinstance(now, datetime)
    return now
