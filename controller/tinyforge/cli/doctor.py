"""`tinyforge doctor`: every connection, looked at one after the other, with how to mend what is broken."""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import click

from tinyforge.cli import process
from tinyforge.cli.checks.check import Check, Verdict, fail, ok, warn
from tinyforge.cli.checks.hosts import check_hosts
from tinyforge.cli.checks.index import Stored, check_index
from tinyforge.cli.checks.lease import judge_lease
from tinyforge.cli.checks.manifests import check_manifests
from tinyforge.cli.checks.traces import check_traces
from tinyforge.cli.database import NothingRanYet, UsedDatabase, database_if_any, opened
from tinyforge.cli.leases import see_lease
from tinyforge.cli.output import Cell, print_json, print_line
from tinyforge.cli.parameters import folder_option
from tinyforge.cli.verb import Verb, json_option, start_verb
from tinyforge.ports import TinyforgeError
from tinyforge.settings import Settings, unknown_settings
from tinyforge.standalone.local_engine import LocalEngine

_STYLES = {Verdict.OK: "green", Verdict.WARN: "yellow", Verdict.FAIL: "bold red"}


@click.command(
    "doctor",
    cls=Verb,
    examples={
        "tinyforge doctor": "the database, and the hosts that the running controller looks after",
        "tinyforge doctor -f manifests/examples": "the manifests of a folder, and the hosts they declare",
    },
)
@folder_option
@json_option
@click.pass_context
def verb(context: click.Context, *, folder: Path | None, as_json: bool) -> None:
    """Check every connection, and say how to mend what is broken.

    A line for each check: `ok`, `warn` (works, but not fully or not for long) or `fail`. Exit code 1 if one fails. Nothing is changed.
    """
    settings = start_verb()
    with ExitStack() as stack:
        checks = process.run(_run(settings, folder, database_if_any(settings, stack), as_json=as_json))
    if as_json:
        print_json([asdict(check) for check in checks])
    if any(check.verdict is Verdict.FAIL for check in checks):
        context.exit(1)


async def _run(settings: Settings, folder: Path | None, database: UsedDatabase | TinyforgeError, *, as_json: bool) -> list[Check]:
    checks = []
    async for check in _checks(settings, folder, database):
        checks.append(check)
        if not as_json:
            mend = f"  -> {check.mend}" if check.mend else ""
            print_line(Cell(f"{check.verdict:<4}", _STYLES[check.verdict]), Cell(f"  {check.subject}: {check.finding}{mend}"))
    return checks


async def _checks(settings: Settings, folder: Path | None, database: UsedDatabase | TinyforgeError) -> AsyncIterator[Check]:
    stored = Stored()
    for check in [*_check_settings(settings), *await check_traces()]:
        yield check
    if isinstance(database, UsedDatabase):
        async with opened(database) as sessions:
            checks, stored = await check_index(sessions)
            for check in checks:
                yield check
    else:
        yield _no_database(database)
    if stored.leader and stored.leader.lease:
        yield judge_lease(await see_lease(settings), stored.leader, settings)
    hosts = list(stored.mirror.hosts.values()) or [it.value for it in LocalEngine(os.environ.get("DOCKER_HOST", "")).reading().hosts]
    if folder:
        reading, checks = check_manifests(folder, stored.mirror)
        hosts = [declared.value for declared in reading.hosts]
        for check in checks:
            yield check
    for check in await check_hosts(hosts, pinned=stored.pinned, settings=settings):
        yield check


def _check_settings(settings: Settings) -> Iterator[Check]:
    unknown = unknown_settings()
    for sentence in unknown:
        yield warn("settings", sentence, "correct its name, or take it out of the environment")
    if not unknown:
        yield ok("settings", f"{len(settings.model_fields_set)} set by the environment, the others are defaults")


def _no_database(why: TinyforgeError) -> Check:
    if isinstance(why, NothingRanYet):
        return warn("database", "nothing has run yet, so there is none", "start with `tinyforge run`, which makes it")
    return fail("database", str(why), "see there, or name another database by TINYFORGE_DATABASE_URL")
