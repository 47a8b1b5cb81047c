"""What leading needs: the claim of the database, the presence in it, and the Lease."""

from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from typing import NoReturn, Protocol

from tinyforge.domain.leaders import LeadersLook
from tinyforge.domain.lease import Lease


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One time of leading: what fences every write.

    `holder` is this process, for people; `session` names all its PostgreSQL sessions; `lease` is `<uid of its namespace>/<name>` of the
    Lease under which it leads, empty without one.
    """

    epoch: int
    holder: str
    session: str
    driver: str = "standalone"
    lease: str = ""


class Attendant(Protocol):
    """Who is told what a presence sees. None of these may raise but for Fenced, and only `lost` may take its time."""

    def looked(self, look: LeadersLook) -> None:
        """Take note of who leads, four times a second.

        Raises:
            Fenced: that ends what is attended to.
        """
        ...

    def requested(self) -> None:
        """Take note that there may be a new request: whenever one is made, and whenever some may have been missed."""
        ...

    async def lost(self) -> None:
        """Do what can be done about PostgreSQL: its session was lost or cannot be opened, and is opened anew after this."""
        ...


class Presence(Protocol):
    """The one session by which a process is known to be alive, and sees who leads: a standby's, and the same one when it leads."""

    async def hold(self, attendant: Attendant) -> NoReturn:
        """Hold the session until cancelled; it stays open for the next one who holds it.

        Raises:
            Fenced: the attendant did.
            IndexRefused: the row of `leaders` is gone: nobody can lead this database.
        """
        ...

    async def release(self, term: Term) -> None:
        """Say that nobody leads any more, if PostgreSQL hears it in time. A Lease is freed before that, never after.

        While a Lease still names its holder, an empty row would keep those who look from taking the holder for gone.
        """
        ...


class Leases(Protocol):
    """The one Lease of the election, as an API server has it; used from one event loop, one request at a time, beside one watch.

    Every method raises an error of `tinyforge.cluster.errors`: ClusterUnavailable if there was no usable answer, ClusterRefused if the
    answer was no.
    """

    async def read(self) -> Lease | None:
        """Return the Lease as it is now; None if there is none."""
        ...

    async def create(self, lease: Lease) -> Lease:
        """Add the Lease, and return it as it is then.

        Raises:
            ObjectMoved: there is one already.
            ClusterUnavailable: there was no usable answer; perhaps it is done.
        """
        ...

    async def replace(self, lease: Lease, *, over: str) -> Lease:
        """Write the Lease over exactly the state that the resource version `over` names, and return it as it is then.

        Raises:
            ObjectMoved: it is in another state by now, or gone; nothing was written.
            ClusterUnavailable: there was no usable answer; perhaps it is done.
        """
        ...

    def watch(self) -> AsyncGenerator[Lease | None, None]:
        """Yield the Lease as it is and whenever it changes, None when it is deleted, until the server or the connection ends it.

        Its silence proves nothing, and what it says at first may be older than what was read.
        """
        ...

    async def close(self) -> None:
        """Give up the connections; idempotent."""
        ...


class Claiming(Protocol):
    """How a campaign that took the Lease takes the database. All but the epoch is known beforehand."""

    async def claim(self, epoch: int, *, give_up: Callable[[], bool]) -> Term:
        """Claim an epoch, again and again while PostgreSQL does not answer or the previous holder's transactions are in the way.

        Claiming the same epoch twice is claiming it once.

        Args:
            epoch: what the Lease carries.
            give_up: whether it is too late, asked at least once a second.

        Raises:
            Fenced: a newer epoch is claimed.
            IndexRefused: the database belongs to another driver or Lease, or the row of `leaders` is gone.
            IndexUnavailable: it was given up.
        """
        ...


class Claim(Protocol):
    """The claim of a term, as PostgreSQL has it: an asynchronous failover can lose it."""

    async def confirm(self) -> None:
        """See whether it stands, and make it again if it was lost.

        Raises:
            Fenced: another process leads, or nobody can.
            IndexUnavailable: PostgreSQL does not answer.
        """
        ...

    async def regained(self) -> None:
        """Wait until it was lost and made again, once for each time or more: what was written before may be lost too."""
        ...
