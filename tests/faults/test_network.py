"""The network of a leader fails, to the API server, to PostgreSQL, or to both, and is mended; what was sent meanwhile arrives late."""

import time
from collections.abc import Callable

import pytest

from tests.e2e.index import until
from tests.faults.conftest import HOST
from tests.faults.fleet import Fleet, Place, behind_the_fence, gives_up, succeeds
from tests.operator.replicas import QUICK, Replica
from tests.servers.docker_engine import DockerEngine

QUICK_LEASE = 5.0
RUNS_OUT = 12.0
"""Within how many seconds a Lease of 5 s is taken over that nobody renews: 7, and this machine may do much else."""
LEASE = 15.0
LONG_OUTAGE = LEASE + 10


def still_leads(leading: Replica, fleet: Fleet, *others: Replica) -> None:
    """See that nobody was deposed, and that the leader leads as before."""
    until(lambda: leading.metric("tinyforge_observe_only"), 0.0)
    assert fleet.leader[1] == 1
    assert all(replica.process.runs for replica in (leading, *others))
    assert fleet.lease() == fleet.leader[0]
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1]


def api_outage(fleet: Fleet, shop: DockerEngine, *, seconds: float, settings: dict[str, str]) -> None:
    """Take the API server away from everybody, see what the leader does, and give it back."""
    here, there = fleet.place(), fleet.place()
    leading, waiting = fleet.leading(here, **settings), fleet.standing_by(there, **settings)
    fleet.index.becomes({"default/shop:web": "running"})
    here.api.cut()
    there.api.cut()
    cut = time.monotonic()
    until(lambda: leading.metric("tinyforge_observe_only"), 1.0)
    shop.client.kill("web")
    fleet.index.becomes({"default/shop:web": "stopped"})
    time.sleep(max(0.0, cut + seconds - time.monotonic()))
    for replica in (leading, waiting):
        assert replica.ask("/readyz")[0] == 200
    assert (leading.metric("tinyforge_leader"), waiting.metric("tinyforge_leader")) == (1, 0)
    here.api.mend()
    there.api.mend()
    still_leads(leading, fleet, waiting)
    time.sleep(3)
    shop.client.start("web")
    fleet.index.becomes({"default/shop:web": "running"})
    still_leads(leading, fleet, waiting)


@pytest.mark.long
def test_without_the_api_server_for_longer_than_its_lease_a_leader_observes_and_leads_on_when_it_is_back(
    fleet: Fleet, shop: DockerEngine
) -> None:
    api_outage(fleet, shop, seconds=QUICK_LEASE + 3, settings=QUICK)


@pytest.mark.long
def test_so_it_does_with_the_durations_that_are_installed(fleet: Fleet, shop: DockerEngine) -> None:
    api_outage(fleet, shop, seconds=LONG_OUTAGE, settings={})


@pytest.mark.long
def test_a_leader_that_alone_has_no_api_server_is_succeeded_when_its_lease_runs_out_and_ends(
    fleet: Fleet,
) -> None:
    here = fleet.place()
    leading, waiting = fleet.leading(here, **QUICK), fleet.standing_by(**QUICK)
    here.api.cut()
    succeeds(waiting, 2, since=time.monotonic(), within=RUNS_OUT)
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1, 2]


@pytest.mark.long
@pytest.mark.parametrize("cut", [lambda place: place.postgres.cut(), Place.cut], ids=["PostgreSQL", "both"])
def test_a_leader_that_is_cut_off_from_postgresql_is_succeeded_and_ends_when_it_hears_of_it(
    cut: Callable[[Place], None], fleet: Fleet
) -> None:
    here = fleet.place()
    leading, waiting = fleet.leading(here), fleet.standing_by()
    cut(here)
    succeeds(waiting, 2, since=time.monotonic())
    here.mend()
    gives_up(leading, to=fleet.leader[0], epoch=2)
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1, 2]


def test_fault_04_a_leader_cut_off_with_half_a_transaction_sent_is_succeeded_and_the_rest_comes_to_nothing(
    fleet: Fleet,
) -> None:
    here = fleet.place()
    leading, waiting = fleet.leading(here), fleet.standing_by()
    here.postgres.stop_at(behind_the_fence(fleet.leader[0], HOST)).result(10)
    here.cut()
    succeeds(waiting, 2, since=time.monotonic())
    fleet.journal.writes(2)
    here.postgres.go_on()
    here.mend()
    gives_up(leading, to=fleet.leader[0], epoch=2)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == [1, 2]


@pytest.mark.long
def test_while_nobody_has_postgresql_nobody_campaigns_and_the_leader_leads_on_when_it_is_back(fleet: Fleet) -> None:
    places = [fleet.place(), fleet.place()]
    leading, waiting = fleet.leading(places[0]), fleet.standing_by(places[1])
    for place in places:
        place.postgres.cut()
    time.sleep(LONG_OUTAGE)
    for place in reversed(places):  # the standby has it first
        place.postgres.mend()
    fleet.index.passes(HOST)
    time.sleep(8)  # as long as it would take to be deposed
    still_leads(leading, fleet, waiting)


@pytest.mark.long
def test_while_a_leader_is_cut_off_for_less_than_it_takes_to_be_missed_it_leads_on(fleet: Fleet) -> None:
    here = fleet.place()
    leading, waiting = fleet.leading(here), fleet.standing_by()
    for _ in range(3):
        here.cut()
        time.sleep(3)
        here.mend()
        fleet.index.passes(HOST)
    still_leads(leading, fleet, waiting)


@pytest.mark.long
def test_a_standby_that_is_cut_off_from_everything_deposes_nobody_when_it_is_back(fleet: Fleet) -> None:
    there = fleet.place()
    leading, waiting = fleet.leading(), fleet.standing_by(there)
    there.cut()
    time.sleep(LONG_OUTAGE)
    there.mend()
    time.sleep(8)
    still_leads(leading, fleet, waiting)
