"""Stepping down: the Lease is given back, so that the next leader need not wait. Called by `elector` when a term ends as it should.

It is cleared over exactly what was freshly read, and only if that names this process *and* its epoch (invariant I6): what this process
remembers of having led is no ground to wipe its successor's Lease.
"""

import asyncio
import logging

from opentelemetry import trace

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectMoved
from tinyforge.domain.tenure import Tenure
from tinyforge.election import wording
from tinyforge.election.steps import Steps
from tinyforge.ports import Leases

logger = logging.getLogger(__name__)

_TRIES = 3
"""The last renewal may arrive between the read and the write, or somebody may edit a label then."""


async def step_down(leases: Leases, tenure: Tenure, *, within: float, steps: Steps) -> bool:
    """Give the Lease back, if it is still this term's; return whether it was. If it cannot be done in time, the Lease runs out by itself.

    Args:
        leases: the Lease; its renewal has ended.
        tenure: of the term that ends.
        within: for how many seconds to try.
        steps: where a test may stop it.
    """
    try:
        async with asyncio.timeout(within):
            for _ in range(_TRIES):
                try:
                    return await _given_back(leases, tenure, steps=steps)
                except ObjectMoved:
                    continue
        complaint = f"it was changed {_TRIES} times meanwhile"
    except TimeoutError:
        complaint = f"that took longer than {within:g} s"
    except (ClusterUnavailable, ClusterRefused) as error:
        complaint = str(error)
    logger.warning("the Lease could not be given back: %s", complaint, extra={"action": "lease_not_given_back"})
    trace.get_current_span().set_status(trace.StatusCode.ERROR, complaint)
    return False


async def _given_back(leases: Leases, tenure: Tenure, *, steps: Steps) -> bool:
    found = await leases.read()
    await steps("after-fresh-read")
    if found is None or not tenure.may_release(found):
        return False
    await steps("before-release")
    await leases.replace(wording.given_back(found), over=found.resource_version)
    logger.info("the Lease was given back", extra={"action": "lease_given_back", "epoch": found.transitions})
    return True
