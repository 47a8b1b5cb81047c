"""`tinyforge run`: the main job without a cluster. Brings database and driver together, and is the only verb that goes on by itself."""

import logging
import os
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import click

from tinyforge.cli import process
from tinyforge.cli.alone import Leading, lead_alone
from tinyforge.cli.database import UsedDatabase, used_database
from tinyforge.cli.engines import engines
from tinyforge.cli.installed import installed_plugins
from tinyforge.cli.output import note
from tinyforge.cli.parameters import folder_option
from tinyforge.cli.passes import print_passes
from tinyforge.cli.patience import Reviving, until_available
from tinyforge.cli.rhythm import leaves_out, rhythm_of
from tinyforge.cli.verb import Verb, start_verb
from tinyforge.cli.vitals import Vitals
from tinyforge.domain.declarations import Reading
from tinyforge.domain.passes import PassReport
from tinyforge.engine import FolderSecrets
from tinyforge.index.leadership import Identity
from tinyforge.index.led import LedIndex, lead
from tinyforge.index.schema import migrate
from tinyforge.reconcile.answers import describe_pass
from tinyforge.reconcile.declarations import Declaring
from tinyforge.settings import Settings
from tinyforge.standalone.controller import Controller, Surroundings
from tinyforge.standalone.folder import ManifestFolder
from tinyforge.standalone.local_engine import LocalEngine
from tinyforge.standalone.manifests.files import list_manifests
from tinyforge.standalone.once import run_once
from tinyforge.telemetry import TraceStatistics, trace_faults, tracing

logger = logging.getLogger(__name__)


@click.command(
    "run",
    cls=Verb,
    examples={
        "tinyforge run": "the local Docker Engine, and no workloads",
        "tinyforge run -f manifests/examples": "the hosts and workloads of a folder, which is watched",
        "tinyforge run -f FOLDER --once": "one pass of every host, for instance from cron",
    },
)
@folder_option
@click.option("--once", is_flag=True, help="Run one pass of every host, print what it found, and exit.")
@click.option("--take-over", is_flag=True, help="Lead the database even if an operator or another Lease leads it.")
@click.option("--json", "as_json", is_flag=True, help="With --once: print one JSON document.")
def verb(*, folder: Path | None, once: bool, take_over: bool, as_json: bool) -> None:
    """Keep the index true, on this machine, until it is stopped.

    The database is brought up to date first. Whoever led it before is deposed, and says so.

    With --once, exit code 1 means that a host failed or that a manifest is bad; a bad manifest writes nothing.
    """
    if as_json and not once:
        raise click.UsageError("--json belongs to --once: without it there is no end to print at.")
    settings = start_verb(faults=trace_faults(os.environ))
    if once:
        _run_once(folder, settings, take_over=take_over, as_json=as_json)
    else:
        _run(folder, settings, take_over=take_over)


def _run_once(folder: Path | None, settings: Settings, *, take_over: bool, as_json: bool) -> None:
    reading = ManifestFolder(folder).read_strictly() if folder else _local_engine().reading()
    with tracing(Identity.draw().holder, filtered=leaves_out(settings)), used_database(settings) as used:
        reports = process.run(_passes(reading, settings, used, take_over=take_over))
    print_passes([describe_pass(report) for report in reports], as_json=as_json)


async def _passes(reading: Reading, settings: Settings, used: UsedDatabase, *, take_over: bool) -> list[PassReport]:
    await migrate(used.conninfo)
    return await run_once(
        reading,
        settings=settings,
        connect=engines(settings, FolderSecrets(settings.secrets)),
        plugins=installed_plugins(),
        conninfo=used.conninfo,
        take_over=take_over,
    )


def _run(folder: Path | None, settings: Settings, *, take_over: bool) -> None:
    if folder and not list_manifests(folder).files:  # raises if the folder cannot be read: later it would only stay as it is
        note(f"{folder} holds no manifests (*.yaml, *.yml): nothing is declared until it does.")
    declaring: Declaring = ManifestFolder(folder) if folder else _local_engine()
    if settings.database_url is None:
        note("Starting the embedded PostgreSQL; the first time that takes some seconds.")
    identity = Identity.draw()
    with tracing(identity.holder, filtered=leaves_out(settings)) as traces, used_database(settings) as used:
        note(f"The index is in PostgreSQL: {used.psql}")
        leading = partial(lead, used.conninfo, identity=identity, take_over=take_over)
        process.run(_serve(declaring, settings, used, leading, traces), drain=settings.drain)


async def _serve(declaring: Declaring, settings: Settings, used: UsedDatabase, leading: Leading, traces: TraceStatistics | None) -> None:
    async with AsyncExitStack() as stack:
        plugins = installed_plugins()
        vitals = Vitals(plugins)
        if traces:
            vitals.metrics.readings.look_at_traces(traces)
        await stack.enter_async_context(vitals.served(settings.http_address))
        applied = await until_available(lambda: migrate(used.conninfo), told=vitals.wait_for)
        for migration in applied:
            logger.info("migration %s applied", migration, extra={"action": "migration_applied"})

        def begin(index: LedIndex) -> Controller:
            logger.info(
                "%s leads with epoch %d", index.term.holder, index.term.epoch, extra={"action": "leading", "epoch": index.term.epoch}
            )
            surroundings = Surroundings(
                declaring=declaring, connect=engines(settings, FolderSecrets(settings.secrets)), on_database_lost=Reviving(used).revive
            )
            controller = Controller(
                surroundings=surroundings, index=index, plugins=plugins, rhythm=rhythm_of(settings), metrics=vitals.metrics
            )
            vitals.look_at_timers(lambda: controller.silent)
            vitals.metrics.readings.look_at_fence(lambda: index.fenced_writes)
            return controller

        await lead_alone(leading, begin, vitals=vitals, drain=settings.drain)


def _local_engine() -> LocalEngine:
    return LocalEngine(os.environ.get("DOCKER_HOST", ""))
