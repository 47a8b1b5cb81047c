"""PostgreSQL is started again, and replicas are replaced one after another."""

import itertools
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.controllers import SOON
from tests.e2e.index import Index, until
from tests.faults.conftest import HOST
from tests.faults.fleet import SEEN, Fleet, fleet_on
from tests.operator.installation import Installation
from tests.operator.replicas import Replica
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import OwnPostgres

UNDISTURBED = 5.0
"""For how many seconds nobody writes at most while replicas are replaced: a handover takes 0.2 s and a first pass its time, and this
machine may do much else. Where a Lease has to run out it is more than 15."""
SERVICES = ("one", "two", "three")
MISSED = 8.0
"""Within how many seconds a leader would have been deposed."""


@pytest.fixture
def own_fleet(installation: Installation, own_postgres: OwnPostgres, shop: DockerEngine, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_on(installation, Index(own_postgres, own_postgres.url), tmp_path) as fleet:
        yield fleet


@pytest.mark.long
@pytest.mark.parametrize("seconds", [0, 12])
def test_fault_13_a_restart_of_postgresql_deposes_nobody(seconds: int, own_fleet: Fleet, own_postgres: OwnPostgres) -> None:
    leading, waiting = own_fleet.leading(), own_fleet.standing_by()
    own_postgres.stop()
    time.sleep(seconds)
    own_postgres.start()
    own_fleet.index.passes(HOST)
    time.sleep(MISSED)
    assert (leading.process.runs, waiting.process.runs) == (True, True)
    assert own_fleet.leader[1] == 1
    assert leading.metric("tinyforge_leader") == 1
    assert own_fleet.journal.writers() == [1]
    assert own_fleet.journal.stale() == []


def is_ready(replica: Replica) -> bool:
    return replica.ask("/readyz")[0] == 200


def test_fault_11_while_three_replicas_are_replaced_one_after_another_there_is_always_a_leader_soon_and_never_two(fleet: Fleet) -> None:
    old = [fleet.leading(), fleet.start(), fleet.start()]
    new = []
    for replaced in old:
        new.append(fleet.start())
        until(partial(is_ready, new[-1]), True)
        replaced.process.signal(signal.SIGTERM)
        assert replaced.process.ends(within=SOON) == 0
    until(lambda: sum(replica.metric("tinyforge_leader") for replica in new), 1.0)
    fleet.journal.writes(fleet.leader[1])
    assert all(replica.process.runs for replica in new)
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == list(range(1, fleet.leader[1] + 1))
    assert fleet.journal.longest_gap() < UNDISTURBED


@contextmanager
def changing(engine: DockerEngine) -> Iterator["Future[str]"]:
    """Start and remove containers of one service after another during a block; then one service has one, which is what is told."""
    over = threading.Event()

    def change() -> str:
        for number, service in enumerate(itertools.cycle(SERVICES)):
            container = engine.create(f"{service}-{number}", belonging_to("shop", service), start=True)
            if over.wait(0.5):
                return service
            engine.client.remove_container(container, force=True)
        raise AssertionError

    with ThreadPoolExecutor(1) as pool:
        try:
            yield pool.submit(change)
        finally:
            over.set()


def leaders(replicas: list[Replica]) -> float:
    """How many lead, which is never more than one."""
    leading = sum(replica.metric("tinyforge_leader") for replica in replicas)
    assert leading <= 1
    return leading


@pytest.mark.long
def test_fault_01_and_11_while_three_replicas_are_killed_and_replaced_one_after_another_the_index_stays_true(
    fleet: Fleet, shop: DockerEngine
) -> None:
    old, new = [fleet.leading(), fleet.start(), fleet.standing_by()], []
    with changing(shop) as changes:
        while old:
            new.append(fleet.start())
            until(partial(is_ready, new[-1]), True)
            killed = max(old, key=lambda replica: replica.metric("tinyforge_leader"))
            old.remove(killed)
            killed.process.kill()
            until(partial(leaders, [*old, *new]), 1.0)
            fleet.journal.writes(fleet.leader[1])
    left = changes.result()
    there = {f"default/shop:{service}": "running" if service == left else "missing (ContainerGone)" for service in SERVICES}
    fleet.index.becomes({"default/shop:web": "running"} | there)
    assert all(replica.process.runs for replica in new)
    assert leaders(new) == 1
    assert fleet.journal.stale() == []
    assert fleet.journal.writers() == list(range(1, fleet.leader[1] + 1))
    assert fleet.leader[1] > 1
    assert fleet.journal.longest_gap() < SEEN
