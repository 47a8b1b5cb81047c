"""What the tests of the use cases share: passes of one host over a real index."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.index.conftest import Sql, index, psql, sql
from tests.index.examples import STALE_AFTER, declare, host, workload
from tests.reconcile.memory_engine import MemoryEngine
from tinyforge.domain.hosts import Host
from tinyforge.domain.workloads import Kind
from tinyforge.index.led import LedIndex
from tinyforge.ports import ContainersIndex
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass
from tinyforge.reconcile.pass_trace import PassTraces

__all__ = ["Sql", "index", "psql", "sql"]

Passes = Callable[..., IndexPass]


@pytest.fixture
async def declared(index: LedIndex) -> LedIndex:
    """The index with a workload of each kind declared."""
    project = workload("default/web", kind=Kind.PROJECT)
    site = workload("default/site", kind=Kind.SITE, ref="home")
    await index.mirror.write(declare(workload(), project, site), stale_after=STALE_AFTER)
    return index


@pytest.fixture
def passes(declared: LedIndex) -> Passes:
    """Make the passes of a host over an engine; anything else about them by keyword."""

    def make(engine: MemoryEngine, *, of: Host | None = None, index: ContainersIndex | None = None, **others: Any) -> IndexPass:
        known = of or host()
        about: dict[str, Any] = {
            "findings": Findings(known.name),
            "traces": PassTraces(known, epoch=1),
            "stale_after": STALE_AFTER,
        } | others
        return IndexPass(host=known, engine=engine, index=index or declared.containers, **about)

    return make
