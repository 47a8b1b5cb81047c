"""Lets the adversary look for a violation.

`python -m tests.election.model.looking 20000` makes so many histories, others every time, and prints the shortest that must not be.
"""

import sys

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.election.model.flaws import Flaw
from tests.election.model.machine import Election

_ACTS = 15
"""Of one history. Longer ones find no more in the same time: what was broken long ago hides what could go wrong now."""


def look(flaw: Flaw | None, *, histories: int) -> None:
    """Try so many histories, the same ones every time.

    Raises:
        Violation: one was found.
    """
    _run(flaw, settings(max_examples=histories, derandomize=True, phases=[Phase.generate]))


def _run(flaw: Flaw | None, chosen: settings) -> None:
    machine = type("Election", (Election,), {"flaw": flaw})
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much]  # how fast the machine of a developer is proves nothing
    common = settings(
        chosen, database=None, deadline=None, stateful_step_count=_ACTS, report_multiple_bugs=False, suppress_health_check=checks
    )
    run_state_machine_as_test(machine, settings=common)


if __name__ == "__main__":
    _run(None, settings(max_examples=int(sys.argv[1]), derandomize=False))
