"""A pass without the list beside the row-by-row algorithm without the list: the same recorded containers, each in a database of its own."""

import operator
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from tests.benchmarks.figures import AtLeast, Figure, Section, milliseconds
from tests.benchmarks.passes import successful_pass
from tests.benchmarks.recorded import RecordedEngine, with_a_tenth_changed
from tests.benchmarks.rounds import interleaved, typical, typical_ratio
from tests.benchmarks.row_by_row import row_by_row
from tinyforge.domain.containers import Container
from tinyforge.domain.hosts import EngineIdentity, Host
from tinyforge.ports import ContainersIndex
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass
from tinyforge.reconcile.pass_trace import PassTraces
from tinyforge.reconcile.passes import HostPasses

TEN_TIMES = AtLeast(10, "≥ 10 ×")
ROWS = """
SELECT
    id, workload_id, workload_kind, role, container_id, image_ref, host, state, state_reason, port, last_seen_at IS NOT NULL, missing_since
FROM tinyforge.containers ORDER BY id
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sides:
    """Both algorithms: the pass over `recorded`, its database at `ours`, and the other one's at `theirs`."""

    host: Host
    recorded: RecordedEngine
    passes: HostPasses
    ours: psycopg.Connection[Any]
    theirs: psycopg.Connection[Any]

    async def run_ours(self, containers: Sequence[Container]) -> tuple[float, int]:
        """Run a pass; returns seconds and how many rows it wrote."""
        self.recorded.listed = containers
        begun = time.perf_counter()
        report = await successful_pass(self.passes)
        return time.perf_counter() - begun, report.written

    def run_theirs(self, containers: Sequence[Container]) -> float:
        """Go row by row; returns seconds."""
        begun = time.perf_counter()
        row_by_row(self.theirs, self.host.name, containers)
        return time.perf_counter() - begun

    def check(self) -> None:
        """Make sure that both have come to the same rows, or nothing was compared."""
        assert self.ours.execute(ROWS).fetchall() == self.theirs.execute(ROWS).fetchall(), "the two algorithms came to different rows"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is measured: the lists that come in turn, how many rows a pass has to write for each, and whether it finds an empty index."""

    name: str
    lists: Sequence[Sequence[Container]]
    written: int
    from_empty: bool = False
    target: AtLeast | None = None

    async def figures(self, sides: Sides, rounds: int) -> tuple[Figure, ...]:
        """Measure both sides in turn."""

        async def ours(run: int) -> float:
            if self.from_empty:
                sides.ours.execute("TRUNCATE tinyforge.containers")
            seconds, written = await sides.run_ours(self.lists[run % len(self.lists)])
            assert run < 0 or written == self.written, f"{self.name}: {written} rows written, and not {self.written}"
            return seconds

        async def theirs(run: int) -> float:
            if self.from_empty:
                sides.theirs.execute("TRUNCATE tinyforge.containers")
            return sides.run_theirs(self.lists[run % len(self.lists)])

        passes, rows = await interleaved(ours, theirs, rounds=rounds)
        sides.check()
        return (
            milliseconds(f"{self.name}: pass", typical(passes)),
            milliseconds(f"{self.name}: row by row", typical(rows)),
            Figure(f"{self.name}: row by row ÷ pass", typical_ratio(rows, passes), "{:.1f} ×", self.target),
        )


async def without_list_section(
    host: Host, containers: Sequence[Container], identity: EngineIdentity, *, index: ContainersIndex, ours: str, theirs: str, rounds: int
) -> Section:
    """Measure the scenarios; `ours` is the URL of the database of `index`, `theirs` of another one in which the same is declared."""
    changed = with_a_tenth_changed(containers)
    recorded = RecordedEngine(identity)
    traces = PassTraces(host, epoch=0)
    index_pass = IndexPass(host=host, engine=recorded, index=index, findings=Findings(host.name), traces=traces, stale_after=120)
    scenarios = (
        Scenario(name="nothing changed", lists=[containers], written=0, target=TEN_TIMES),
        Scenario(name="a tenth changed", lists=[containers, changed], written=sum(map(operator.ne, containers, changed))),
        Scenario(name="first, index empty", lists=[containers], written=len(containers), from_empty=True),
    )
    with psycopg.connect(ours, autocommit=True) as our_session, psycopg.connect(theirs, autocommit=True) as their_session:
        sides = Sides(host=host, recorded=recorded, passes=HostPasses(index_pass), ours=our_session, theirs=their_session)
        figures = [figure for scenario in scenarios for figure in await scenario.figures(sides, rounds)]
    return Section("Without the list: a pass, and a lookup and an upsert a container", tuple(figures))
