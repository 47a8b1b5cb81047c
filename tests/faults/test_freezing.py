"""A leader is frozen and wakes up: another one leads by then, and nothing of the frozen one's is ever written."""

import time

import psycopg
import pytest

from tests.e2e.index import until
from tests.faults.conftest import HOST
from tests.faults.fleet import Fleet, before_the_fence, freeze, gives_up, succeeds, wake

LATE = 1.0
"""How long PostgreSQL may take to carry out what it was sent late."""


def test_fault_03_a_leader_that_is_frozen_is_succeeded_and_wakes_up_to_end_without_a_write(fleet: Fleet) -> None:
    leading, waiting = fleet.leading(), fleet.standing_by()
    freeze(leading)
    succeeds(waiting, 2, since=time.monotonic())
    wake(leading)  # the moment that is worst: the other one has only just begun
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1, 2]
    assert fleet.lease() == fleet.leader[0]


@pytest.mark.long
def test_fault_03_a_leader_that_wakes_up_with_no_api_server_to_tell_it_ends_all_the_same_without_a_write(fleet: Fleet) -> None:
    place = fleet.place()
    leading, waiting = fleet.leading(place), fleet.standing_by()
    freeze(leading)
    succeeds(waiting, 2, since=time.monotonic())
    place.api.cut()
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []


@pytest.mark.long
def test_a_leader_that_is_frozen_for_less_than_it_takes_to_be_missed_leads_on(fleet: Fleet) -> None:
    leading, waiting = fleet.leading(), fleet.standing_by()
    for _ in range(3):
        freeze(leading)
        time.sleep(3.5)
        wake(leading)
        time.sleep(1)
    assert (leading.process.runs, waiting.process.runs, fleet.leader[1]) == (True, True, 1)
    assert leading.ask("/healthz")[0] == 200


@pytest.mark.long
def test_what_is_on_its_way_to_the_fence_is_refused_there_when_another_one_has_claimed_meanwhile(fleet: Fleet) -> None:
    """Somebody empties the Lease, for that is quick: a transaction that only waits is ended by PostgreSQL after 5 s."""
    place = fleet.place()
    leading, waiting = fleet.leading(place), fleet.standing_by()
    place.postgres.stop_at(before_the_fence(fleet.leader[0], HOST)).result(10)
    freeze(leading)
    fleet.empty_the_lease()
    succeeds(waiting, 2, since=time.monotonic())
    place.postgres.go_on()
    time.sleep(LATE)
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []


@pytest.mark.long
def test_fault_04_a_leader_that_is_frozen_while_its_transaction_waits_for_a_row_is_succeeded_and_writes_nothing_more(fleet: Fleet) -> None:
    leading, waiting = fleet.leading(), fleet.standing_by()
    with psycopg.connect(fleet.index.url) as psql:
        psql.execute("SELECT FROM tinyforge.hosts FOR UPDATE")
        until(lambda: fleet.open_transactions, 1)
        freeze(leading)
        succeeds(waiting, 2, since=time.monotonic())
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
