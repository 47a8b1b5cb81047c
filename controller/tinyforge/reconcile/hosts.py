"""The hosts that are looked after: each with its engine and its passes, and nothing shared that one of them could block (rule P6)."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReason, PassReport
from tinyforge.ports import ContainersIndex, Engine
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass
from tinyforge.reconcile.pass_trace import PassTraces
from tinyforge.reconcile.passes import HostPasses

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenHost:
    """A host in force, the connection to its engine, and the passes over it."""

    host: Host
    engine: Engine
    passes: HostPasses

    async def close(self) -> None:
        """End what is under way and close the connection; idempotent."""
        await self.passes.stop()
        await self.engine.close()


class Hosts:
    """The open hosts by name.

    Args:
        connect: makes the engine of a host; nothing is connected yet. It raises ValueError for an endpoint that is none.
        containers: the containers index.
        stale_after: for how many seconds a complete pass speaks.
        epoch: the term's, for traces.
        passed: called after every pass, with the host and what it found.
    """

    def __init__(
        self,
        *,
        connect: Callable[[Host], Engine],
        containers: ContainersIndex,
        stale_after: float,
        epoch: int,
        passed: Callable[[Host, PassReport], None],
    ) -> None:
        self._connect = connect
        self._containers = containers
        self._stale_after = stale_after
        self._epoch = epoch
        self._passed = passed
        self._open: dict[str, OpenHost] = {}
        self._unusable: dict[str, str] = {}

    @property
    def by_name(self) -> Mapping[str, OpenHost]:
        """The open hosts."""
        return self._open

    def open(self, hosts: Iterable[Host]) -> list[str]:
        """Open each host that is not open, and return the names of those; one whose endpoint cannot be used is said in the log."""
        opened = []
        for host in hosts:
            if host.name not in self._open:
                try:
                    engine = self._connect(host)
                except ValueError as error:
                    self._complain(host.name, str(error))
                    continue
                self._unusable.pop(host.name, None)
                self._open[host.name] = OpenHost(host=host, engine=engine, passes=self._passes(host, engine))
                opened.append(host.name)
        return opened

    async def close(self, names: Iterable[str]) -> None:
        """Close some hosts side by side and see them end: each may take a moment, and there may be fifty (rule P5)."""
        await asyncio.gather(*(self._open.pop(name).close() for name in set(names) & self._open.keys()))

    async def ask(self, names: Iterable[str], reason: PassReason) -> list[PassReport]:
        """Run a pass of each host side by side, for this reason, and return what they found, by host.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
            PassStopped: a host was given up meanwhile.
        """
        return list(await asyncio.gather(*(self._open[name].passes.run(reason) for name in sorted(names))))

    def _complain(self, host: str, fault: str) -> None:
        if self._unusable.get(host) != fault:
            logger.warning("host %s: %s", host, fault, extra={"action": "host_unusable", "host": host})
        self._unusable[host] = fault

    def _passes(self, host: Host, engine: Engine) -> HostPasses:
        index_pass = IndexPass(
            host=host,
            engine=engine,
            index=self._containers,
            findings=Findings(host.name),
            traces=PassTraces(host, epoch=self._epoch),
            stale_after=self._stale_after,
        )
        return HostPasses(index_pass, passed=lambda report: self._passed(host, report))
