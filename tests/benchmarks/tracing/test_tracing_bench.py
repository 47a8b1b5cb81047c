"""The benchmark of traces works: it measures every way in turn and compares each round with itself."""

import pytest

from tests.benchmarks.tracing.bench import TITLES, Size, TracingBench, p99, ratio
from tests.benchmarks.tracing.ways import AGAIN, JAEGER, NONE, REFUSED, SILENT, SLOW
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres


def test_every_way_has_every_figure_and_without_traces_is_once_without_traces(
    docker_engine: DockerEngine, postgres_server: Postgres, jaeger_program: str
) -> None:
    said: list[str] = []
    bench = TracingBench(engine=docker_engine, postgres=postgres_server, jaeger_program=jaeger_program, say=said.append)
    measured = bench.measure(Size(rounds=1, containers=12, turns=1, runs=3))
    assert list(measured) == [NONE, AGAIN, JAEGER, REFUSED, SILENT, SLOW]
    for sections in measured.values():
        assert [section.title for section in sections] == list(TITLES.values())
        assert all(figure.value > 0 for section in sections for figure in section.figures if "less" not in figure.name)
    assert [figure.value for section in measured[NONE] for figure in section.figures if "÷" in figure.name] == [1] * 6
    assert said == ["traces: 12 containers, 1 rounds", *(f"traces: {title}" for title in TITLES.values())]


def test_a_round_in_which_everything_was_slow_does_not_count() -> None:
    assert ratio(max, [[2.0], [900.0], [2.0]], [[1.0], [100.0], [1.0]]) == 2


def test_one_in_a_hundred_takes_longer_than_p99() -> None:
    assert p99([float(number) for number in range(101)]) == pytest.approx(99)
