"""A claim gets through soon, whatever its predecessor is doing or has stopped doing, and nothing of that one is written after it."""

import asyncio
import time
from contextlib import ExitStack

import pytest

from tests.index.conftest import Open, Sql
from tests.index.leader_process import leader_process
from tests.index.waiting import until
from tinyforge.index.database import Connection
from tinyforge.index.leadership import EpochClaiming, Identity, claim
from tinyforge.ports import Fenced

FROZEN_SECONDS = 8.0
"""What a frozen process may cost (fault 4), of which 6 go by before anybody takes it for frozen."""


async def claim_by_lease(url: str, epoch: int) -> float:
    """Claim an epoch as whoever won the Lease does, and return how many seconds that took."""
    begun = time.monotonic()
    await EpochClaiming(conninfo=url, identity=Identity.draw(), driver="standalone", lease="uid/tinyforge", take_over=False).claim(
        epoch, give_up=lambda: time.monotonic() > begun + 10
    )
    return time.monotonic() - begun


@pytest.mark.parametrize("inside", ["transaction", "copy in", "copy out"])
async def test_fault_04_a_leader_frozen_inside_a_fenced_transaction_is_ended_by_the_next_claim_and_has_written_nothing(
    inside: str, database_url: str, sql: Sql
) -> None:
    term = await claim(database_url, Identity.draw())
    with leader_process(inside, database_url, term) as frozen:
        frozen.freeze()
        assert await claim_by_lease(database_url, 2) < FROZEN_SECONDS - 6
        assert frozen.go_on() in {"AdminShutdown", "OperationalError"}
    assert sql("SELECT count(*) FROM tinyforge.containers") == [(0,)]


async def test_fault_04_a_leader_stalled_inside_a_transaction_for_a_while_only_has_written_before_the_claim(
    database_url: str, sql: Sql
) -> None:
    term = await claim(database_url, Identity.draw())
    with leader_process("transaction", database_url, term) as slow:
        claiming = asyncio.create_task(claim_by_lease(database_url, 2))
        await until(lambda: sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'advisory'") == [(1,)])
        assert slow.go_on() == "committed"
        assert await claiming < 1
    assert sql("SELECT id FROM tinyforge.containers ORDER BY id") == [("late",), ("later",)]


async def test_a_claim_gets_through_eight_overlapping_fenced_transactions_within_a_second(database_url: str, opened: Open) -> None:
    term = await claim(database_url, Identity.draw())
    database = await opened(database_url, size=8)
    written = 0

    async def sleep(connection: Connection) -> None:
        nonlocal written
        await connection.execute("SELECT pg_sleep(0.05)")
        written += 1

    async def write_on() -> None:
        while True:
            await database.write(term, sleep)

    writing = [asyncio.create_task(write_on()) for _ in range(8)]
    await until(lambda: written > 16)
    assert await claim_by_lease(database_url, 2) < 1
    assert {type(it) for it in await asyncio.gather(*writing, return_exceptions=True)} == {Fenced}


async def test_p7_of_many_processes_that_write_as_fast_as_they_can_none_writes_a_row_after_the_next_claim(
    database_url: str, sql: Sql
) -> None:
    def rows(epoch: int) -> int:
        ((number,),) = sql("SELECT count(*) FROM tinyforge.containers WHERE workload_id = %s", str(epoch))
        return int(number)

    at_the_claim: dict[int, int] = {}
    with ExitStack() as stack:
        leaders = []
        for epoch in range(1, 6):
            term = await claim(database_url, Identity.draw())
            if epoch > 1:
                at_the_claim[epoch - 1] = rows(epoch - 1)
            assert term.epoch == epoch
            leaders.append(await asyncio.to_thread(stack.enter_context, leader_process("writing", database_url, term)))
        at_the_claim[6] = 0
        await claim(database_url, Identity.draw())
        at_the_claim[5] = rows(5)
        assert [leader.go_on() for leader in leaders] == ["Fenced"] * 5
    assert all(at_the_claim[epoch] for epoch in range(1, 6))
    assert {epoch: rows(epoch) for epoch in range(1, 7)} == at_the_claim
