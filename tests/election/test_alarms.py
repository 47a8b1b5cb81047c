"""When a term makes the watchdog end the process. The clock is the test's."""

from dataclasses import dataclass
from typing import cast

import pytest

from tinyforge.election import Renewer, overdue_end, overdue_mutations


@dataclass
class Term:
    """What of a renewer the alarms look at."""

    lost: str = ""
    lost_at: float = 0.0
    valid_until: float = 110.0


@pytest.mark.parametrize(("now", "ends"), [(100.0, False), (101.9, False), (102.0, True)])
def test_a_lease_that_was_lost_leaves_the_process_two_seconds_to_end(now: float, *, ends: bool):
    alarm = overdue_end(cast("Renewer", Term(lost="b holds the Lease", lost_at=100.0)), now=lambda: now)
    assert bool(alarm()) is ends


def test_why_the_lease_was_lost_is_said():
    alarm = overdue_end(cast("Renewer", Term(lost="b holds the Lease", lost_at=100.0)), now=lambda: 102.5)
    assert alarm() == "the Lease was lost 2.5 s ago, and this process has not ended: b holds the Lease"


def test_a_lease_that_is_held_alarms_nobody():
    assert overdue_end(cast("Renewer", Term()), now=lambda: 1e9)() == ""


@pytest.mark.parametrize(
    ("now", "under_way", "ends"), [(109.0, 1, False), (111.9, 1, False), (112.0, 1, True), (112.0, 0, False), (1e9, 0, False)]
)
def test_what_changes_engines_has_two_seconds_to_stop_when_the_lease_is_no_longer_valid(now: float, under_way: int, *, ends: bool):
    alarm = overdue_mutations(cast("Renewer", Term()), under_way=lambda: under_way, now=lambda: now)
    assert bool(alarm()) is ends


def test_how_many_changes_go_on_is_said():
    alarm = overdue_mutations(cast("Renewer", Term()), under_way=lambda: 3, now=lambda: 112.5)
    assert alarm() == "the Lease has not been valid for 2.5 s, and 3 changes of engines have not stopped"
