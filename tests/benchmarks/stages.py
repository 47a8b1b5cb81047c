"""Where the time of a steady pass goes.

The production pieces, with a stopwatch between them: what a pass calls is wrapped here, so nothing in the product knows of it.
"""

import time
from collections.abc import Callable, Collection, Mapping
from types import SimpleNamespace
from typing import TypeVar

import aiohttp

from tests.benchmarks.figures import Section, milliseconds
from tests.benchmarks.passes import successful_pass
from tests.benchmarks.rounds import EACH, typical
from tinyforge.domain.endpoints import Endpoint
from tinyforge.domain.hosts import Host
from tinyforge.engine.docker_engine import DockerEngine
from tinyforge.engine.intake import Intake
from tinyforge.engine.requests import Answer, Requests
from tinyforge.engine.unix import UnixTransport
from tinyforge.ports import CompletePass, ContainersIndex, FailedPass, HostSnapshot
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass
from tinyforge.reconcile.pass_trace import PassTraces
from tinyforge.reconcile.passes import HostPasses
from tinyforge.settings import Settings

T = TypeVar("T")

READ = "read the host's workloads and rows"
HEADERS = "list: until the engine's headers are there"
BODY = "list: its body"
DECODE = "decode"
PLAN = "match and plan"
WRITE = "write, fenced and committed"
REST = "the rest: tasks and report"
STAGES = (READ, HEADERS, BODY, DECODE, PLAN, WRITE, REST)


class Stopwatch:
    """What each stage of one pass took, in seconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def start(self) -> None:
        """Begin a new pass."""
        self.laps = {}
        self._last = time.perf_counter()

    def ended(self, stage: str) -> None:
        """Take the time of a stage that has just ended."""
        now = time.perf_counter()
        self.laps[stage] = self.laps.get(stage, 0) + now - self._last
        self._last = now


class TimedTransport(UnixTransport):
    """Takes the time when an answer's headers are there."""

    def __init__(self, path: str, *, connect_timeout: float, stopwatch: Stopwatch) -> None:
        super().__init__(path, connect_timeout=connect_timeout)
        self._stopwatch = stopwatch

    async def session(self) -> aiohttp.ClientSession:
        session = await super().session()
        if not session.trace_configs:
            trace = aiohttp.TraceConfig()
            trace.on_request_end.append(self._headers_came)
            trace.freeze()
            session.trace_configs.append(trace)
        return session

    async def _headers_came(self, *_: aiohttp.ClientSession | SimpleNamespace | aiohttp.TraceRequestEndParams) -> None:
        self._stopwatch.ended(HEADERS)


class TimedRequests(Requests):
    """Takes the time when an answer's body is there, and when it is decoded."""

    def __init__(self, transport: TimedTransport, *, intake: Intake, limit: int, connect_timeout: float, stopwatch: Stopwatch) -> None:
        super().__init__(transport, intake=intake, limit=limit, connect_timeout=connect_timeout)
        self._stopwatch = stopwatch

    async def fetch(self, path: str, query: Mapping[str, str], decode: Callable[[bytearray], T]) -> Answer[T]:
        def timed(body: bytearray) -> T:
            self._stopwatch.ended(BODY)
            value = decode(body)
            self._stopwatch.ended(DECODE)
            return value

        return await super().fetch(path, query, timed)


class TimedIndex:
    """Takes the time around what a pass asks of the index."""

    def __init__(self, index: ContainersIndex, stopwatch: Stopwatch) -> None:
        self._index = index
        self._stopwatch = stopwatch

    async def snapshot(self, host: str, *, also: Collection[str] = ()) -> HostSnapshot:
        snapshot = await self._index.snapshot(host, also=also)
        self._stopwatch.ended(READ)
        return snapshot

    async def elsewhere(self, host: str) -> Mapping[str, str]:
        return await self._index.elsewhere(host)

    async def complete(self, record: CompletePass) -> None:
        self._stopwatch.ended(PLAN)
        await self._index.complete(record)
        self._stopwatch.ended(WRITE)

    async def fail(self, record: FailedPass) -> None:
        await self._index.fail(record)


async def stages_section(host: Host, *, index: ContainersIndex, settings: Settings, rounds: int) -> Section:
    """Run steady passes of a host; the first two are not counted."""
    stopwatch = Stopwatch()
    connect_timeout, limit = settings.docker_connect_timeout, settings.docker_list_limit
    transport = TimedTransport(Endpoint.parse(host.endpoint).path, connect_timeout=connect_timeout, stopwatch=stopwatch)
    requests = TimedRequests(transport, intake=Intake(), limit=limit, connect_timeout=connect_timeout, stopwatch=stopwatch)
    engine = DockerEngine(transport, requests, list_timeout=settings.docker_list_timeout)
    timed, findings, traces = TimedIndex(index, stopwatch), Findings(host.name), PassTraces(host, epoch=0)
    index_pass = IndexPass(host=host, engine=engine, index=timed, findings=findings, traces=traces, stale_after=120)
    passes = HostPasses(index_pass)
    laps = []
    try:
        for _ in range(EACH + EACH * rounds):
            stopwatch.start()
            await successful_pass(passes)
            stopwatch.ended(REST)
            laps.append(stopwatch.laps)
    finally:
        await engine.close()
    figures = tuple(milliseconds(stage, typical([it[stage] for it in laps[EACH:]])) for stage in STAGES)
    return Section("Where the time of a steady pass goes", figures)
