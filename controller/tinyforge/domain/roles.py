"""What a replica is now, in a word for machines and in a sentence for people: `/readyz`, the metrics and the log say it."""

from dataclasses import dataclass
from datetime import datetime

from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import readable_holder


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """What a replica is now.

    Args:
        sentence: for people.
        leads: whether it leads.
        epoch: the newest epoch that it knows of; its own if it leads, 0 if it knows of none.
        observes_only: whether it leads, but may change nothing on an engine.
    """

    sentence: str
    leads: bool
    epoch: int
    observes_only: bool = False


def leader(epoch: int, *, since: datetime, renewed_at: datetime | None = None) -> Role:
    """Return the role of a leader.

    Args:
        epoch: its term's.
        since: when the term began, an aware time.
        renewed_at: when its Lease was last renewed, an aware time, if it is not valid any more; None: it is, or there is none.
    """
    leads = f"leads with epoch {epoch} since {_moment(since)}"
    if renewed_at is None:
        return Role(sentence=leads, leads=True, epoch=epoch)
    unrenewed = f"the Lease cannot be renewed since {_moment(renewed_at)}: nothing is changed on engines, the index goes on"
    return Role(sentence=f"{leads}; {unrenewed}", leads=True, epoch=epoch, observes_only=True)


def standby(look: LeadersLook | None, *, waits: str) -> Role:
    """Return the role of a replica that waits for its turn.

    Args:
        look: what PostgreSQL last told of whoever leads; None: nothing yet.
        waits: why it does not campaign.
    """
    holder = readable_holder(look.holder) if look else ""
    leads = f"{holder} leads with epoch {look.epoch}" if look and holder else "nobody leads, as far as is known"
    return Role(sentence=f"standby: {leads}; {waits}", leads=False, epoch=look.epoch if look else 0)


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S %Z}".rstrip()
