"""No order of steps lets a leader write after its time: all of them for two leaders, many of them for three (leadership: I1, I2, I3).

And the search would find it: with any part of the fence taken out, it does.
"""

from collections.abc import Callable
from itertools import combinations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.index.interleaving import lives
from tinyforge.index.schema import Migration, migrate, migrations

OLD, NEW, NEWEST = 0, 1, 2
OLD_STEPS, NEW_STEPS = 3, 6
SCHEDULES = [
    [OLD if turn in turns_of_old else NEW for turn in range(OLD_STEPS + NEW_STEPS)]
    for turns_of_old in combinations(range(OLD_STEPS + NEW_STEPS), OLD_STEPS)
]
THREE_LIVES = [OLD] * OLD_STEPS + [NEW] * NEW_STEPS + [NEWEST] * NEW_STEPS

WITHOUT: dict[str, Callable[[str], str]] = {
    "the shared lock": lambda sql: sql.replace("PERFORM pg_advisory_xact_lock_shared(8388357248642937447);", ""),
    "a snapshot newer than the lock": lambda sql: sql.replace("plpgsql VOLATILE", "plpgsql STABLE", 1),
    "raising": lambda sql: sql.replace("IF leader.epoch IS DISTINCT", "RETURN; IF leader.epoch IS DISTINCT"),
    "a look at the epoch": lambda sql: sql.replace(
        "leader.epoch IS DISTINCT FROM my_epoch OR leader.holder IS DISTINCT FROM my_holder", "leader IS NULL"
    ),
}


async def test_p7_in_no_order_of_steps_does_a_deposed_leader_write(database_url: str) -> None:
    assert not await first_wrong(database_url)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(schedule=st.permutations(THREE_LIVES))
async def test_p7_nor_with_a_third_leader(schedule: list[int], database_url: str) -> None:
    async with lives(database_url, 3) as three:
        assert not await three.wrong(schedule)


@pytest.mark.parametrize("part", WITHOUT)
async def test_p7_without_a_part_of_the_fence_some_order_does(part: str, empty_database_url: str) -> None:
    (first, *_) = migrations()
    crippled = WITHOUT[part](first.sql)
    assert crippled != first.sql
    await migrate(empty_database_url, [Migration(first.id, crippled)])
    assert await first_wrong(empty_database_url)


async def first_wrong(url: str) -> str:
    """Try the schedules of two lives one after the other; return the first after which something is as it may never be."""
    async with lives(url, 2) as two:
        for schedule in SCHEDULES:
            if found := await two.wrong(schedule):
                return f"{schedule}: {found}"
    return ""
