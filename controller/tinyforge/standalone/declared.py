"""From what is declared to the mirror, and from the mirror to the loops (rule P10).

The mirror is what passes work from, so it also stands in for what cannot be read: a typing mistake removes nothing, not even at the start.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Protocol

from tinyforge.domain.declarations import Declared, Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import EVERY_NAMESPACE, Mirror, MirrorPlan, plan_mirror
from tinyforge.ports import MirrorIndex
from tinyforge.standalone.host_loops import HostLoops

logger = logging.getLogger(__name__)

LOCAL = "local"


class Declaring(Protocol):
    """Where declarations come from: a folder of manifests, or the local engine alone."""

    def read(self) -> Reading:
        """Return what is declared now; what cannot be read is said in the log and makes the reading incomplete."""
        ...

    def changes(self) -> AsyncIterator[None]:
        """Yield whenever what is declared may have changed; ends never."""
        ...


class LocalEngine:
    """What is declared when no folder is given: the local engine and no workloads, on top of whatever the mirror holds."""

    def __init__(self, docker_host: str = "") -> None:
        self._endpoint = docker_host if docker_host.startswith("unix://") else "unix:///var/run/docker.sock"

    def read(self) -> Reading:
        """See `Declaring.read`. Incomplete, so that a forgotten `-f` removes nothing that an earlier folder declared."""
        host = Host(name=LOCAL, endpoint=self._endpoint, allowed_namespaces=(EVERY_NAMESPACE,))
        return Reading(hosts=(Declared(value=host, origin="the local Docker Engine"),), complete=False)

    async def changes(self) -> AsyncIterator[None]:
        """See `Declaring.changes`: never."""
        await asyncio.Event().wait()
        yield


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """Where declarations come from, and the mirror they go to."""

    declaring: Declaring
    mirror: MirrorIndex
    stale_after: float

    async def apply(self, loops: HostLoops) -> MirrorPlan:
        """Bring the mirror in line with what is declared now, then the loops in line with the mirror.

        Loops of changed hosts end before the mirror is written, so that none of them writes an old state over a new one.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        reading = await asyncio.to_thread(self.declaring.read)  # a thousand manifests take a while, and passes go on
        stored = await self.mirror.read()
        plan = plan_mirror(reading, stored)
        changed = {host.name for host in plan.hosts}
        await loops.stop(changed | set(plan.removed_hosts))
        if not plan.changes_nothing:
            await self.mirror.write(plan, stale_after=self.stale_after)
            _say(plan)
        hosts = (await self.mirror.read()).hosts
        running = set(loops.hosts)
        loops.start(hosts.values())
        loops.nudge(_touched(plan, stored) & running)
        return plan


def _touched(plan: MirrorPlan, stored: Mirror) -> set[str]:
    """Return the hosts whose containers may match differently after a plan."""
    ids = (*plan.removed_workloads, *(it.key.id for it in plan.workloads))
    before = [stored.workloads[id_].value for id_ in ids if id_ in stored.workloads]
    return {workload.key.host for workload in (*plan.workloads, *before)}


def _say(plan: MirrorPlan) -> None:
    for action, what, names in (
        ("host_declared", "declared: host", (host.name for host in plan.hosts)),
        ("host_removed", "no longer declared: host", plan.removed_hosts),
        ("workload_declared", "declared: workload", (workload.key.id for workload in plan.workloads)),
        ("workload_removed", "no longer declared: workload", plan.removed_workloads),
    ):
        _say_each(action, what, names)


def _say_each(action: str, what: str, names: Iterable[str]) -> None:
    for name in names:
        logger.info("%s %s", what, name, extra={"action": action, "object": name})
