"""Rule P3: two passes of one host never overlap, and whoever asks for one gets one that began after it asked."""

import asyncio
import gc
from collections.abc import AsyncIterator

import pytest

from tests.domain.world import HOST, container
from tests.reconcile.stand_ins import EmptyIndex, HeldEngine
from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import PassReason, PassReport
from tinyforge.ports import Fenced
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass
from tinyforge.reconcile.pass_trace import PassTraces
from tinyforge.reconcile.passes import HostPasses, PassStopped


class NotingPass(IndexPass):
    """A pass that takes note of why it ran."""

    def __init__(self, engine: HeldEngine, index: EmptyIndex) -> None:
        host = Host(name=HOST, endpoint="unix:///one.sock")
        super().__init__(host=host, engine=engine, index=index, findings=Findings(HOST), traces=PassTraces(host, epoch=7), stale_after=120)
        self.reasons: list[PassReason] = []

    async def run(self, reason: PassReason = PassReason.TIMER) -> PassReport:
        self.reasons.append(reason)
        return await super().run(reason)


@pytest.fixture
async def engine() -> HeldEngine:
    return HeldEngine()


@pytest.fixture
async def index() -> EmptyIndex:
    return EmptyIndex()


@pytest.fixture
async def passes(engine: HeldEngine, index: EmptyIndex) -> AsyncIterator[HostPasses]:
    host = Host(name=HOST, endpoint="unix:///one.sock")
    passes = HostPasses(
        IndexPass(host=host, engine=engine, index=index, findings=Findings(HOST), traces=PassTraces(host, epoch=7), stale_after=120)
    )
    yield passes
    engine.let_go.set()
    await passes.stop()


async def test_p3_a_caller_gets_what_its_pass_found(engine: HeldEngine, passes: HostPasses) -> None:
    engine.there = (container("c1"), container("c2"))
    engine.let_go.set()
    assert (await passes.run()).listed == 2


async def test_p3_a_pass_asked_for_while_one_runs_waits_and_sees_what_was_there_when_it_was_asked(
    engine: HeldEngine, passes: HostPasses
) -> None:
    running = asyncio.create_task(passes.run())
    await engine.asked.acquire()
    engine.there = (container("c1"),)
    forced = asyncio.create_task(passes.run())
    await asyncio.sleep(0)
    engine.let_go.set()
    assert [(await running).listed, (await forced).listed] == [0, 1]


async def test_p3_passes_never_overlap_and_everybody_who_waits_shares_one(engine: HeldEngine, passes: HostPasses) -> None:
    running = asyncio.create_task(passes.run())
    await engine.asked.acquire()
    waiting = [asyncio.create_task(passes.run()) for _ in range(50)]
    await asyncio.sleep(0)
    engine.let_go.set()
    reports = await asyncio.gather(running, *waiting)
    assert (engine.lists, engine.most_at_once) == (2, 1)
    assert all(report is reports[1] for report in reports[1:])


async def test_p3_a_pass_asked_for_after_another_began_is_not_that_one(engine: HeldEngine, passes: HostPasses) -> None:
    engine.let_go.set()
    for _ in range(3):
        await passes.run()
    assert engine.lists == 3


async def test_p3_a_shared_pass_runs_for_the_first_reason_that_is_not_the_timer(engine: HeldEngine, index: EmptyIndex) -> None:
    noting = NotingPass(engine, index)
    passes = HostPasses(noting)
    running = asyncio.create_task(passes.run(PassReason.BOOT))
    await engine.asked.acquire()
    reasons = (PassReason.TIMER, PassReason.TIMER, PassReason.SYNC, PassReason.SPEC, PassReason.TIMER)
    sharing = [asyncio.create_task(passes.run(reason)) for reason in reasons]
    await asyncio.sleep(0)
    engine.let_go.set()
    await asyncio.gather(running, *sharing)
    await passes.run()
    assert noting.reasons == [PassReason.BOOT, PassReason.SYNC, PassReason.TIMER]


async def test_p3_a_caller_that_goes_away_leaves_the_pass_to_the_others(engine: HeldEngine, passes: HostPasses) -> None:
    impatient, patient = asyncio.create_task(passes.run()), asyncio.create_task(passes.run())
    await engine.asked.acquire()
    impatient.cancel()
    await asyncio.wait([impatient])
    engine.let_go.set()
    assert (impatient.cancelled(), (await patient).listed, engine.lists) == (True, 0, 1)


async def test_a_pass_that_nobody_waits_for_any_more_may_fail_in_silence(
    engine: HeldEngine, index: EmptyIndex, passes: HostPasses, caplog: pytest.LogCaptureFixture
) -> None:
    index.error = Fenced("deposed")
    gone = asyncio.create_task(passes.run())
    await engine.asked.acquire()
    gone.cancel()
    await asyncio.wait([gone])
    engine.let_go.set()
    with pytest.raises(Fenced):
        await passes.run()
    del gone  # it holds the pass that failed
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


async def test_what_a_pass_raises_reaches_everybody_who_asked_for_it_and_the_next_one_runs(
    engine: HeldEngine, index: EmptyIndex, passes: HostPasses
) -> None:
    index.error = Fenced("deposed")
    engine.let_go.set()
    raised = await asyncio.gather(passes.run(), passes.run(), return_exceptions=True)
    assert [type(it) for it in raised] == [Fenced, Fenced]
    index.error = None
    assert (await passes.run()).reason == ""


async def test_p5_stop_cancels_a_list_that_hangs_and_what_waits_behind_it(engine: HeldEngine, passes: HostPasses) -> None:
    running = asyncio.create_task(passes.run())
    await engine.asked.acquire()
    waiting = asyncio.create_task(passes.run())
    await asyncio.sleep(0)
    async with asyncio.timeout(1):
        await passes.stop()
    ended = await asyncio.gather(running, waiting, return_exceptions=True)
    assert ([type(it) for it in ended], engine.at_once, engine.lists) == ([PassStopped, PassStopped], 0, 1)


async def test_p5_stop_is_idempotent(engine: HeldEngine, passes: HostPasses) -> None:
    await passes.stop()
    running = asyncio.create_task(passes.run())
    await engine.asked.acquire()
    await asyncio.gather(passes.stop(), passes.stop())
    await passes.stop()
    with pytest.raises(PassStopped, match="given up"):
        await running
