"""One replica of the operator, as `tinyforge controller` runs it: warm, it waits for its turn, leads one term at most, and ends with it.

    stands by ──▶ is elected ──▶ leads: `Controller.run` under a led index
                                   ├─ asked to end: begins nothing more, waits for what is under way, still renewing the Lease;
                                   │  then gives back the Lease, and then the database
                                   └─ Lease or database lost: everything is cancelled, nothing is given back, and the error says to whom

Whoever runs the process starts it again; it stands by then under another identity.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from tinyforge.domain.lease import LeaseTimes
from tinyforge.domain.roles import Role, leader, standby
from tinyforge.election import CampaignFailed, Elector, LeaseLost, Watchdog, Won, boottime, overdue_mutations
from tinyforge.index.led import LedIndex, led
from tinyforge.index.presence import Presence
from tinyforge.logs import lines_of_epoch
from tinyforge.operator.controller import Controller
from tinyforge.ports import Fenced
from tinyforge.reconcile.mutations import Mutations
from tinyforge.reconcile.planned_end import until_drained


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """What a replica needs to lead.

    Args:
        conninfo: where the database is.
        presence: that of this process.
        times: those of the Lease.
        watchdog: that of this process.
        drain: how long a planned end waits for dispatches and teardowns, in seconds.
        begin: makes the controller of a term.
    """

    conninfo: str = field(repr=False)
    presence: Presence
    times: LeaseTimes
    watchdog: Watchdog
    drain: float
    begin: Callable[[LedIndex], Controller]


class Replica:
    """One of several processes of which one leads.

    Args:
        elector: that of this process.
        office: what it leads with.
    """

    def __init__(self, *, elector: Elector, office: Office) -> None:
        self._elector = elector
        self._office = office
        self._won: Won | None = None
        self._since = datetime.now(UTC)

    async def run(self) -> None:
        """Stand by, lead, and end; cancelled, it drains if it leads.

        Raises:
            LeaseLost, Fenced: another process leads; the text names it.
            CampaignFailed: the Lease was taken, and the database could not be claimed.
            IndexRefused: nobody can lead this database until somebody acts.
        """
        try:
            with ExitStack() as to_the_end:
                async with self._elector.elected() as won:
                    to_the_end.enter_context(lines_of_epoch(won.term.epoch))
                    self._won, self._since = won, datetime.now(UTC)
                    await self._lead(won)
        except (CampaignFailed, LeaseLost, Fenced):
            raise  # nothing is left that would be ours to give back
        except BaseException:
            if self._won:
                await self._office.presence.release(self._won.term)
            raise

    def role(self) -> Role:
        """Return what this replica is now."""
        if self._won is None:
            return standby(self._elector.leaders, waits=self._elector.waits)
        renewer = self._won.renewer
        unrenewed_for = timedelta(seconds=boottime() - renewer.renewed_at)
        return leader(self._won.term.epoch, since=self._since, renewed_at=None if renewer.valid() else datetime.now(UTC) - unrenewed_for)

    def wrong(self) -> list[str]:
        """Return what keeps this replica from making progress, a sentence each."""
        if self._won and not self._won.renewer.alive:
            return [f"the thread that renews the Lease has ended{self._won.renewer.lost and f': {self._won.renewer.lost}'}"]
        return []

    async def _lead(self, won: Won) -> None:
        office, renewer = self._office, won.renewer
        async with led(office.conninfo, won.term, office.presence) as index:
            # The sources of this release change nothing. The first one that does gets this, and no other way to an engine.
            mutations = Mutations(intents=index.intents, validity=renewer, steady=office.times.survived_outage, now=boottime)
            alarm = overdue_mutations(renewer, under_way=lambda: len(mutations.under_way()), now=boottime)
            with office.watchdog.heeding(alarm):
                controller = office.begin(index)

                async def drain() -> None:
                    if not renewer.lost:
                        with won.ending.draining():
                            await controller.drain(office.drain)

                await until_drained(controller.run, drain)
