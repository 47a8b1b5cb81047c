"""What a replica says of itself when the thread that renews its Lease is not what it should be.

That thread dies of nothing that a test could do to it from outside, so a stand-in has died instead; so has an elector, which would lead.
"""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

from tinyforge.domain.leaders import LeadersLook
from tinyforge.election import boottime
from tinyforge.operator.replica import Replica

LOOK = LeadersLook(epoch=7, holder="pod-1/ab12", session="x", driver="operator", lease="uid/tinyforge", server_up=60.0)


def replica(*, leads: bool, alive: bool = True, lost: str = "", unrenewed_for: float = 0.0) -> Replica:
    elector: Any = SimpleNamespace(leaders=LOOK, waits="it waits")
    made = Replica(elector=elector, office=SimpleNamespace())  # type: ignore[arg-type] # it is asked for nothing
    if leads:
        renewer = SimpleNamespace(alive=alive, lost=lost, valid=lambda: unrenewed_for < 10, renewed_at=boottime() - unrenewed_for)
        made._won = SimpleNamespace(term=SimpleNamespace(epoch=8), renewer=renewer)  # type: ignore[assignment] # stands in for a Won
    return made


def test_a_standby_has_no_such_thread_and_nothing_is_wrong_with_it() -> None:
    made = replica(leads=False)
    assert made.wrong() == []
    assert made.role().sentence == "standby: pod-1/ab12 leads with epoch 7; it waits"


def test_a_leader_whose_renewing_thread_lives_is_well() -> None:
    made = replica(leads=True)
    assert made.wrong() == []
    assert made.role().sentence.startswith("leads with epoch 8 since 20")


def test_one_whose_renewing_thread_has_ended_makes_no_progress_and_says_why() -> None:
    assert replica(leads=True, alive=False).wrong() == ["the thread that renews the Lease has ended"]
    assert replica(leads=True, alive=False, lost="MemoryError").wrong() == ["the thread that renews the Lease has ended: MemoryError"]


def test_one_that_cannot_renew_says_since_when_by_the_time_of_day() -> None:
    role = replica(leads=True, unrenewed_for=3600).role()
    an_hour_ago = datetime.now(UTC) - timedelta(hours=1)
    assert role.observes_only
    assert f"cannot be renewed since {an_hour_ago:%Y-%m-%d %H:%M}" in role.sentence
