"""A leader is frozen and wakes up: another one leads by then, and nothing of the frozen one's is ever written."""

import signal
import time

import psycopg
import pytest

from tests.e2e.index import until
from tests.faults.conftest import HOST
from tests.faults.fleet import Fleet, before_the_fence, behind_the_fence, freeze, gives_up, is_stopped, succeeds, wake
from tests.operator.replicas import QUICK

STOP = "TINYFORGE_TEST_STOP_AT"
HELD = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
CAMPAIGN = 10.0
"""How many seconds a campaign may take."""
LATE = 1.0
"""How long PostgreSQL may take to carry out what it was sent late."""
RUNS_OUT = 12.0
"""Within how many seconds a Lease of 5 s is taken over that nobody renews: 7, and this machine may do much else."""


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
@pytest.mark.parametrize("seconds", [12, 20, 60])
def test_fault_03_however_long_a_leader_is_frozen_it_writes_nothing_when_it_wakes_up(seconds: int, fleet: Fleet) -> None:
    leading, waiting = fleet.leading(), fleet.standing_by()
    freeze(leading)
    frozen = time.monotonic()
    succeeds(waiting, 2, since=frozen)
    fleet.journal.writes(2)
    time.sleep(max(0.0, frozen + seconds - time.monotonic()))
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1, 2]


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
def test_fault_04_a_leader_frozen_with_half_a_transaction_sent_is_succeeded_and_the_rest_comes_to_nothing(
    fleet: Fleet,
) -> None:
    """What the fence has let in holds its lock, and is ended by the claim."""
    place = fleet.place()
    leading, waiting = fleet.leading(place), fleet.standing_by()
    place.postgres.stop_at(behind_the_fence(fleet.leader[0], HOST)).result(10)
    until(lambda: fleet.index.sql(HELD), [(1,)])
    freeze(leading)
    succeeds(waiting, 2, since=time.monotonic())
    fleet.journal.writes(2)
    place.postgres.go_on()
    time.sleep(LATE)
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1, 2]


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
        until(lambda: fleet.index.sql(HELD), [(1,)])
        freeze(leading)
        succeeds(waiting, 2, since=time.monotonic())
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []


@pytest.mark.long
@pytest.mark.parametrize("step", ["before-renewal", "after-renewal-sent"])
def test_fault_03_a_leader_that_is_frozen_at_a_step_of_its_term_is_succeeded_and_ends(step: str, fleet: Fleet) -> None:
    leading = fleet.start(**{STOP: step})
    is_stopped(leading)
    assert fleet.leader[1] == 1
    waiting = fleet.start()
    waiting.process.says("stands by for the Lease")
    succeeds(waiting, 2, since=time.monotonic())
    wake(leading)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
    assert fleet.lease() == fleet.leader[0]


@pytest.mark.long
def test_fault_03_who_is_frozen_right_after_its_claim_is_succeeded_and_knows_that_it_took_too_long(fleet: Fleet) -> None:
    frozen = fleet.start(**{STOP: "after-claim"})
    is_stopped(frozen)
    since = time.monotonic()
    waiting = fleet.start()
    waiting.process.says("stands by for the Lease")
    succeeds(waiting, 2, since=time.monotonic())
    time.sleep(max(0.0, since + CAMPAIGN - time.monotonic()))
    wake(frozen)
    assert frozen.process.ends() == 1
    assert frozen.process.said("Error: the campaign with epoch 1 took ") == 1
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [2]
    assert fleet.lease() == fleet.leader[0]


@pytest.mark.long
@pytest.mark.parametrize("step", ["after-put", "before-claim"])
def test_fault_03_who_is_frozen_between_lease_and_claim_is_succeeded_when_the_lease_runs_out_and_never_claims(
    step: str, fleet: Fleet
) -> None:
    frozen = fleet.start(**{STOP: step}, **QUICK)
    is_stopped(frozen)
    waiting = fleet.start(**QUICK)
    waiting.process.says("stands by for the Lease")
    succeeds(waiting, 2, since=time.monotonic(), within=RUNS_OUT)
    wake(frozen)
    gives_up(frozen, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [2]
    assert fleet.lease() == fleet.leader[0]


@pytest.mark.long
def test_fault_03_who_is_frozen_before_it_takes_the_lease_comes_too_late_and_stands_by(fleet: Fleet) -> None:
    frozen = fleet.start(**{STOP: "before-put"})
    is_stopped(frozen)
    quicker = fleet.leading()
    wake(frozen)
    time.sleep(3)
    assert (frozen.process.runs, quicker.process.runs) == (True, True)
    assert frozen.process.said("leads with epoch") == 0
    assert fleet.lease() == fleet.leader[0]
    quicker.process.signal(signal.SIGTERM)
    frozen.elected(2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []


@pytest.mark.long
@pytest.mark.parametrize("step", ["after-fresh-read", "before-release"])
def test_fault_03_who_is_frozen_while_it_gives_its_lease_back_is_succeeded_and_leaves_its_successors_lease_alone(
    step: str, fleet: Fleet
) -> None:
    leading = fleet.leading(**{STOP: step})
    waiting = fleet.standing_by()
    leading.process.signal(signal.SIGTERM)
    is_stopped(leading)
    succeeds(waiting, 2, since=time.monotonic())
    wake(leading)
    assert leading.process.ends() == 0
    fleet.journal.writes(2)
    assert leading.process.said("the Lease was given back") == 0
    assert fleet.lease() == fleet.leader[0] != ""
    assert fleet.leader[1] == 2
    assert fleet.journal.stale() == []
