"""The API server as the election meets it: one Lease, and links over which requests or answers get lost or come late.

A write names the resourceVersion that it goes over, and is refused with 409 if the Lease is another by then, or gone; to create one, there
must be none (Kubernetes: "Resource versions"; that a PUT over a deleted Lease is refused is the doing of its uid, see `cluster.leases`).
"""

from dataclasses import dataclass, replace
from enum import Enum

from tests.election.model.moments import Clock
from tests.election.model.witness import Taken, Witness
from tinyforge.domain.lease import Lease


class Link(Enum):
    """What becomes of what a replica sends to the API server."""

    UP = "answered"
    LOSES_REQUESTS = "never arrives"
    LOSES_ANSWERS = "is done, and the answer is lost"
    LATE = "arrives when the link is up again"


class Conflict(Exception):
    """409."""


@dataclass(eq=False)
class Request:
    """A read (`write` is None) or a write by replica `number`, which leads or campaigns as `by` (identity and epoch).

    `over` is the resourceVersion that is written over, empty to create.
    """

    number: int
    by: tuple[str, int]
    sent_at: float
    write: Lease | None = None
    over: str = ""
    answered: bool = False
    answer: Lease | Conflict | None = None


class ApiServer:
    """Holds the Lease, and what is under way to it."""

    def __init__(self, *, clock: Clock, witness: Witness) -> None:
        self.clock = clock
        self.witness = witness
        self.lease: Lease | None = None
        self.version = 0
        self.changed_at = clock.now
        self.links: dict[int, Link] = {}
        self.under_way: list[Request] = []

    def link(self, number: int) -> Link:
        """What the link of a replica does."""
        return self.links.get(number, Link.UP)

    def serve(self) -> bool:
        """Do what has arrived; tell whether there was anything."""
        arrived = [it for it in self.under_way if self.link(it.number) is not Link.LATE]
        for request in arrived:
            self.under_way.remove(request)
            link = self.link(request.number)
            if link is not Link.LOSES_REQUESTS:
                request.answer = self._do(request)
                request.answered = link is Link.UP
        return bool(arrived)

    def edit(self, lease: Lease | None) -> None:
        """Put another Lease in its place, or none: what somebody does by hand."""
        self.witness.edited()
        self._store(lease)

    def _store(self, lease: Lease | None) -> None:
        self.version += 1
        self.changed_at = self.clock.now
        self.lease = lease and replace(lease, resource_version=str(self.version))

    def _do(self, request: Request) -> Lease | Conflict | None:
        if request.write is None:
            return self.lease
        if (self.lease.resource_version if self.lease else "") != request.over:
            return Conflict()
        self._witness(self.lease, request, request.write)
        self._store(request.write)
        return self.lease

    def _witness(self, before: Lease | None, request: Request, write: Lease) -> None:
        if before is None or not before.holder:
            self.witness.taken[write.transitions] = Taken.FREE
        elif not write.holder:
            self.witness.cleared(before.holder, before.transitions, by=request.by)
        elif before.holder != write.holder:
            expired = self.clock.now - self.changed_at >= before.duration
            self.witness.taken[write.transitions] = Taken.EXPIRED if expired else Taken.SOONER
