"""The benchmark of leadership works: it prints all of its figures, and counts from the loss of a leader to what came of it."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from tests.benchmarks.figures import Section
from tests.benchmarks.leadership.bench import LeadershipBench
from tests.benchmarks.leadership.losses import LOSSES, PLANNED
from tests.benchmarks.leadership.moments import Takeover, moments_of
from tests.benchmarks.leadership.outcomes import ClientGo, Tinyforge
from tests.benchmarks.leadership.schedulers import options, scheduler_in
from tests.e2e.index import Index
from tests.faults.journal import Journal
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes import ROOT
from tests.servers.postgres import Postgres

NAMES = [
    "until the next leader has claimed, p50",
    "until the next leader has claimed, max",
    "until it has written its first row, p50",
    "until it has written its first row, max",
    "stale rows written",
]
WRITTEN = "INSERT INTO journal (at, what, session, claimed, transaction, seen) SELECT %s, %s, %s, %s, '1', '1:1:'"


def cells(section: Section) -> list[str]:
    return [str(figure.cell) for figure in section.figures]


def test_a_handover_is_measured_beside_client_go(
    cluster: Cluster, docker_engine: DockerEngine, postgres_server: Postgres, kubernetes_programs: str
) -> None:
    bench = LeadershipBench(
        cluster=cluster,
        engine=docker_engine,
        postgres=postgres_server,
        scheduler=scheduler_in(kubernetes_programs),
        say=lambda _: None,
    )
    columns = bench.measure(2, [PLANNED])
    assert list(columns) == ["Tinyforge", "client-go"]
    for (section,) in columns.values():
        assert section.title == PLANNED.name
        assert [figure.name for figure in section.figures] == NAMES
    ((ours,), (theirs,)) = columns.values()
    claimed, last_claimed, worked, last_worked, stale = (figure.value for figure in ours.figures)
    assert 0 < claimed < worked
    assert claimed <= last_claimed < last_worked
    assert stale == 0
    assert 0 < theirs.figures[0].value <= theirs.figures[1].value


@pytest.mark.long
@pytest.mark.timeout(300)
def test_the_table_has_every_way_to_lose_a_leader() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--part", "leadership", "--runs", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    title, *lines = [line.strip() for line in done.stdout.splitlines() if line.strip(" ─")]
    assert title.split() == ["Tinyforge", "client-go", "target"]
    names = [name for loss in LOSSES for name in (loss.name, *NAMES)]
    for name, line in zip(names, lines, strict=False):
        assert line.startswith(name)
    assert " ".join(lines[len(names) :]).startswith("1 runs each. Time counts from the signal, or from the cut.")


def test_the_middle_and_the_longest_of_takeovers_are_shown_and_only_the_longest_may_miss_its_target() -> None:
    takeovers = [Takeover(claimed=claimed, worked=2 * claimed) for claimed in (0.05, 0.11, 0.06)]
    ours = Tinyforge(loss=PLANNED, takeovers=takeovers, stale_rows=1)
    assert cells(ours.section) == ["0.06 s", "0.11 s  met", "0.12 s", "0.22 s  missed", "1  missed"]
    theirs = ClientGo(loss=PLANNED, seconds=[1.5, 4.0, 2.0])
    assert cells(theirs.section) == ["2.00 s", "4.00 s", "–", "–", "–"]


def test_a_takeover_is_a_claim_and_what_whoever_claimed_writes_then(postgres_server: Postgres, database_url: str) -> None:
    Journal(Index(postgres_server, database_url))
    since = datetime.now(UTC)

    def writes(session: str, after: float, *, claim: int | None = None) -> None:
        what = "hosts" if claim is None else "leaders"
        psql.execute(WRITTEN, (since + timedelta(seconds=after), what, session, claim))

    with psycopg.connect(database_url, autocommit=True) as psql, moments_of(database_url) as moments:
        writes("old", -2, claim=1)
        writes("old", -1)
        writes("new", 0.5, claim=2)
        writes("old", 0.6)
        writes("new", 0.75)
        writes("new", 1)
        assert moments.takeover(2, since=since) == Takeover(claimed=0.5, worked=0.75)
        assert since <= moments.now() <= datetime.now(UTC)


def test_client_go_has_the_durations_that_tinyforge_has_by_default() -> None:
    assert {"--leader-elect-lease-duration=15s", "--leader-elect-renew-deadline=10s", "--leader-elect-retry-period=2s"} < set(
        options("any")
    )
