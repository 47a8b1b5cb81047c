"""The times of the Lease that `LeaseTimes.fault` accepts are safe, and not one second of them is too much (I7).

A leader is cut off from the API server and goes on with what it had begun: until the watchdog ends it, 2 s after its validity, it sends
requests to the engine, each of which takes at most a request timeout to arrive. None may arrive once the next one leads.
"""

from dataclasses import replace
from math import ceil

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.election.model.installation import Installation
from tests.election.model.lease_model import Link
from tests.election.model.witness import I7
from tinyforge.domain.lease import LeaseTimes

TICK = 0.25


def half_seconds(least: float, most: float) -> st.SearchStrategy[float]:
    return st.integers(round(least / TICK), round(most / TICK)).map(lambda ticks: ticks * TICK)


@st.composite
def accepted_times(draw: st.DrawFn) -> LeaseTimes:
    renew_deadline, request_timeout = draw(half_seconds(1, 10)), draw(half_seconds(0.5, 3))
    retry_period = draw(half_seconds(0.5, 2))
    duration = ceil(renew_deadline + request_timeout + 2)
    times = LeaseTimes(duration=duration, renew_deadline=renew_deadline, retry_period=retry_period, request_timeout=request_timeout)
    assume(not times.fault)
    return times


def acts_too_late(times: LeaseTimes, *, begun: float, observed: float, on_the_way: float) -> bool:
    """Whether a leader has an effect under the next one.

    `begun` seconds after the beginning it loses the API server, and PostgreSQL `observed` seconds after the end of its validity. What it
    sends to the engine is `on_the_way` for so long.
    """
    world = Installation(2, times=times, flaw=None, tick=TICK)
    leader, world.host.delay = world.replicas[0], on_the_way
    world.pass_time(seconds=begun)
    world.api.links[0] = Link.LOSES_REQUESTS
    world.pass_time(seconds=leader.tenure.valid_until + observed - world.clock.now)
    leader.cut_off(True)
    try:
        world.pass_time(seconds=times.duration)
    except I7:
        return True
    assert world.replicas[1].leading
    return False


@given(accepted_times(), half_seconds(0, 8), half_seconds(0, 4), st.floats(0, 1, exclude_max=True))
@settings(max_examples=200, derandomize=True, database=None, deadline=None)
def test_i7_with_accepted_times_no_leader_acts_under_the_next_one(
    times: LeaseTimes, begun: float, observed: float, part_of_timeout: float
) -> None:
    assert not acts_too_late(times, begun=begun, observed=observed, on_the_way=part_of_timeout * times.request_timeout)


@pytest.mark.parametrize(
    "times",
    [
        LeaseTimes(),
        LeaseTimes(duration=8, renew_deadline=4, retry_period=1, request_timeout=2),
        LeaseTimes(duration=30, renew_deadline=26, retry_period=5, request_timeout=2),
    ],
    ids=["default", "short", "long"],
)
def test_i7_with_a_second_less_a_leader_acts_under_the_next_one(times: LeaseTimes) -> None:
    shorter = replace(times, duration=times.duration - 1)
    assert not times.fault
    assert shorter.fault
    for begun in range(30):
        late = {"begun": begun, "observed": 1.5, "on_the_way": times.request_timeout - TICK}
        assert not acts_too_late(times, **late)
        if acts_too_late(shorter, **late):
            return
    pytest.fail("a second less is as safe")
