"""`tinyforge leader`: who keeps the index true, who could, and what a failure now would mean."""

from dataclasses import asdict
from typing import Any

import click

from tinyforge.cli import process
from tinyforge.cli.database import UsedDatabase, existing_database, opened_reports
from tinyforge.cli.leases import SeenLease, UnseenLease, see_lease
from tinyforge.cli.output import Cell, print_facts, print_json
from tinyforge.cli.silence import START
from tinyforge.cli.texts import age, moment
from tinyforge.cli.verb import Failure, Verb, json_option, start_verb
from tinyforge.index.reports import Leadership, Standby
from tinyforge.settings import Settings


@click.command(
    "leader",
    cls=Verb,
    examples={
        "tinyforge leader": "what the database says",
        "KUBECONFIG=~/.kube/config tinyforge leader": "and what the Lease says, in the namespace of the context",
        "tinyforge leader --json": "for a script",
    },
)
@json_option
def verb(*, as_json: bool) -> None:
    """Show who leads, since when, and who could.

    The database says who leads and which processes stand by; the Lease, if the cluster can be reached, when it was last renewed. The outage
    that is survived is by the settings of this very command. Exit code 1 if nobody leads.
    """
    settings = start_verb()
    with existing_database(settings) as used:
        leadership, lease = process.run(_gather(settings, used))
    if as_json:
        print_json(_document(leadership, lease, settings))
    else:
        print_facts(_facts(leadership, lease, settings))
    if not leadership.leader.alive:
        raise Failure(_nobody(leadership))


async def _gather(settings: Settings, used: UsedDatabase) -> tuple[Leadership, SeenLease | UnseenLease]:
    async with opened_reports(used) as reports:
        return await reports.leadership(), await see_lease(settings)


def _nobody(leadership: Leadership) -> str:
    if leadership.leader.claimed_at is None or leadership.last_sign_of_life is None:
        return f"nobody leads: no controller ever ran on this database; {START}"
    last = f"{leadership.leader.holder or 'whoever led last'} was last heard of at {moment(leadership.last_sign_of_life)}"
    return f"nobody leads: {last}; {START}"


def _document(leadership: Leadership, lease: SeenLease | UnseenLease, settings: Settings) -> dict[str, Any]:
    leader = leadership.leader
    return {
        "leads": leader.alive,
        "holder": leader.holder,
        "epoch": leader.epoch,
        "since": leader.claimed_at,
        "driver": leader.driver,
        "lease": leader.lease,
        "lastSignOfLife": leadership.last_sign_of_life,
        "leaseObject": asdict(lease) if isinstance(lease, SeenLease) else None,
        "leaseUnknown": lease.why if isinstance(lease, UnseenLease) else "",
        "standbys": [asdict(standby) for standby in leadership.standbys],
        "survivedOutageSeconds": settings.lease_times.survived_outage,
    }


def _facts(leadership: Leadership, lease: SeenLease | UnseenLease, settings: Settings) -> dict[str, Cell]:
    leader = leadership.leader
    facts = {
        "leader": Cell(leader.holder or "-") if leader.alive else Cell(f"nobody; last: {leader.holder or '-'}", "red"),
        "epoch": Cell(str(leader.epoch)),
        "since": Cell(f"{moment(leader.claimed_at)} ({age(leader.claimed_at)})" if leader.claimed_at else "-"),
        "driver": Cell(leader.driver or "-"),
        "lease": Cell(leader.lease or "-"),
        "standbys": Cell(", ".join(map(_standby, leadership.standbys)) or "none"),
    }
    if leader.driver != "standalone":
        facts["renewed"] = _renewed(lease)
        facts["survives"] = Cell(survived(settings))
    return facts


def _renewed(lease: SeenLease | UnseenLease) -> Cell:
    if isinstance(lease, UnseenLease):
        return Cell(f"unknown: {lease.why}", "yellow")
    if lease.renewed_at is None:
        return Cell(f"never: the Lease {lease.place} names nobody", "yellow")
    holder = f"by {lease.holder}" if lease.holder else "and given back since"
    return Cell(f"{moment(lease.renewed_at)} ({age(lease.renewed_at)}) {holder} with epoch {lease.epoch}, Lease {lease.place}")


def survived(settings: Settings) -> str:
    """Return the outage of the API server that stops nothing, in words."""
    return f"{settings.lease_times.survived_outage:g}s without the API server, by these settings, and the index any time"


def _standby(standby: Standby) -> str:
    return f"{standby.session.removeprefix('tinyforge/')[:8]}{standby.address and f' on {standby.address}'} ({age(standby.since)})"
