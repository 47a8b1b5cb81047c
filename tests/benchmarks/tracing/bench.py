"""What traces cost passes and dispatches, and whether a collector that is away, silent or slow costs them more (fault 49).

Each way has a process and a database of its own, all on one engine and one PostgreSQL. A round is some turns of every way, in an order that
is drawn anew each time, and a way's percentiles are compared with those of the same round without traces: a moment in which everything was
slow spoils one round. The spans are sent ten times a second and not every 5 s, so that exports fall among what is measured.
"""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from random import Random
from statistics import median, quantiles

import yaml

from tests.benchmarks.figures import AtMost, Figure, Section, milliseconds
from tests.benchmarks.host import fill, write_manifests
from tests.benchmarks.tracing.ways import NONE, ways
from tests.benchmarks.tracing.work import DISPATCH, FORCED, STEADY, WORKLOAD, Worker, worker
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres

TITLES = {
    STEADY: "A steady pass, which leaves no trace",
    FORCED: "A pass that was asked for, which leaves one",
    DISPATCH: "A dispatch of the source external, from reading the workload to its status",
}
WITHIN = AtMost(1.05, "≤ 1.05")
MEANING = (
    "Each process has its own database. Medians over the rounds of the percentiles of a round, and of their ratios to those without traces "
    "in the same round; `none, again` shows how far apart two equal things are here. Exports every 100 ms."
)

Rounds = list[list[float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How much is measured: a round has `turns` of `runs` each."""

    rounds: int
    containers: int = 100
    turns: int = 5
    runs: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TracingBench:
    """The servers, Jaeger's program, and how a person is told what is under way."""

    engine: DockerEngine
    postgres: Postgres
    jaeger_program: str
    say: Callable[[str], None]

    def measure(self, size: Size) -> dict[str, list[Section]]:
        """Measure every way, and return the figures of each."""
        self.say(f"traces: {size.containers} containers, {size.rounds} rounds")
        fill(self.engine, size.containers)
        with ExitStack() as stack:
            manifests = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            write_manifests(manifests, self.engine.endpoint, size.containers)
            dispatch(manifests / "bench.yaml")
            workers = {
                way: stack.enter_context(worker(self._new_database(stack), manifests, environment))
                for way, environment in stack.enter_context(ways(self.jaeger_program)).items()
            }
            measured = {what: self._rounds(what, workers, size) for what in TITLES}
        return {way: [section(what, measured[what][way], measured[what][NONE]) for what in TITLES] for way in workers}

    def _new_database(self, stack: ExitStack) -> str:
        return self.postgres.url_of(stack.enter_context(self.postgres.database()))

    def _rounds(self, what: str, workers: Mapping[str, Worker], size: Size) -> dict[str, Rounds]:
        """Measure one thing; the first round is not counted, so that connections, statements and caches are as after a while."""
        self.say(f"traces: {TITLES[what]}")
        measured: dict[str, Rounds] = {way: [] for way in workers}
        orders = Random(0)  # noqa: S311 - no secret: the same order each time
        for number in range(1 + size.rounds):
            turns = [way for way in workers for _ in range(size.turns if number else 1)]
            orders.shuffle(turns)
            taken: dict[str, list[float]] = {way: [] for way in workers}
            for way in turns:
                taken[way] += workers[way].seconds(what, size.runs)
            for way, seconds in taken.items() if number else ():
                measured[way].append(seconds)
        return measured


def dispatch(manifest: Path) -> None:
    """Let one of the workloads in a file have a source and a trigger."""
    documents = list(yaml.safe_load_all(manifest.read_text()))
    (spec,) = [it["spec"] for it in documents if it["metadata"]["name"] == WORKLOAD.partition("/")[2]]
    spec |= {"source": {"kind": "external"}, "trigger": {"kind": "manual"}}
    manifest.write_text(yaml.safe_dump_all(documents))


def section(what: str, ours: Rounds, bare: Rounds) -> Section:
    """The figures of one thing in one way."""
    return Section(
        TITLES[what],
        (
            milliseconds("p50", median(map(median, ours))),
            milliseconds("p99", median(map(p99, ours))),
            milliseconds("p50 less that without traces", median(median(a) - median(b) for a, b in zip(ours, bare, strict=True))),
            Figure("p50 ÷ without traces", ratio(median, ours, bare), "{:.2f}"),
            Figure("p99 ÷ without traces", ratio(p99, ours, bare), "{:.2f}", WITHIN),
        ),
    )


def ratio(percentile: Callable[[Sequence[float]], float], ours: Rounds, bare: Rounds) -> float:
    """The median over the rounds of a percentile's ratio."""
    return median(percentile(a) / percentile(b) for a, b in zip(ours, bare, strict=True))


def p99(values: Sequence[float]) -> float:
    """What one in a hundred takes longer than."""
    return quantiles(values, n=100, method="inclusive")[98]
