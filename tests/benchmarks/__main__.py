"""`make bench`: what passes, traces, the operator and a change of leaders cost, beside what else was measured in the same run.

The engines and the Kubernetes control plane are the tests' own. The PostgreSQL is the embedded one in a folder of its own, as
`tinyforge run` has it (fsync is on), or the one that TINYFORGE_TEST_DATABASE_URL names. Nothing gates: a missed target is printed as
missed, and the exit code stays 0.

    bench         everything about passes in order, at one size
    host          the containers, and the manifests that claim them
    steady        a pass beside curl's list
    stages        where the time of a pass goes
    without_list  a pass over a recorded list, beside the algorithm of row_by_row
    memory        the peak of `tinyforge run`
    operator/     `tinyforge controller` with 2,000 workloads and 20 hosts: starts, a quiet minute, a storm of edits
    leadership/   how long it takes until another replica leads, beside two kube-schedulers
    tracing/      what traces cost passes and dispatches, whatever the collector does
    rounds        how two things are measured in turn
    figures       the table
    conditions    the PostgreSQL, and what a reader has to know beside the figures
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import closing

import click
from rich.console import Console

from tests.benchmarks.bench import Bench
from tests.benchmarks.conditions import conditions, jaeger_program, kubernetes_programs, load, postgres
from tests.benchmarks.figures import Section, table
from tests.benchmarks.leadership.bench import LeadershipBench
from tests.benchmarks.leadership.outcomes import MEANING
from tests.benchmarks.leadership.schedulers import scheduler_in
from tests.benchmarks.operator.bench import OperatorBench
from tests.benchmarks.operator.scale import Scale
from tests.benchmarks.tracing.bench import MEANING as MEANING_OF_TRACING
from tests.benchmarks.tracing.bench import Size, TracingBench
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes import ControlPlane
from tests.servers.postgres import Postgres

SIZES = (1000, 5000)
WIDTH = 132  # of the table, where there is no terminal that has one


PASSES = "passes"
OPERATOR = "operator"
LEADERSHIP = "leadership"
TRACING = "tracing"
PARTS = (PASSES, OPERATOR, LEADERSHIP, TRACING)


@click.command()
@click.option("--part", "parts", type=click.Choice(PARTS), multiple=True, default=PARTS, help="Of what; repeatable. All.")
@click.option(
    "--containers", "sizes", type=click.IntRange(1), multiple=True, default=SIZES, show_default=True, help="How many; repeatable."
)
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True, help="How often each thing is measured, twice.")
@click.option("--runs", type=click.IntRange(1), default=10, show_default=True, help="How many leaders are lost in each way.")
def main(parts: tuple[str, ...], sizes: tuple[int, ...], rounds: int, runs: int) -> None:
    """Print what passes and traces cost, what the operator does, and how soon another replica leads. About half an hour."""
    say("starting the servers")
    with postgres() as server:
        if PASSES in parts:
            measure_passes(server, sizes, rounds)
        if OPERATOR in parts:
            measure_operator(server)
        if LEADERSHIP in parts:
            measure_leadership(server, runs)
        if TRACING in parts:
            measure_tracing(server, rounds)
        say("ending the servers")


def measure_passes(server: Postgres, sizes: tuple[int, ...], rounds: int) -> None:
    """Print what passes cost at some numbers of containers."""
    with closing(DockerEngine()) as engine:
        begun = conditions(engine, server)
        bench = Bench(engine=engine, postgres=server, rounds=rounds, say=say)
        sections = {f"{size:,} containers": bench.measure(size) for size in sorted(set(sizes))}
    show(sections, f"Medians of {rounds} rounds (steady pass ÷ curl: {2 * rounds}) of two runs each, in random turn. {begun}")


def measure_operator(server: Postgres) -> None:
    """Print what the operator does."""
    with closing(DockerEngine()) as engine, closing(ControlPlane(kubernetes_programs())) as control_plane:
        begun = conditions(engine, server)
        scale = Scale()
        bench = OperatorBench(cluster=Cluster(control_plane), engine=engine, postgres=server, say=say)
        sections = {f"{scale.workloads:,} workloads, {scale.hosts} hosts": bench.measure(scale)}
    under = f"One run, with an interval of {scale.interval:.0f} s; the hosts are one engine under many names."
    show(sections, f"{under} {begun} Load {load():.1f} at the end.")


def measure_leadership(server: Postgres, runs: int) -> None:
    """Print how long it takes until another replica leads, and writes."""
    programs = kubernetes_programs()
    with closing(DockerEngine()) as engine, closing(ControlPlane(programs)) as control_plane:
        begun = conditions(engine, server)
        bench = LeadershipBench(cluster=Cluster(control_plane), engine=engine, postgres=server, scheduler=scheduler_in(programs), say=say)
        sections = bench.measure(runs)
    show(sections, f"{runs} runs each. {MEANING} {begun} Load {load():.1f} at the end.")


def measure_tracing(server: Postgres, rounds: int) -> None:
    """Print what traces cost passes and dispatches."""
    with closing(DockerEngine()) as engine:
        begun = conditions(engine, server)
        bench = TracingBench(engine=engine, postgres=server, jaeger_program=jaeger_program(), say=say)
        sections = bench.measure(Size(rounds=rounds))
    show(sections, f"{rounds} rounds. {MEANING_OF_TRACING} {begun} Load {load():.1f} at the end.")


def show(sections: Mapping[str, Sequence[Section]], conditions: str) -> None:
    """Print the figures, and under what conditions they came about."""
    output = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    output.print(table(sections))
    output.print(conditions, style="dim")


def say(what: str) -> None:
    """Tell whoever waits what is under way."""
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
