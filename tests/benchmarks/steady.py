"""A steady pass (nothing has changed since the last one) beside the bare list, as curl gets it from the same engine."""

import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import psycopg

from tests.benchmarks.figures import AtMost, Figure, Section, milliseconds
from tests.benchmarks.passes import successful_pass
from tests.benchmarks.rounds import interleaved, typical, typical_ratio
from tinyforge.reconcile.passes import HostPasses

WAL_POSITION = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"


@dataclass(frozen=True, slots=True, kw_only=True)
class SteadyPass:
    """One pass: its time and this process's CPU time in seconds, the rows it wrote, and what PostgreSQL logged meanwhile, in bytes."""

    seconds: float
    cpu_seconds: float
    written: int
    wal: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BareList:
    """One list by curl, in seconds: from the start of curl's process to its end, and what of that it took by its own clock."""

    seconds: float
    own_seconds: float


@dataclass(frozen=True, slots=True)
class Lister:
    """Lists all containers of an engine by curl."""

    socket: Path
    api_version: str

    def list(self) -> BareList:
        """Let curl do it once."""
        url = f"http://docker/v{self.api_version}/containers/json?all=1"
        command = ["curl", "-q", "-s", "--fail", "-o", "/dev/null", "-w", "%{time_total}", "--unix-socket", str(self.socket), url]
        begun = time.perf_counter()
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return BareList(seconds=time.perf_counter() - begun, own_seconds=float(done.stdout))


async def steady_section(passes: HostPasses, lister: Lister, *, url: str, rounds: int) -> Section:
    """Measure both in turn; `url` is the database that the passes write to."""
    with psycopg.connect(url, autocommit=True) as session:

        async def run_pass(_: int) -> SteadyPass:
            before = wal_position(session)
            begun, cpu_begun = time.perf_counter(), time.process_time()
            report = await successful_pass(passes)
            seconds, cpu_seconds = time.perf_counter() - begun, time.process_time() - cpu_begun
            return SteadyPass(seconds=seconds, cpu_seconds=cpu_seconds, written=report.written, wal=wal_position(session) - before)

        async def run_curl(_: int) -> BareList:
            return lister.list()

        ours, theirs = await interleaved(run_pass, run_curl, rounds=rounds)
    seconds, walls, owns = ([it.seconds for it in ours], [it.seconds for it in theirs], [it.own_seconds for it in theirs])
    return Section(
        "A steady pass, the engine's list included",
        (
            milliseconds("steady pass", typical(seconds)),
            milliseconds("the same list by curl", typical(walls)),
            Figure("steady pass ÷ curl", typical_ratio(seconds, walls), "{:.2f}", AtMost(1.15, "≤ 1.15")),
            Figure("steady pass ÷ curl less the start of its process", typical_ratio(seconds, owns), "{:.2f}"),
            milliseconds("CPU time of a steady pass, its own process only", typical([it.cpu_seconds for it in ours])),
            Figure("rows written by steady passes", sum(it.written for it in ours), "{:.0f}", AtMost(0, "0")),
            Figure("WAL of a steady pass", median(it.wal for it in ours), "{:.0f} B", AtMost(1024, "≤ 1 KiB")),
        ),
    )


def wal_position(session: psycopg.Connection[tuple[Any, ...]]) -> int:
    """How many bytes PostgreSQL's write-ahead log has had so far, all databases together."""
    row = session.execute(WAL_POSITION).fetchone()
    assert row
    return int(row[0])
