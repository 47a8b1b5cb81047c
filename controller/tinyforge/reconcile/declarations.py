"""From what is declared to the mirror, and from the mirror to the hosts that are open (rule P10).

The mirror is what passes work from, so it also stands in for what cannot be read: a typing mistake removes nothing, not even at the start.
"""

import logging
from collections.abc import AsyncIterator, Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Protocol

from tinyforge.domain.declarations import Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Mirror, MirrorPlan, Refusal, plan_mirror
from tinyforge.domain.traces import Traceparent
from tinyforge.ports import MirrorIndex
from tinyforge.reconcile.hosts import Hosts

logger = logging.getLogger(__name__)


class Declaring(Protocol):
    """Where declarations come from: a folder of manifests, the local engine alone, the objects of a cluster."""

    async def read(self) -> Reading:
        """Return what is declared now; what cannot be read is said, and makes the reading incomplete or holds what it is about."""
        ...

    def changes(self) -> AsyncIterator[None]:
        """Yield whenever what is declared may have changed; ends never."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """What is in force after declarations were applied.

    `workloads` are those that the mirror holds, with their host; `declared` those of them that this changed. `opened` are hosts that had
    no pass yet under what is declared of them now, `touched` those whose containers may match differently. `traceparents` is where
    workloads are traced by whoever declared them.
    """

    hosts: Mapping[str, Host]
    workloads: Mapping[str, str]
    declared: frozenset[str]
    refusals: tuple[Refusal, ...]
    opened: frozenset[str]
    touched: frozenset[str]
    traceparents: Mapping[str, Traceparent] = field(default_factory=dict)


class Declarations:
    """Where declarations come from, and the mirror they go to.

    `stale_after` is in seconds. `torn_down` is told of the workloads with a source that are no longer declared, each with whether its host
    is not either, and returns those of them that have to stay, because what their source put up is still to be taken down. Their hosts stay
    with them.
    """

    def __init__(
        self, *, declaring: Declaring, mirror: MirrorIndex, stale_after: float, torn_down: Callable[[Mapping[str, bool]], Set[str]]
    ) -> None:
        self._declaring = declaring
        self._mirror = mirror
        self._stale_after = stale_after
        self._torn_down = torn_down
        self._declared: set[str] = set()
        self._touched: set[str] = set()

    async def apply(self, hosts: Hosts) -> InForce:
        """Bring the mirror in line with what is declared now, then the open hosts in line with the mirror.

        Changed hosts are closed before the mirror is written, so that no pass of theirs writes an old state over a new one.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        reading = await self._declaring.read()
        stored = await self._mirror.read()
        plan = self._plan(reading, stored)
        await hosts.close({host.name for host in plan.hosts} | set(plan.removed_hosts))
        self._declared |= {workload.key.id for workload in plan.workloads}
        self._touched |= _touched(plan, stored)
        if not plan.changes_nothing:
            await self._mirror.write(plan, stale_after=self._stale_after)
            _say(plan)
        return replace(self._in_force(await self._mirror.read(), plan, hosts), traceparents=reading.traceparents)

    def _in_force(self, mirror: Mirror, plan: MirrorPlan, hosts: Hosts) -> InForce:
        """Return what is in force, with the changes of all attempts since the last one that got here: one may fail when it has written."""
        workloads = {id_: it.value.key.host for id_, it in mirror.workloads.items()}
        state = InForce(
            hosts=mirror.hosts,
            workloads=workloads,
            declared=frozenset(self._declared & workloads.keys()),
            refusals=plan.refusals,
            opened=frozenset(hosts.open(mirror.hosts.values())),
            touched=frozenset(self._touched & mirror.hosts.keys()),
        )
        self._declared.clear()
        self._touched.clear()
        return state

    def _plan(self, reading: Reading, stored: Mirror) -> MirrorPlan:
        plan = plan_mirror(reading, stored)
        stay = self._torn_down(leaving(plan, stored))
        return plan_keeping(stay, reading, stored) if stay else plan


def leaving(plan: MirrorPlan, stored: Mirror) -> Mapping[str, bool]:
    """Return the workloads whose source has something to take down before a plan is carried out, each with whether its host goes too.

    Those whose host allows them no more are not among them: a permission that is taken back ends what it allowed.
    """
    revoked = {refusal.workload_id for refusal in plan.refusals}
    gone = [it.value for id_, it in stored.workloads.items() if id_ in plan.removed_workloads and id_ not in revoked]
    return {it.key.id: it.key.host in plan.removed_hosts for it in gone if it.source_kind}


def plan_keeping(stay: Set[str], reading: Reading, stored: Mirror) -> MirrorPlan:
    """Decide what the mirror becomes while these workloads have to stay in it, and their hosts with them."""
    hosts = {stored.workloads[id_].value.key.host for id_ in stay}
    return plan_mirror(replace(reading, held_workloads=reading.held_workloads | stay, held_hosts=reading.held_hosts | hosts), stored)


def _touched(plan: MirrorPlan, stored: Mirror) -> frozenset[str]:
    """Return the hosts whose containers may match differently after a plan."""
    ids = (*plan.removed_workloads, *(it.key.id for it in plan.workloads))
    before = [stored.workloads[id_].value for id_ in ids if id_ in stored.workloads]
    return frozenset(workload.key.host for workload in (*plan.workloads, *before))


def _say(plan: MirrorPlan) -> None:
    for host in (it.name for it in plan.hosts):
        logger.info("declared: host %s", host, extra={"action": "host_declared", "host": host})
    for host in plan.removed_hosts:
        logger.info("no longer declared: host %s", host, extra={"action": "host_removed", "host": host})
    for workload in (it.key.id for it in plan.workloads):
        logger.info("declared: workload %s", workload, extra={"action": "workload_declared", "workload": workload})
    for workload in plan.removed_workloads:
        logger.info("no longer in force: workload %s", workload, extra={"action": "workload_removed", "workload": workload})
