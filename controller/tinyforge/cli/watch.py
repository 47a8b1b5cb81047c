"""`ps --watch`: on a terminal the table, drawn again every second; anywhere else a line for every change.

PostgreSQL going away is no end: it is said, and what was seen last stays in sight.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import datetime

import click
from rich.console import Group
from rich.live import Live
from rich.text import Text

from tinyforge.cli.containers_table import Fact, containers_table
from tinyforge.cli.database import UsedDatabase, opened_reports
from tinyforge.cli.output import note, plain, rendered, terminal
from tinyforge.cli.silence import why_no_containers, why_nothing_happens
from tinyforge.cli.texts import short_id, state
from tinyforge.index.reports import ContainerFilter, Reports
from tinyforge.ports import IndexUnavailable

_LOOK_SECONDS = 1.0
_CHROME_LINES = 4  # of a terminal that no row can have: titles, rule, remark, cursor


async def watch_containers(used: UsedDatabase, wanted: ContainerFilter) -> None:
    """Show rows and their changes until cancelled.

    Raises:
        IndexUnavailable: PostgreSQL does not answer at the start.
        IndexRefused: there is nothing to be read.
    """
    async with opened_reports(used) as reports:
        await reports.leader()
        show = _draw if sys.stdout.isatty() else _tell
        await show(_looks(reports, wanted), reports, wanted)


async def _looks(reports: Reports, wanted: ContainerFilter) -> AsyncIterator[Sequence[Fact] | IndexUnavailable]:
    while True:
        try:
            yield await reports.containers(wanted)
        except IndexUnavailable as error:
            yield error
        await asyncio.sleep(_LOOK_SECONDS)


async def _draw(looks: AsyncIterator[Sequence[Fact] | IndexUnavailable], reports: Reports, wanted: ContainerFilter) -> None:
    facts: Sequence[Fact] = ()
    with Live(console=terminal(), auto_refresh=False) as live:
        async for look in looks:
            if isinstance(look, IndexUnavailable):
                remark = f"{look}; trying again"
            else:
                facts = look
                remark = await _remark(reports, wanted, facts)
            fitting = max(live.console.height - _CHROME_LINES, 1)
            more = f"and {len(facts) - fitting} more rows; " if len(facts) > fitting else ""
            live.update(Group(rendered(containers_table(facts[:fitting])), Text(plain(more + remark), style="dim")), refresh=True)


async def _remark(reports: Reports, wanted: ContainerFilter, facts: Sequence[Fact]) -> str:
    try:
        return await why_nothing_happens(reports) if facts else await why_no_containers(reports, wanted)
    except IndexUnavailable as error:
        return f"{error}; trying again"


async def _tell(looks: AsyncIterator[Sequence[Fact] | IndexUnavailable], _reports: Reports, _wanted: ContainerFilter) -> None:
    before: Mapping[str, str] = {}
    complaint = ""
    async for look in looks:
        if isinstance(look, IndexUnavailable):
            if str(look) != complaint:
                note(f"{look}; trying again")
            complaint = str(look)
        else:
            now = {str(fact["id"]): _words(fact) for fact in look}
            for line in _changes(before, now):
                click.echo(f"{datetime.now().astimezone():%H:%M:%S}  {line}")
            before, complaint = now, ""


def _changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for row in sorted(before.keys() | now.keys()):
        if before.get(row) != now.get(row):
            yield f"{plain(row)}  {now.get(row, 'no such row any more')}"


def _words(fact: Fact) -> str:
    words = state(fact["effective_state"], fact["reason"]).text
    return plain(f"{words}  {short_id(fact['container_id']) or '-'}  {fact['image_ref'] or '-'}  {fact['host']}")
