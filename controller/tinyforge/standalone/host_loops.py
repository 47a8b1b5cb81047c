"""One loop a host: a pass at once, then one every interval, and one whenever somebody asks.

Hosts share nothing that one of them could block (rule P6). After their first pass they are spread over the interval, each at its
own place, so that forty hosts do not answer in the same millisecond for ever.
"""

import asyncio
import logging
import zlib
from collections.abc import Callable, Iterable, Mapping

from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReport
from tinyforge.ports import Engine, Fenced, IndexRefused, IndexUnavailable
from tinyforge.reconcile.passes import HostPasses, PassStopped

logger = logging.getLogger(__name__)

_RETRY_SECONDS = 2.0


class HostLoop:
    """The passes of one declared host, and the connection to its engine."""

    def __init__(self, *, host: Host, engine: Engine, passes: HostPasses, interval: float) -> None:
        self.host = host
        self.engine = engine
        self.passes = passes
        self._interval = interval

    async def run(self) -> None:
        """Run passes until cancelled.

        Raises:
            Fenced: another process leads.
        """
        offset = zlib.crc32(self.host.name.encode()) % 1000 / 1000
        await self._pass_until_written()
        await asyncio.sleep(self._interval * offset)
        while True:
            await self._pass_until_written()
            await asyncio.sleep(self._interval)

    async def stop(self) -> None:
        """End what is under way and close the connection; idempotent."""
        await self.passes.stop()
        await self.engine.close()

    async def _pass_until_written(self) -> None:
        """Run a pass, again after a moment for as long as PostgreSQL does not take it."""
        complaint = ""
        while True:
            try:
                await self.passes.run()
            except Fenced:
                raise
            except (IndexUnavailable, IndexRefused) as error:
                if str(error) != complaint:
                    logger.warning(
                        "host %s: pass not written: %s", self.host.name, error, extra={"action": "pass_not_written", "host": self.host.name}
                    )
                complaint = str(error)
                await asyncio.sleep(min(self._interval, _RETRY_SECONDS))
            else:
                return


class HostLoops:
    """The loops of all declared hosts. An error that ends one ends the group they run in."""

    def __init__(self, *, group: asyncio.TaskGroup, open_loop: Callable[[Host], HostLoop]) -> None:
        self._group = group
        self._open_loop = open_loop
        self._loops: dict[str, HostLoop] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def hosts(self) -> Mapping[str, HostLoop]:
        """The loops by host."""
        return self._loops

    async def stop(self, names: Iterable[str]) -> None:
        """Stop the loops of some hosts side by side and see them end: each may take a moment, and there may be fifty (rule P5)."""
        await asyncio.gather(*(self._stop(name) for name in set(names) & self._loops.keys()))

    def start(self, hosts: Iterable[Host]) -> None:
        """Start a loop for each host that has none."""
        for host in hosts:
            if host.name not in self._loops:
                try:
                    loop = self._open_loop(host)
                except ValueError as error:
                    logger.warning("host %s: %s", host.name, error, extra={"action": "host_unusable", "host": host.name})
                    continue
                self._loops[host.name] = loop
                self._tasks[host.name] = self._group.create_task(loop.run(), name=f"passes of {host.name}")

    def nudge(self, names: Iterable[str]) -> None:
        """Ask for a pass of some hosts now; their loops go on as before."""
        for name in set(names) & self._loops.keys():
            self._group.create_task(self._ask(self._loops[name]), name=f"nudge {name}")

    async def ask(self, names: Iterable[str]) -> list[PassReport]:
        """Run a pass of each host side by side and return what they found, by host.

        Raises:
            Fenced: another process leads.
            IndexUnavailable: PostgreSQL does not answer.
        """
        return list(await asyncio.gather(*(self._loops[name].passes.run() for name in sorted(names))))

    async def _stop(self, name: str) -> None:
        task, loop = self._tasks.pop(name), self._loops.pop(name)
        task.cancel()
        await asyncio.wait({task})
        await loop.stop()

    async def _ask(self, loop: HostLoop) -> None:
        try:
            await loop.passes.run()
        except Fenced:
            raise
        except (IndexUnavailable, IndexRefused, PassStopped) as error:
            logger.debug("host %s: %s", loop.host.name, error)
