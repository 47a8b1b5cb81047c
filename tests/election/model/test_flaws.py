"""The adversary finds what is wrong: each departure from the protocol breaks the invariant that it is there for."""

import pytest

from tests.election.model.flaws import Flaw
from tests.election.model.looking import look
from tests.election.model.witness import I1, I2, I3, I4, I6, I7, Violation

BREAKS: dict[Flaw, tuple[type[Violation], ...]] = {
    Flaw.NO_SHARED_LOCK: (I1,),
    Flaw.STABLE_FENCE: (I1,),
    Flaw.FENCE_RETURNS_A_ROW: (I1,),
    Flaw.NO_REASSERT: (I1,),
    Flaw.UNGUARDED_ROW: (I2, I3),
    Flaw.CALL_BEFORE_COMMIT: (I4,),
    Flaw.RELEASE_FROM_MEMORY: (I6,),
    Flaw.LOST_ANSWER_IS_SUCCESS: (I7,),
}
"""I5 has no flaw of its own: an intent that is committed after the next claim is a row of that kind, so I1 goes first. That a claim without
its guard is found though the trigger is there takes a Lease that is deleted at the right moment: see `test_histories`."""


@pytest.mark.parametrize("flaw", BREAKS, ids=lambda flaw: flaw.name.lower())
def test_a_flaw_is_found(flaw: Flaw) -> None:
    with pytest.raises(BREAKS[flaw]):
        look(flaw, histories=3000)
