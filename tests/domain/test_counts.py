"""How a workload's containers are summed up for people."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tinyforge.domain.workload_status import Counts, count


def test_states_without_a_count_of_their_own_are_counted_as_other() -> None:
    states = ["running", "running", "stopped", "missing", "unknown", "paused", "failed", ""]
    assert count(states) == Counts(total=8, running=2, stopped=1, missing=1, unknown=1, other=3)


@pytest.mark.parametrize(
    ("states", "summary"), [(["running", "stopped", "running"], "2/3 running"), (["missing"], "0/1 running"), ([], "no containers")]
)
def test_the_summary_says_how_many_run_of_how_many(states: list[str], summary: str) -> None:
    assert count(iter(states)).summary == summary


@quick
@given(st.lists(st.sampled_from(["running", "stopped", "missing", "unknown", "created"]) | st.text()))
def test_every_container_is_counted_once(states: list[str]) -> None:
    counts = count(states)
    assert counts.total == len(states) == counts.running + counts.stopped + counts.missing + counts.unknown + counts.other
