"""`run --once`: one pass of every host, and the end.

It claims the database as any `run` does, so a controller that runs on it is deposed; `sync` is what asks that one for a pass.
Whatever is wrong with the manifests is found before anything is claimed or written.
"""

import asyncio

from tinyforge.domain.declarations import Reading
from tinyforge.domain.mirror import MirrorPlan, plan_mirror
from tinyforge.domain.passes import PassOutcome, PassReport, effective_interval, stale_after
from tinyforge.index.database import Database
from tinyforge.index.led import lead
from tinyforge.index.mirror import read_mirror
from tinyforge.ports import Fenced, IndexRefused, IndexUnavailable, TinyforgeError
from tinyforge.settings import Settings
from tinyforge.standalone.host_loops import HostLoop
from tinyforge.standalone.opening import HostOpener


class DeclarationsRefused(TinyforgeError):
    """What is declared cannot be applied as it stands; the text has a line for each fault."""


async def run_once(reading: Reading, *, settings: Settings, conninfo: str, take_over: bool = False) -> list[PassReport]:
    """Apply what is declared, run one pass of every host side by side, and return what they found, by host.

    Args:
        reading: what is declared.
        settings: the settings.
        conninfo: a database whose schema is up to date.
        take_over: claim it even if another driver or a Lease leads it.

    Raises:
        DeclarationsRefused: a workload is refused; nothing was written.
        IndexRefused: the database belongs to somebody else.
        IndexUnavailable: PostgreSQL does not answer.
    """
    plan = await _plan(reading, conninfo)
    if plan.refusals:
        raise DeclarationsRefused("\n".join(f"{it.origin}: workload {it.workload_id}: {it.field}: {it.message}" for it in plan.refusals))
    async with lead(conninfo, take_over=take_over) as index:
        await index.mirror.write(plan, stale_after=stale_after(effective_interval(settings.interval)))
        opener = HostOpener(settings=settings, containers=index.containers)
        hosts = (await index.mirror.read()).hosts.values()
        return list(await asyncio.gather(*(_pass(opener.open(host)) for host in hosts)))


async def _plan(reading: Reading, conninfo: str) -> MirrorPlan:
    database = Database(conninfo, session="tinyforge-once", size=1)
    await database.open()
    try:
        return plan_mirror(reading, await database.run(read_mirror))
    finally:
        await database.close()


async def _pass(loop: HostLoop) -> PassReport:
    try:
        return await loop.passes.run()
    except Fenced:
        raise
    except (IndexUnavailable, IndexRefused) as error:
        return PassReport(host=loop.host.name, outcome=PassOutcome.FAILED, reason=type(error).__name__, message=str(error))
    finally:
        await loop.stop()
