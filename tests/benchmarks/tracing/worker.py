"""A process that runs passes and dispatches when it is told to, and tells what each took: the program's own parts, put together as it does.

`python -m tests.benchmarks.tracing.worker DATABASE MANIFESTS`; its traces go where its environment says. A line of its input is what to do
and how often; it answers with a line of JSON, the seconds of each.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import click

from tests.benchmarks.host import declare
from tests.benchmarks.tracing.work import DISPATCH, FORCED, STEADY, WORKLOAD
from tinyforge.cli.engines import engines
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReason, DispatchReport
from tinyforge.domain.passes import PassOutcome, PassReason
from tinyforge.engine import FolderSecrets
from tinyforge.index.led import lead
from tinyforge.index.schema import migrate
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.hosts import Hosts, OpenHost
from tinyforge.reconcile.plugins import load_plugins
from tinyforge.reconcile.trace_links import TraceLinks
from tinyforge.reconcile.workload_turns import WorkloadTurns
from tinyforge.settings import Settings
from tinyforge.telemetry import tracing

Thing = Callable[[], Awaitable[None]]


async def work(url: str, manifests: Path) -> None:
    """Do what is asked for until the input ends."""
    async with things(url, manifests) as known:
        click.echo("ready")
        while asked := await asyncio.to_thread(sys.stdin.readline):
            what, times = asked.split()
            click.echo(json.dumps([await seconds_of(known[what]) for _ in range(int(times))]))


@asynccontextmanager
async def things(url: str, manifests: Path) -> AsyncIterator[Mapping[str, Thing]]:
    """What can be asked for, on a database of its own."""
    settings = Settings.model_construct()  # the defaults, whatever the environment says
    await migrate(url)
    async with lead(url) as index, asyncio.TaskGroup() as group:
        host = await declare(manifests, index)
        links, epoch = TraceLinks(), index.term.epoch
        hosts = Hosts(
            connect=engines(settings, FolderSecrets(None)),
            containers=index.containers,
            stale_after=120.0,
            epoch=epoch,
            passed=lambda host, report: links.passed(host.name, report.trace),
        )
        hosts.open([host])
        opened = hosts.by_name[host.name]
        turns = WorkloadTurns(
            index=index.workloads,
            dispatcher=Dispatcher(
                plugins=load_plugins(),
                timeout=settings.dispatch_timeout,
                traces=DispatchTraces(epoch=epoch, links=links, unchanged=settings.trace_unchanged),
            ),
            interval=settings.interval,
            group=group,
            assessed=has_not_failed,
        )
        try:
            yield {
                STEADY: partial(run_pass, opened, PassReason.TIMER),
                FORCED: partial(run_pass, opened, PassReason.SYNC),
                DISPATCH: partial(turns.take, WORKLOAD, DispatchReason.PASS),
            }
        finally:
            await opened.close()


async def run_pass(opened: OpenHost, reason: PassReason) -> None:
    """Run a pass, which has to succeed: a failed one is quick."""
    report = await opened.passes.run(reason)
    assert report.outcome is not PassOutcome.FAILED, f"{report.reason}: {report.message}"


def has_not_failed(workload: str, _: WorkloadStatus, report: DispatchReport | None) -> None:
    """So has a dispatch."""
    assert report, f"{workload} was not dispatched"
    assert report.outcome is DispatchOutcome.UNCHANGED, f"{report.reason}: {report.message}"


async def seconds_of(thing: Thing) -> float:
    """Do it once."""
    begun = time.perf_counter()
    await thing()
    return time.perf_counter() - begun


if __name__ == "__main__":
    with tracing("bench"):
        gc.freeze()  # as the program does
        asyncio.run(work(sys.argv[1], Path(sys.argv[2])))
