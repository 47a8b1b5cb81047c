"""`run --once`: one pass of every host, one turn of every workload, and the end.

It claims the database as any `run` does, so a controller that runs on it is deposed; `sync` is what asks that one for a pass.
Whatever is wrong with the manifests is found before anything is claimed or written. What is no longer declared is torn down first, as in
`run`, but tried once: what cannot be taken down now stays until the next time.
"""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from itertools import compress
from operator import not_

from tinyforge.domain.declarations import Reading
from tinyforge.domain.dispatch import DispatchReason
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Mirror, MirrorPlan, plan_mirror
from tinyforge.domain.passes import PassOutcome, PassReason, PassReport, effective_interval, stale_after
from tinyforge.index.database import Database
from tinyforge.index.led import LedIndex, lead
from tinyforge.index.mirror import read_mirror
from tinyforge.logs import lines_of_epoch
from tinyforge.ports import Engine, Fenced, IndexRefused, IndexUnavailable, TinyforgeError
from tinyforge.reconcile.declarations import leaving, plan_keeping
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.hosts import Hosts, OpenHost
from tinyforge.reconcile.plugins import Plugins
from tinyforge.reconcile.teardowns import is_down
from tinyforge.reconcile.trace_links import TraceLinks
from tinyforge.reconcile.unwrapped import unwrapped
from tinyforge.reconcile.workload_turns import WorkloadTurns
from tinyforge.settings import Settings


class DeclarationsRefused(TinyforgeError):
    """What is declared cannot be applied as it stands; the text has a line for each fault."""


async def run_once(
    reading: Reading,
    *,
    settings: Settings,
    connect: Callable[[Host], Engine],
    plugins: Plugins,
    conninfo: str,
    take_over: bool = False,
) -> list[PassReport]:
    """Apply what is declared, run one pass of every host side by side, then dispatch the workloads; return what the passes found, by host.

    A teardown that failed is told by a line of the log and by the workload's status, as every dispatch that failed.

    Args:
        reading: what is declared.
        settings: the settings.
        connect: makes the engine of a host.
        plugins: the sources and triggers there are.
        conninfo: a database whose schema is up to date.
        take_over: claim it even if another driver or a Lease leads it.

    Raises:
        DeclarationsRefused: a workload is refused; nothing that is declared was written.
        Fenced: another process took over.
        IndexRefused: the database belongs to somebody else.
        IndexUnavailable: PostgreSQL does not answer.
    """
    stored = await _stored(conninfo)
    plan = _accepted(plan_mirror(reading, stored))
    stale = stale_after(effective_interval(settings.interval))
    with unwrapped():
        async with lead(conninfo, take_over=take_over) as index:
            with lines_of_epoch(index.term.epoch):
                async with asyncio.TaskGroup() as group:
                    links = TraceLinks()
                    turns = _turns(index, group, settings=settings, plugins=plugins, links=links)
                    if staying := await _torn_down(leaving(plan, stored), turns):
                        plan = _accepted(plan_keeping(staying, reading, stored))
                    await index.mirror.write(plan, stale_after=stale)
                    mirror = await index.mirror.read()
                    links.declared(mirror.hosts.keys(), mirror.workloads.keys(), reading.traceparents)
                    reports = await _passes(mirror, index, connect=connect, stale_after=stale, links=links)
                    turns.nudge(mirror.workloads, DispatchReason.BOOT)
    return reports


def _accepted(plan: MirrorPlan) -> MirrorPlan:
    if plan.refusals:
        raise DeclarationsRefused(
            "\n".join(f"{it.origin}: workload {it.workload_id}: {it.field}: {it.full_message}" for it in plan.refusals)
        )
    return plan


def _turns(index: LedIndex, group: asyncio.TaskGroup, *, settings: Settings, plugins: Plugins, links: TraceLinks) -> WorkloadTurns:
    traces = DispatchTraces(epoch=index.term.epoch, links=links, unchanged=settings.trace_unchanged)
    return WorkloadTurns(
        index=index.workloads,
        dispatcher=Dispatcher(plugins=plugins, timeout=settings.dispatch_timeout, traces=traces),
        interval=effective_interval(settings.interval),
        group=group,
        assessed=lambda _workload, _status, _dispatch: None,
    )


async def _torn_down(gone: Mapping[str, bool], turns: WorkloadTurns) -> frozenset[str]:
    """Take down these workloads, whose value is whether their host goes too; return those that have to stay, and are dispatched no more."""
    turns.leave(gone)
    down = await asyncio.gather(*(is_down(id_, turns.tear_down, without_host=partial(bool, gone[id_])) for id_ in gone))
    return frozenset(compress(gone, map(not_, down)))


async def _stored(conninfo: str) -> Mirror:
    database = Database(conninfo, session="tinyforge-once", size=1)
    await database.open()
    try:
        return await database.run(read_mirror)
    finally:
        await database.close()


async def _passes(
    mirror: Mirror, index: LedIndex, *, connect: Callable[[Host], Engine], stale_after: float, links: TraceLinks
) -> list[PassReport]:
    hosts = Hosts(
        connect=connect,
        containers=index.containers,
        stale_after=stale_after,
        epoch=index.term.epoch,
        passed=lambda host, report: links.passed(host.name, report.trace),
    )
    hosts.open(mirror.hosts.values())
    return await asyncio.gather(*(_pass(hosts.by_name[name]) for name in sorted(hosts.by_name)))


async def _pass(open_host: OpenHost) -> PassReport:
    try:
        return await open_host.passes.run(PassReason.BOOT)
    except Fenced:
        raise
    except (IndexUnavailable, IndexRefused) as error:
        return PassReport(host=open_host.host.name, outcome=PassOutcome.FAILED, reason=type(error).__name__, message=str(error))
    finally:
        await open_host.close()
