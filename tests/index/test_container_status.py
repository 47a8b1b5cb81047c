"""A reader can always tell stopped, missing and unknown apart, and how old the answer is (rule T1)."""

from typing import Any, LiteralString

import pytest

from tests.index.conftest import Sql
from tests.index.examples import HOST, STALE_AFTER, complete, declare, host, new, row
from tests.index.test_pass_write import insert
from tinyforge.domain.hosts import HostState
from tinyforge.domain.index_plan import Change, MissingReason
from tinyforge.domain.rows import MISSING
from tinyforge.index.led import LedIndex
from tinyforge.ports import FailedPass

STATUS: LiteralString = "SELECT effective_state, reason FROM tinyforge.container_status"


async def passed(index: LedIndex) -> None:
    """A complete pass that found a running container."""
    await index.containers.complete(complete(new(row())))


async def test_t1_a_row_of_a_host_that_answers_is_what_it_is(index: LedIndex, sql: Sql) -> None:
    states = ["created", "failed", "on fire", "paused", "removing", "restarting", "running", "stopped"]
    await index.containers.complete(complete(new(*(row(state, state=state) for state in states))))
    assert sql(f"{STATUS} ORDER BY id") == [(state, "") for state in states]


async def test_t1_missing_says_why(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(*(row(reason, state=MISSING, state_reason=reason) for reason in MissingReason))))
    assert sql(f"{STATUS} ORDER BY reason") == [("missing", reason) for reason in ("ContainerGone", "NotMatched", "WorkloadRemoved")]


UNKNOWN: dict[str, LiteralString] = {
    "HostUnreachable": "UPDATE tinyforge.hosts SET state = 'unreachable'",
    "HostSuspended": "UPDATE tinyforge.hosts SET state = 'suspended'",
    "EngineChanged": "UPDATE tinyforge.hosts SET state = 'engine_changed'",
    "HostRemoved": "UPDATE tinyforge.hosts SET state = 'removed', removed_at = now()",
    "NeverSeen": "UPDATE tinyforge.hosts SET state = 'new', last_complete_pass_at = NULL",
    "Stale": "UPDATE tinyforge.hosts SET last_complete_pass_at = now() - stale_after - interval '1 second'",
}


@pytest.mark.parametrize("reason", UNKNOWN)
async def test_t1_unknown_says_why_whatever_was_last_known_and_that_can_still_be_read(reason: str, index: LedIndex, sql: Sql) -> None:
    states = ["failed", MISSING, "running", "stopped"]
    await index.containers.complete(complete(new(*(row(state, state=state) for state in states))))
    sql(UNKNOWN[reason])
    assert sql(f"{STATUS} ORDER BY id") == [("unknown", reason) for _ in states]
    assert sql("SELECT state FROM tinyforge.container_status ORDER BY id") == [(state,) for state in states]


@pytest.mark.parametrize("reason", UNKNOWN)
async def test_t1_a_row_without_a_container_keeps_its_state_whatever_its_host_does(reason: str, index: LedIndex, sql: Sql) -> None:
    await passed(index)
    sql(UNKNOWN[reason])
    insert(sql, row("pre-created", container_id="", state="failed", state_reason="PullFailed", seen=False))
    assert sql(f"{STATUS} WHERE id = 'pre-created'") == [("failed", "PullFailed")]


async def test_t1_a_row_of_a_host_that_nobody_declared_is_of_a_host_never_seen(index: LedIndex, sql: Sql) -> None:
    insert(sql, row(host="nowhere", seen=False))
    assert sql(STATUS) == [("unknown", "NeverSeen")]


async def test_t1_an_answer_gets_stale_by_itself_with_nobody_leading(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(row()), stale_after=300.0))
    sql("UPDATE tinyforge.hosts SET last_complete_pass_at = now() - interval '299 seconds'")
    assert sql(STATUS) == [("running", "")]
    sql("UPDATE tinyforge.hosts SET last_complete_pass_at = now() - interval '301 seconds'")
    assert sql(STATUS) == [("unknown", "Stale")]


@pytest.mark.parametrize(("state", "reason"), [(HostState.UNREACHABLE, "HostUnreachable"), (HostState.ENGINE_CHANGED, "EngineChanged")])
async def test_t1_a_failed_pass_makes_its_rows_unknown_and_the_next_complete_one_true_again(
    state: HostState, reason: str, index: LedIndex, sql: Sql
) -> None:
    await passed(index)
    await index.containers.fail(FailedPass(host=HOST, state=state, reason="Timeout", message=""))
    assert sql(STATUS) == [("unknown", reason)]
    await index.containers.complete(complete())
    assert sql(STATUS) == [("running", "")]


async def test_t1_a_suspended_host_makes_its_rows_unknown_until_the_first_pass_after_it(index: LedIndex, sql: Sql) -> None:
    await passed(index)
    await index.mirror.write(declare(host(suspended=True)), stale_after=STALE_AFTER)
    assert sql(STATUS) == [("unknown", "HostSuspended")]
    await index.mirror.write(declare(host()), stale_after=STALE_AFTER)
    assert sql(STATUS) == [("unknown", "HostSuspended")]
    await index.containers.complete(complete())
    assert sql(STATUS) == [("running", "")]


async def test_s5_a_removed_hosts_rows_stay_unknown_and_are_true_at_the_first_pass_once_it_is_declared_again(
    index: LedIndex, sql: Sql
) -> None:
    await passed(index)
    await index.mirror.write(declare(remove_hosts=[HOST]), stale_after=STALE_AFTER)
    assert sql(STATUS) == [("unknown", "HostRemoved")]
    assert sql("SELECT state, container_id FROM tinyforge.containers") == [("running", row().container_id)]
    await index.mirror.write(declare(host()), stale_after=STALE_AFTER)
    assert sql(STATUS) == [("unknown", "Stale")], "nobody has looked since"
    await index.containers.complete(complete())
    assert sql(STATUS) == [("running", "")]


async def test_s5_a_host_removed_twice_keeps_the_time_of_the_first(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(remove_hosts=[HOST]), stale_after=STALE_AFTER)
    first = sql("SELECT removed_at FROM tinyforge.hosts")
    await index.mirror.write(declare(remove_hosts=[HOST]), stale_after=STALE_AFTER)
    assert sql("SELECT removed_at FROM tinyforge.hosts") == first


async def test_w5_a_present_row_reads_as_seen_at_the_last_complete_pass_and_is_not_written_for_it(index: LedIndex, sql: Sql) -> None:
    await passed(index)
    before = times(sql)
    await index.containers.complete(complete())
    after = times(sql)
    assert after["as_of"] > before["as_of"]
    assert after["read"] == after["as_of"]
    assert after["stored"] == before["stored"] == before["as_of"]


async def test_w5_a_failed_pass_does_not_renew_what_was_seen(index: LedIndex, sql: Sql) -> None:
    await passed(index)
    before = times(sql)
    await index.containers.fail(FailedPass(host=HOST, state=HostState.UNREACHABLE, reason="Timeout", message=""))
    assert times(sql) == before


async def test_w5_a_row_that_no_pass_has_seen_reads_as_never_seen(index: LedIndex, sql: Sql) -> None:
    insert(sql, row(seen=False))
    await index.containers.complete(complete())
    assert times(sql)["read"] is None


async def test_s1_a_row_turned_missing_reads_as_seen_at_the_pass_before(index: LedIndex, sql: Sql) -> None:
    await passed(index)
    await index.containers.complete(complete())
    seen = times(sql)["as_of"]
    gone = row(state=MISSING, state_reason="ContainerGone")
    await index.containers.complete(complete([Change(row=gone, over=row())]))
    found = times(sql)
    assert (found["read"], found["missing"]) == (seen, found["as_of"])
    await index.containers.complete(complete())
    assert {**times(sql), "as_of": found["as_of"]} == found, "and stays so"


def times(sql: Sql) -> dict[str, Any]:
    """The times of the one row there is: as read through the view, and as stored."""
    ((read, missing, as_of, stored),) = sql(
        "SELECT status.last_seen_at, status.missing_since, status.as_of, containers.last_seen_at"
        " FROM tinyforge.container_status AS status JOIN tinyforge.containers USING (id)"
    )
    return {"read": read, "missing": missing, "as_of": as_of, "stored": stored}
