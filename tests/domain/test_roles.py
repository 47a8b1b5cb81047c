"""What a replica says that it is."""

from datetime import UTC, datetime

from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.roles import Role, leader, standby

SINCE = datetime(2026, 11, 24, 12, 59, 39, tzinfo=UTC)
WAITS = "it holds the Lease: 0.4 s of 15 s without a change"


def look(holder: str, epoch: int = 7) -> LeadersLook:
    return LeadersLook(epoch=epoch, holder=holder, session="tinyforge/x", driver="operator", lease="uid/tinyforge", server_up=60.0)


def test_a_leader_says_its_epoch_and_since_when() -> None:
    assert leader(8, since=SINCE) == Role(sentence="leads with epoch 8 since 2026-11-24 12:59:39 UTC", leads=True, epoch=8)


def test_a_leader_that_cannot_renew_says_what_it_does_no_more_and_what_goes_on() -> None:
    role = leader(8, since=SINCE, renewed_at=SINCE.replace(hour=14))
    assert role.observes_only
    assert role.sentence == (
        "leads with epoch 8 since 2026-11-24 12:59:39 UTC; the Lease cannot be renewed since 2026-11-24 14:59:39 UTC: "
        "nothing is changed on engines, the index goes on"
    )


def test_a_standby_says_who_leads_and_why_it_waits() -> None:
    assert standby(look("pod-1/ab12"), waits=WAITS) == Role(
        sentence=f"standby: pod-1/ab12 leads with epoch 7; {WAITS}", leads=False, epoch=7
    )


def test_a_standby_that_knows_of_nobody_says_so() -> None:
    assert standby(None, waits=WAITS) == Role(sentence=f"standby: nobody leads, as far as is known; {WAITS}", leads=False, epoch=0)
    assert standby(look("", epoch=9), waits=WAITS).epoch == 9


def test_a_holder_is_one_line_whatever_it_is() -> None:
    assert standby(look("a\nb\x1b[31m"), waits=WAITS).sentence.isprintable()
