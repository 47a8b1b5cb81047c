"""The Lease under which an operator leads: it names whoever leads the database, and is renewed."""

from datetime import UTC, datetime

from tinyforge.cli.checks.check import Check, fail, ok, warn
from tinyforge.cli.leases import SeenLease, UnseenLease
from tinyforge.cli.texts import span
from tinyforge.domain.lease import readable_holder
from tinyforge.index.leadership import Leader
from tinyforge.settings import Settings

_SUBJECT = "lease"


def judge_lease(lease: SeenLease | UnseenLease, leader: Leader, settings: Settings) -> Check:
    """Return whether the Lease says what the database says.

    How long ago it was renewed is told by two machines' clocks, so it is only warned of.

    Args:
        lease: what was seen of it.
        leader: who leads the database.
        settings: the settings, by whose times it is judged.
    """
    if isinstance(lease, UnseenLease):
        return warn(_SUBJECT, f"not looked at: {lease.why}", "set KUBECONFIG, and TINYFORGE_LEASE_* as the operator has them")
    if lease.epoch > leader.epoch or (lease.holder and lease.holder != leader.holder):
        finding = (
            f"{lease.place} names {readable_holder(lease.holder) or 'nobody'} with epoch {lease.epoch}, and the database "
            f"{leader.holder or 'nobody'} with epoch {leader.epoch}"
        )
        return fail(_SUBJECT, finding, "wait a minute; if it stays so, see whether the operator has another TINYFORGE_DATABASE_URL")
    age = (datetime.now(UTC) - lease.renewed_at).total_seconds() if lease.renewed_at else 0.0
    if lease.holder and age > settings.lease_duration:
        finding = f"{lease.place} was last renewed {span(age)} ago: whoever leads may change nothing on an engine"
        return warn(_SUBJECT, finding, "look at /readyz and the log of the leader: the API server is away for it, or its right is gone")
    return ok(_SUBJECT, f"{lease.place}, renewed {span(age)} ago")
