"""The Lease of the election as a verb sees it, from wherever it runs: a cluster that it cannot reach is no failure of it."""

import socket
from dataclasses import dataclass
from datetime import datetime

from tinyforge.cluster import Access, ClusterLeases, ClusterRefused, ClusterUnavailable, NoCluster, find_access
from tinyforge.domain.lease import Lease
from tinyforge.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenLease:
    """What the Lease says. `renewed_at` is by the clock of whoever renewed it last, and None if nobody did."""

    place: str
    holder: str
    epoch: int
    renewed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnseenLease:
    """The Lease could not be looked at; `why` is for people."""

    why: str


def leases_of(settings: Settings, access: Access) -> ClusterLeases:
    """Return the Lease that the settings name, in a cluster; nothing is connected yet.

    Raises:
        NoCluster: a certificate, a key or a way of logging in cannot be used.
    """
    return ClusterLeases(
        access,
        namespace=settings.lease_namespace or access.namespace,
        name=settings.lease_name,
        seconds=settings.lease_request_timeout,
        instance=socket.gethostname(),
    )


async def see_lease(settings: Settings) -> SeenLease | UnseenLease:
    """Look at the Lease, if there is a cluster."""
    try:
        leases = leases_of(settings, find_access())
    except NoCluster as error:
        return UnseenLease(why=str(error))
    place = f"{leases.namespace}/{leases.name}"
    try:
        lease = await leases.read()
    except (ClusterUnavailable, ClusterRefused) as error:
        return UnseenLease(why=str(error))
    finally:
        await leases.close()
    return _seen(place, lease) if lease else UnseenLease(why=f"there is no Lease {place}")


def _seen(place: str, lease: Lease) -> SeenLease:
    try:
        renewed_at = datetime.fromisoformat(lease.renewed_at) if lease.renewed_at else None
    except ValueError:  # an API server takes no other text, but this is somebody else's word
        renewed_at = None
    return SeenLease(place=place, holder=lease.holder, epoch=lease.transitions, renewed_at=renewed_at)
