"""A term over a real index, with engines in memory, plugins that do what a test wants, and a driver that takes notes."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from tests.index.examples import host as one_host
from tests.index.waiting import until
from tests.reconcile.declaring import Declarer, SpoiltMirror, What
from tests.reconcile.deliberate_plugins import DeliberateSource, DeliberateTrigger, plugins_of
from tests.reconcile.memory_engine import MemoryEngine
from tinyforge.domain.dispatch import DispatchReport
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReport
from tinyforge.index.led import LedIndex
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.plugin import Failed
from tinyforge.ports import Engine, Fenced
from tinyforge.reconcile.declarations import InForce
from tinyforge.reconcile.leading import Leading, Rhythm

SHOP, BLOG = "default/shop", "default/blog"
BUSY = Failed(reason="Busy", message="it is busy: wait", retry_after=0)
SOON = 5.0
"""Seconds that a second may take on a busy machine; every hang in these tests lasts longer."""


def host(name: str = "local", **changes: Any) -> Host:
    """A host that every namespace may use."""
    return one_host(name, **({"allowed_namespaces": ("*",)} | changes))


class Notes:
    """A driver that takes notes of what it is told."""

    def __init__(self) -> None:
        self.states: list[InForce] = []
        self.passes: list[PassReport] = []
        self.statuses: list[tuple[str, WorkloadStatus, DispatchReport | None]] = []
        self.is_over = False

    def in_force(self, state: InForce) -> None:
        self.states.append(state)

    def passed(self, host: Host, report: PassReport) -> None:
        assert host.name == report.host
        self.passes.append(report)

    def assessed(self, workload: str, status: WorkloadStatus, dispatch: DispatchReport | None) -> None:
        self.statuses.append((workload, status, dispatch))

    def dispatched(self, source: str, report: DispatchReport, seconds: float) -> None: ...

    async def database_lost(self) -> None: ...

    def over(self) -> None:
        self.is_over = True

    def passed_hosts(self) -> list[str]:
        """The hosts of all passes so far, in order of their names."""
        return sorted(report.host for report in self.passes)

    def ready(self, workload: str) -> str:
        """The last that was said of a workload: `False Drift`; empty if nothing was."""
        return next(
            (f"{it.status} {it.reason}" for id_, status, _ in reversed(self.statuses) if id_ == workload for it in status.conditions[:1]),
            "",
        )


class Term:
    """One term that can be begun; everything about it may be changed before and while it lasts."""

    def __init__(self, index: LedIndex, *what: What) -> None:
        self.declarer = Declarer(*what)
        self.mirror = SpoiltMirror(index.mirror)
        self.index: Any = replace(index, mirror=self.mirror)  # type: ignore[arg-type] # it is one in all but name
        self.engines: dict[str, Engine] = {}
        self.make_engine: Callable[[], Engine] = MemoryEngine
        self.source = DeliberateSource()
        self.trigger = DeliberateTrigger()
        self.notes = Notes()
        self.leading: Leading

    @asynccontextmanager
    async def led(self, *, interval: float = 30.0, dispatch_timeout: float = 60.0) -> AsyncIterator["asyncio.Task[None]"]:
        """Lead for the length of a block, or until it is over."""
        self.leading = Leading(
            index=self.index,
            declaring=self.declarer,
            connect=self._connect,
            plugins=plugins_of(self.source, self.trigger),
            rhythm=Rhythm(interval=interval, dispatch_timeout=dispatch_timeout, missing_retention=0),
            driver=self.notes,
        )
        task = asyncio.create_task(self.leading.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.wait([task])
            if not task.cancelled() and not isinstance(error := task.exception(), Fenced):
                raise AssertionError("the term ended by itself") from error

    async def until_ready(self, workload: str, ready: str) -> None:
        """Wait until it is said of a workload: `False Drift`."""
        await until(lambda: self.notes.ready(workload) == ready)

    async def until_out_of_force(self, *, host: str = "", workload: str = "") -> None:
        """Wait until it is, however long that takes."""
        await self.leading.until_out_of_force(host=host, workload=workload, unless=lambda: False)

    async def until_passed(self, *hosts: str) -> None:
        """Wait until exactly these passes have ended, and forget them."""
        await until(lambda: self.notes.passed_hosts() == sorted(hosts))
        self.notes.passes.clear()

    def _connect(self, host: Host) -> Engine:
        return self.engines.setdefault(host.name, self.make_engine())
