"""`tinyforge hosts`: the hosts, and what their last pass found."""

import click

from tinyforge.cli import process
from tinyforge.cli.database import UsedDatabase, existing_database, opened_reports
from tinyforge.cli.output import Cell, Table, note, print_json, print_table
from tinyforge.cli.silence import START, why_nothing_happens
from tinyforge.cli.texts import age, state, text
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.index.reports import Facts

_TITLES = ("HOST", "STATE", "CONTAINERS", "MANAGED", "CHECKED", "ENGINE", "ENDPOINT", "WHY")


@click.command("hosts", cls=Verb, examples={"tinyforge hosts": "all of them", "tinyforge hosts --json": "for a script"})
@json_option
def verb(*, as_json: bool) -> None:
    """Show the hosts and how their last pass went.

    CONTAINERS and MANAGED are of the last complete pass, CHECKED is how long ago that was. A host that is no longer declared is shown as
    `removed` for as long as it has rows.
    """
    with existing_database(start_verb()) as used:
        process.run(_show(used, as_json=as_json))


async def _show(used: UsedDatabase, *, as_json: bool) -> None:
    async with opened_reports(used) as reports:
        facts = await reports.hosts()
        if as_json:
            print_json(facts)
            return
        if facts:
            print_table(_table(facts))
        nothing_happens = await why_nothing_happens(reports)
        note(nothing_happens if facts or nothing_happens else f"No host is declared: {START}.")


def _table(facts: Facts) -> Table:
    return Table(
        _TITLES,
        [
            [
                text(fact["name"]),
                state("stale") if fact["stale"] else state(fact["state"], fact["state_reason"]),
                Cell(str(fact["listed"])),
                Cell(str(fact["matched"])),
                Cell(age(fact["last_complete_pass_at"])),
                text(fact["engine_version"]),
                text(fact["endpoint"]),
                text(fact["state_message"]),
            ]
            for fact in facts
        ],
    )
