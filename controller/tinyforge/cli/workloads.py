"""`tinyforge workloads`: what is declared, and how much of it runs."""

import click

from tinyforge.cli import process
from tinyforge.cli.database import UsedDatabase, existing_database, opened_reports
from tinyforge.cli.output import Cell, Table, note, print_json, print_table
from tinyforge.cli.silence import why_nothing_happens
from tinyforge.cli.texts import age, text
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.domain.host_status import WhyUnknown
from tinyforge.domain.workload_status import Counts, count
from tinyforge.index.reports import Facts
from tinyforge.objects.statuses import read_workload_status

_TITLES = ("WORKLOAD", "KIND", "HOST", "CONTAINERS", "READY", "REASON", "TRACE", "MATCHED BY", "AGE")
_NONE = "No workload is declared: add one to the folder that `tinyforge run -f FOLDER` reads."


@click.command("workloads", cls=Verb, examples={"tinyforge workloads": "all of them", "tinyforge workloads --json": "for a script"})
@json_option
def verb(*, as_json: bool) -> None:
    """Show the workloads and how many of their containers run.

    MATCHED BY is the label that a container of the workload carries, beside tinyforge.workload.id, which always counts.
    """
    with existing_database(start_verb()) as used:
        process.run(_show(used, as_json=as_json))


async def _show(used: UsedDatabase, *, as_json: bool) -> None:
    async with opened_reports(used) as reports:
        facts = await reports.workloads()
        if as_json:
            print_json(facts)
            return
        if facts:
            print_table(_table(facts))
        nothing_happens = await why_nothing_happens(reports)
        note(nothing_happens if facts or nothing_happens else _NONE)


def _table(facts: Facts) -> Table:
    return Table(
        _TITLES,
        [
            [
                text(fact["id"]),
                text(fact["kind"]),
                text(fact["host"]),
                _containers(count(fact["states"])),
                *_outcome(fact["status"], count(fact["states"])),
                text(_label(fact["compose_project"], fact["ref"])),
                Cell(age(fact["created_at"])),
            ]
            for fact in facts
        ],
    )


def _containers(counts: Counts) -> Cell:
    others = ((counts.missing, "missing"), (counts.unknown, "unknown"))
    words = ", ".join([counts.summary, *(f"{number} {what}" for number, what in others if number)])
    if counts.total and counts.running == counts.total:
        return Cell(words, "green")
    return Cell(words, "red" if counts.missing else "yellow")


def _outcome(document: object, counts: Counts) -> list[Cell]:
    """Return whether the workload is ready and why, as its last turn found it, and the trace of its last dispatch.

    What the containers say now comes first: nobody may have taken a turn since they changed, or since anybody led.
    """
    status = read_workload_status(document)
    ready = next((it for it in status.conditions if it.type == "Ready"), None) if status else None
    if status is None or ready is None:
        return [Cell("")] * 3
    trace = Cell(status.last_dispatch.trace_id if status.last_dispatch else "")
    if ready.status == "True" and counts.running < counts.total:
        return [Cell("Unknown", "yellow"), Cell(WhyUnknown.STALE), trace]
    style = {"True": "green", "False": "red"}.get(ready.status, "yellow")
    return [Cell(ready.status, style), text(ready.reason), trace]


def _label(compose_project: str, ref: str) -> str:
    if compose_project:
        return f"com.docker.compose.project={compose_project}"
    return f"tinyforge.static-site={ref}" if ref else ""
