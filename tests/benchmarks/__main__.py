"""`make bench`: what a pass costs, as ratios of things that are measured in turn in one run, on a real engine and a real PostgreSQL.

The engine is one of the tests' own. The PostgreSQL is the embedded one in a folder of its own, as `tinyforge run` has it (fsync is on),
or the one that TINYFORGE_TEST_DATABASE_URL names. Nothing gates: a missed target is printed as missed, and the exit code stays 0.

    bench         everything in order, at one size
    host          the containers, and the manifests that claim them
    steady        a pass beside curl's list
    stages        where the time of a pass goes
    without_list  a pass over a recorded list, beside the algorithm of row_by_row
    memory        the peak of `tinyforge run`
    rounds        how two things are measured in turn
    figures       the table
    conditions    the PostgreSQL, and what a reader has to know beside the figures
"""

import sys
from contextlib import closing

import click
from rich.console import Console

from tests.benchmarks.bench import Bench
from tests.benchmarks.conditions import conditions, postgres
from tests.benchmarks.figures import table
from tests.servers.docker_engine import DockerEngine

SIZES = (1000, 5000)
WIDTH = 132  # of the table, where there is no terminal that has one


@click.command()
@click.option(
    "--containers", "sizes", type=click.IntRange(1), multiple=True, default=SIZES, show_default=True, help="How many; repeatable."
)
@click.option("--rounds", type=click.IntRange(1), default=15, show_default=True, help="How often each thing is measured, twice.")
def main(sizes: tuple[int, ...], rounds: int) -> None:
    """Print what a pass costs, on a real Docker Engine and a real PostgreSQL. About six minutes."""
    say("starting the servers")
    with closing(DockerEngine()) as engine, postgres() as server:
        begun = conditions(engine, server)
        bench = Bench(engine=engine, postgres=server, rounds=rounds, say=say)
        sections = {size: bench.measure(size) for size in sorted(set(sizes))}
        say("ending the servers")
    output = Console(highlight=False, width=None if sys.stdout.isatty() else WIDTH)
    output.print(table(sections))
    output.print(f"Medians of {rounds} rounds (steady pass ÷ curl: {2 * rounds}) of two runs each, in random turn. {begun}", style="dim")


def say(what: str) -> None:
    """Tell whoever waits what is under way."""
    click.echo(what, err=True)


if __name__ == "__main__":
    main()
