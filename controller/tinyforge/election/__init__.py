"""The election: several replicas, one Lease, one leader. The operator alone has one; without a cluster PostgreSQL decides by itself.

No library elects safely for writers of a database: a Lease is not a fence. So what is elected here still has to claim the database, and
every write is fenced by the epoch that the Lease carries. The rules are pure and are in `tinyforge.domain` (`candidacy`: when to campaign;
`tenure`: what a renewal's failure means); here is what they need of the world:

    elector ─┬─ standing_by ── sightings     a standby's watch over the Lease and over whoever leads the database
             ├─ campaign                     the Lease is taken, then the database is claimed
             ├─ renewer ────── renewals      a thread that renews, come what may in the main event loop
             └─ stepping_down                the Lease is given back, if it is still ours
    watchdog                                 ends the process where the main event loop does not

The adapters are given: that of `tinyforge.cluster` for the Lease, whose errors are known here, and ports for PostgreSQL. Times are in
seconds, moments those of `boottime`.
"""

from tinyforge.election.alarms import overdue_end, overdue_mutations
from tinyforge.election.boottime import boottime
from tinyforge.election.elector import Elector, Won
from tinyforge.election.errors import CampaignFailed, LeaseLost
from tinyforge.election.renewing import Renewer
from tinyforge.election.steps import Steps, no_stop, stop_points
from tinyforge.election.watchdog import Watchdog

__all__ = [
    "CampaignFailed",
    "Elector",
    "LeaseLost",
    "Renewer",
    "Steps",
    "Watchdog",
    "Won",
    "boottime",
    "no_stop",
    "overdue_end",
    "overdue_mutations",
    "stop_points",
]
