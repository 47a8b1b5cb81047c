"""What the source of a workload put up is taken down before the workload may go, and one that cannot be holds up no other."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from tests.index.waiting import until
from tinyforge.domain.dispatch import Attempt, DispatchOutcome, DispatchReport
from tinyforge.ports import Fenced, IndexUnavailable
from tinyforge.reconcile.teardowns import Teardowns

DOWN = DispatchReport(outcome=DispatchOutcome.UNCHANGED)
BUSY = DispatchReport(outcome=DispatchOutcome.FAILED, reason="Busy", message="wait", retry_after=0.0)
HOPELESS = DispatchReport(outcome=DispatchOutcome.FAILED, reason="HostRemoved", message="it is gone")


class Sources:
    """Sources that take down when they are told how; `asked` are the workloads that they were asked for, in order."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.attempts: list[Attempt] = []
        self.cancelled: list[str] = []
        self.ended = asyncio.Event()
        self._answers: dict[str, asyncio.Queue[DispatchReport | Exception | None]] = {}

    def answer(self, workload: str, answer: DispatchReport | Exception | None) -> None:
        self._queue(workload).put_nowait(answer)

    async def tear_down(self, workload: str, attempt: Attempt) -> DispatchReport | None:
        self.asked.append(workload)
        self.attempts.append(attempt)
        try:
            answer = await self._queue(workload).get()
        except asyncio.CancelledError:
            self.cancelled.append(workload)
            raise
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def has_ended(self) -> None:
        """Wait until somebody is told that a workload may go."""
        async with asyncio.timeout(5):
            await self.ended.wait()
        self.ended.clear()

    def _queue(self, workload: str) -> "asyncio.Queue[DispatchReport | Exception | None]":
        return self._answers.setdefault(workload, asyncio.Queue())


@pytest.fixture
def sources() -> Sources:
    return Sources()


@asynccontextmanager
async def teardowns_of(sources: Sources) -> AsyncIterator[Teardowns]:
    """The teardowns of a term that is over at the end of a block."""
    async with asyncio.TaskGroup() as group:
        teardowns = Teardowns(tear_down=sources.tear_down, group=group, ended=sources.ended.set)
        yield teardowns
        teardowns.pending([])


@pytest.mark.parametrize("answer", [DOWN, None], ids=["taken down", "nothing to take down"])
async def test_a_workload_stays_until_it_is_down_and_its_source_is_asked_once(sources: Sources, answer: DispatchReport | None) -> None:
    async with teardowns_of(sources) as teardowns:
        for _ in range(3):
            assert teardowns.pending(["a"]) == {"a"}
            await asyncio.sleep(0)
        sources.answer("a", answer)
        await sources.has_ended()
        assert teardowns.pending(["a"]) == frozenset()
        assert teardowns.pending(["a"]) == frozenset(), "also if PostgreSQL did not take that it goes"
        assert sources.asked == ["a"]


async def test_a_workload_that_cannot_be_taken_down_holds_up_no_other(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["hangs", "fails", "fine"])
        sources.answer("fails", BUSY)
        sources.answer("fine", DOWN)
        await sources.has_ended()
        assert teardowns.pending(["hangs", "fails", "fine"]) == {"hangs", "fails"}


async def test_d3_each_attempt_knows_its_number_and_when_the_next_one_is_unless_it_is_given_up(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        for _ in range(2):
            sources.answer("a", BUSY)
            await until(sources._queue("a").empty)
            teardowns.try_again()
        await until(lambda: len(sources.attempts) == 3)
        assert [(it.number, it.retry_in(BUSY)) for it in sources.attempts] == [(1, 10), (2, 20), (3, 40)]
        teardowns.pending(["a"], without_host=["a"])
        assert sources.attempts[-1].retry_in(BUSY) is None
        sources.answer("a", BUSY)
        await sources.has_ended()


@pytest.mark.parametrize("failure", [BUSY, IndexUnavailable("away")], ids=["a failure", "no PostgreSQL"])
async def test_after_a_failure_it_is_tried_again_by_itself(
    sources: Sources, failure: DispatchReport | Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tinyforge.reconcile.teardowns._RETRY_SECONDS", 0.001)
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        for answer in (failure, failure, DOWN):
            sources.answer("a", answer)
        await sources.has_ended()
        assert (teardowns.pending(["a"]), sources.asked) == (frozenset(), ["a"] * 3)


async def test_it_is_tried_again_at_once_when_a_host_answers_that_did_not(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        sources.answer("a", BUSY)
        await until(lambda: sources.asked == ["a"])
        await asyncio.sleep(0.01)
        sources.answer("a", DOWN)
        teardowns.try_again()
        await sources.has_ended()


async def test_a_host_that_answers_while_it_was_being_tried_is_not_missed(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        await asyncio.sleep(0)
        assert sources.asked == ["a"]
        teardowns.try_again()
        sources.answer("a", BUSY)
        sources.answer("a", DOWN)
        await sources.has_ended()


async def test_a_hopeless_one_lets_go_and_says_what_is_left_behind(sources: Sources, caplog: pytest.LogCaptureFixture) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        sources.answer("a", HOPELESS)
        await sources.has_ended()
        assert teardowns.pending(["a"]) == frozenset()
    assert caplog.messages == ["workload a: what its source put up is left behind: HostRemoved: it is gone"]


async def test_one_whose_host_goes_too_is_tried_once_and_what_is_left_behind_is_said(
    sources: Sources, caplog: pytest.LogCaptureFixture
) -> None:
    async with teardowns_of(sources) as teardowns:
        assert teardowns.pending(["a", "b"], without_host=["a", "b"]) == {"a", "b"}
        sources.answer("a", DOWN)
        await sources.has_ended()
        sources.answer("b", BUSY)
        await sources.has_ended()
        assert teardowns.pending(["a", "b"], without_host=["a", "b"]) == frozenset()
    assert caplog.messages == ["workload b: what its source put up is left behind: Busy: wait"]


async def test_one_whose_host_goes_too_after_it_failed_is_tried_once_more_at_once(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        sources.answer("a", BUSY)
        await until(lambda: sources.asked == ["a"])
        await asyncio.sleep(0.01)
        assert teardowns.pending(["a"], without_host=["a"]) == {"a"}
        sources.answer("a", BUSY)
        await sources.has_ended()
        assert sources.asked == ["a", "a"]


async def test_a_workload_that_is_declared_again_is_taken_down_no_further_and_anew_when_it_goes_again(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a", "b"])
        await asyncio.sleep(0)
        assert teardowns.pending(["b"]) == {"b"}
        await asyncio.sleep(0)
        assert sources.cancelled == ["a"]
        assert teardowns.pending(["a", "b"]) == {"a", "b"}
        sources.answer("a", DOWN)
        await sources.has_ended()
        assert teardowns.pending(["a", "b"]) == {"b"}
        assert sorted(sources.asked) == ["a", "a", "b"]


async def test_what_was_taken_down_before_it_was_declared_again_counts_no_more(sources: Sources) -> None:
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(["a"])
        sources.answer("a", DOWN)
        await sources.has_ended()
        teardowns.pending([])
        assert teardowns.pending(["a"]) == {"a"}


async def test_nothing_is_remembered_of_what_has_gone(sources: Sources) -> None:
    gone = [f"w{number}" for number in range(1000)]
    async with teardowns_of(sources) as teardowns:
        teardowns.pending(gone)
        for workload in gone:
            sources.answer(workload, DOWN)
        while teardowns.pending(gone):
            await sources.has_ended()
        teardowns.pending([])
        assert len(teardowns._tasks) == 0


async def test_p7_a_teardown_that_finds_the_term_over_ends_it(sources: Sources) -> None:
    with pytest.RaisesGroup(Fenced):
        async with teardowns_of(sources) as teardowns:
            teardowns.pending(["a"])
            sources.answer("a", Fenced("deposed"))
            await asyncio.sleep(60)
