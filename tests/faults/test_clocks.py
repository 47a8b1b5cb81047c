"""A clock is moved by an hour, of the replicas or of PostgreSQL: nobody decides anything by it. (libfaketime moves that of one program.)"""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.index import Index
from tests.faults.conftest import HOST
from tests.faults.fleet import SEEN, Fleet, fleet_on, freeze, gives_up, succeeds, wake
from tests.operator.installation import Installation
from tests.operator.replicas import QUICK
from tests.servers.docker_engine import DockerEngine
from tests.servers.folders import roomy
from tests.servers.postgres import OwnPostgres, cluster_folder

HOUR = 3600
MISSED = 8.0
"""Within how many seconds a leader would have been deposed whose Lease lasts for 5."""
RUNS_OUT = 30.0
"""Within how many seconds a Lease of 15 s is taken over that nobody renews: 17, and this machine may do much else."""


class Clock:
    """A clock, for the programs that are started with `settings`."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.move(0)
        file.chmod(0o644)

    @property
    def settings(self) -> dict[str, str]:
        """What libfaketime reads; it leaves alone the clocks that nobody can set."""
        files = subprocess.run(["dpkg", "-L", "libfaketime"], capture_output=True, text=True, check=True).stdout.splitlines()
        (library,) = [file for file in files if file.endswith("/libfaketimeMT.so.1")]
        return {"LD_PRELOAD": library, "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_NO_CACHE": "1", "DONT_FAKE_MONOTONIC": "1"}

    def move(self, seconds: int) -> None:
        """Set it to so many seconds from now."""
        changed = self._file.with_suffix(".new")
        changed.write_text(f"{seconds:+d}\n")
        changed.chmod(0o644)
        changed.rename(self._file)


@pytest.mark.long
@pytest.mark.parametrize("seconds", [HOUR, -HOUR])
def test_fault_09_when_the_clocks_of_both_replicas_move_nobody_is_deposed_and_who_dies_is_succeeded_as_ever(
    seconds: int, fleet: Fleet, tmp_path: Path
) -> None:
    here, there = Clock(tmp_path / "here"), Clock(tmp_path / "there")
    leading, waiting = fleet.leading(**here.settings, **QUICK), fleet.standing_by(**there.settings, **QUICK)
    here.move(seconds)
    there.move(-seconds)
    time.sleep(MISSED)
    fleet.index.passes(HOST)
    assert (leading.process.runs, waiting.process.runs, fleet.leader[1]) == (True, True, 1)
    assert leading.metric("tinyforge_observe_only") == 0
    leading.process.kill()
    succeeds(waiting, 2, since=time.monotonic())
    fleet.journal.writes(2)
    assert fleet.journal.stale() == []


@pytest.fixture
def database_clock() -> Iterator[Clock]:
    with cluster_folder(roomy()) as folder:
        yield Clock(folder / "clock")


@pytest.fixture
def clocked_fleet(
    installation: Installation,
    database_clock: Clock,
    own_postgres: OwnPostgres,
    shop: DockerEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Fleet]:
    """Replicas on a PostgreSQL whose clock is ours."""
    own_postgres.stop()
    with monkeypatch.context() as environment:
        for name, value in database_clock.settings.items():
            environment.setenv(name, value)
        own_postgres.start()
    with fleet_on(installation, Index(own_postgres, own_postgres.url), tmp_path) as fleet:
        yield fleet


@pytest.mark.long
@pytest.mark.parametrize(("seconds", "within"), [(HOUR, SEEN), (-HOUR, RUNS_OUT)], ids=["ahead", "back"])
def test_when_the_clock_of_postgresql_moves_nobody_is_deposed_and_who_freezes_is_succeeded(
    seconds: int, within: float, clocked_fleet: Fleet, database_clock: Clock
) -> None:
    """Back, the server seems not to have started yet, and is not believed before it has: the Lease has to run out then."""
    leading, waiting = clocked_fleet.leading(), clocked_fleet.standing_by()
    ((before,),) = clocked_fleet.index.sql("SELECT now()")
    database_clock.move(seconds)
    ((after,),) = clocked_fleet.index.sql("SELECT now()")
    assert abs((after - before).total_seconds() - seconds) < 60
    time.sleep(MISSED)
    assert (leading.process.runs, waiting.process.runs, clocked_fleet.leader[1]) == (True, True, 1)
    freeze(leading)
    succeeds(waiting, 2, since=time.monotonic(), within=within)
    wake(leading)
    gives_up(leading, to=clocked_fleet.leader[0], epoch=2)
    clocked_fleet.journal.writes(2)
    assert clocked_fleet.journal.stale() == []
