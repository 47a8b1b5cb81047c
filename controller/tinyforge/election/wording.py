"""What we write into the Lease. Its times are by the wall clock, for people: nothing is decided by them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from tinyforge.domain.lease import Lease, LeaseTimes

_FORM = "%Y-%m-%dT%H:%M:%S.%fZ"


def taken(*, holder: str, epoch: int, times: LeaseTimes) -> Lease:
    """Return the Lease by which `holder` takes it with an epoch."""
    now = _micro_time()
    return Lease(holder=holder, duration=times.duration, transitions=epoch, acquired_at=now, renewed_at=now)


def renewed(lease: Lease) -> Lease:
    """Return our Lease, as it was last sent, renewed: the text is another one even if the clock stands still, for that is the renewal."""
    return replace(lease, renewed_at=_micro_time(unlike=lease.renewed_at), resource_version="")


def given_back(lease: Lease) -> Lease:
    """Return our Lease as it is left to whoever comes next; the epoch stays in it."""
    return replace(lease, holder="", renewed_at=_micro_time(), resource_version="")


def _micro_time(*, unlike: str = "") -> str:
    """Return the time as a Lease holds it: RFC 3339 with six digits, in UTC; the API server returns this form exactly as it came."""
    now = datetime.now(UTC)
    text = now.strftime(_FORM)
    return text if text != unlike else (now + timedelta(microseconds=1)).strftime(_FORM)
