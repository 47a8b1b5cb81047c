"""The benchmark itself works: `make bench` prints all of its figures, and lies about none that it can be caught at."""

import io
import itertools
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from tests.benchmarks.__main__ import main
from tests.benchmarks.figures import AtLeast, AtMost, Figure, Section, table
from tests.benchmarks.host import compose_labels
from tests.benchmarks.memory import peak
from tests.benchmarks.recorded import with_a_tenth_changed
from tests.benchmarks.rounds import interleaved, typical_ratio
from tinyforge.domain.containers import Container

ROOT = Path(__file__).parents[2]
ROWS = """
A steady pass, the engine's list included
steady pass
the same list by curl
steady pass ÷ curl
steady pass ÷ curl less the start of its process
CPU time of a steady pass, its own process only
rows written by steady passes
WAL of a steady pass
Without the list: a pass, and a lookup and an upsert a container
nothing changed: pass
nothing changed: row by row
nothing changed: row by row ÷ pass
a tenth changed: pass
a tenth changed: row by row
a tenth changed: row by row ÷ pass
first, index empty: pass
first, index empty: row by row
first, index empty: row by row ÷ pass
Where the time of a steady pass goes
read the host's workloads and rows
list: until the engine's headers are there
list: its body
decode
match and plan
write, fenced and committed
the rest: tasks and report
Peak memory (VmHWM) over the first 5 passes
tinyforge run
import tinyforge.standalone.controller
the difference
"""


def printed(sections: Mapping[str, Sequence[Section]]) -> list[list[str]]:
    """The words of each line of a table."""
    paper = io.StringIO()
    Console(width=132, file=paper).print(table(sections))
    return [line.split() for line in paper.getvalue().splitlines() if line.strip(" ─")]


def test_the_table_has_every_row() -> None:
    command = [sys.executable, "-m", "tests.benchmarks", "--part", "passes", "--containers", "20", "--rounds", "2"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    title, *lines = [line for line in done.stdout.splitlines() if line.strip(" ─")]
    assert title.split() == ["20", "containers", "target"]
    names = ROWS.strip().splitlines()
    for name, line in zip(names, lines, strict=False):
        assert line.strip().startswith(name)
    conditions = " ".join(" ".join(lines[len(names) :]).split())
    assert "Medians of 2 rounds" in conditions
    assert "fsync on" in conditions


def test_help_says_how_to_measure_less() -> None:
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    assert "--part [passes|operator|leadership|tracing]" in result.output
    assert "--containers" in result.output
    assert "--runs" in result.output


def test_every_size_has_its_column_and_every_figure_its_verdict() -> None:
    def measured(slow: float, fast: float) -> list[Section]:
        return [
            Section("Time", (Figure("pass", slow, "{:.2f}", AtMost(1.15, "≤ 1.15")), Figure("list", 3, "{:.0f} ms"))),
            Section("Gain", (Figure("ratio", fast, "{:.1f} ×", AtLeast(10, "≥ 10 ×")),)),
        ]

    assert printed({"1,000 containers": measured(1.05, 9), "5,000 containers": measured(1.2, 12)}) == [
        ["1,000", "containers", "5,000", "containers", "target"],
        ["Time"],
        ["pass", "1.05", "met", "1.20", "missed", "≤", "1.15"],
        ["list", "3", "ms", "3", "ms"],
        ["Gain"],
        ["ratio", "9.0", "×", "missed", "12.0", "×", "met", "≥", "10", "×"],
    ]


@pytest.mark.parametrize(("target", "met"), [(AtMost(2, ""), [1, 2]), (AtLeast(2, ""), [2, 3])])
def test_a_target_is_met_by_its_own_value(target: AtMost | AtLeast, met: list[int]) -> None:
    assert [value for value in (1, 2, 3) if target.is_met(value)] == met


async def test_two_ways_are_measured_in_turn_twice_a_round_and_the_first_round_is_not_counted() -> None:
    order: list[str] = []

    async def first(run: int) -> int:
        order.append("a")
        return run

    async def second(run: int) -> int:
        order.append("b")
        return 10 * run

    assert await interleaved(first, second, rounds=2) == ([0, 1, 2, 3], [0, 10, 20, 30])
    assert [sorted(order[start : start + 4]) for start in (0, 4, 8)] == [["a", "a", "b", "b"]] * 3


@pytest.mark.parametrize("lists", [[60, 80], [60, 80, 80], [60, 80, 80, 80], [60, 60, 80, 80]])
async def test_a_garbage_collection_every_few_lists_makes_nobody_look_slower(lists: list[float]) -> None:
    engine = itertools.cycle(lists)

    async def one_list(_: int) -> float:
        return next(engine)

    assert typical_ratio(*await interleaved(one_list, one_list, rounds=30)) == pytest.approx(1, abs=0.02)


def test_a_round_in_which_everything_was_slow_does_not_count() -> None:
    assert typical_ratio([2, 2, 900, 100, 2, 2], [1, 1, 1, 1, 1, 1]) == 2


def test_a_container_has_twelve_labels_of_ordinary_length() -> None:
    labels = compose_labels(4321)
    assert len(labels) == 12
    assert labels["com.docker.compose.project"] == "tinyforge-default_stack-432"
    assert labels["com.docker.compose.service"] == "service-1"


def test_every_tenth_container_changes_its_state() -> None:
    containers = [Container(id=str(number), image="", state="created", created=0) for number in range(20)]
    changed = with_a_tenth_changed(containers)
    assert [it.id for it, before in zip(changed, containers, strict=True) if it != before] == ["0", "10"]
    assert with_a_tenth_changed(changed)[0].state == "exited"


def test_the_peak_is_read_in_mebibytes() -> None:
    assert peak("VmPeak:\t  999999 kB\nVmHWM:\t   78848 kB\nVmRSS:\t   1024 kB\n") == 77
