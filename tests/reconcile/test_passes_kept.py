"""Which passes leave a trace: those that tell something new, and one now and then that tells that nothing is."""

import pytest
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF  # noqa: TID251 - a sampler that leaves everything out

from tests.domain.world import HOST, container
from tests.reconcile.pass_recording import Clock, Recorded, traces_of
from tests.reconcile.stand_ins import EmptyIndex
from tinyforge.domain.hosts import EngineIdentity, Host
from tinyforge.domain.passes import PassReason
from tinyforge.ports import EngineError, EngineReason, Fenced, IndexUnavailable, Listing
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass

AWAY = IndexUnavailable("PostgreSQL is away")


class Engine:
    """An engine of one container. A list of it takes `seconds` of the clock, and `failure` is raised instead of an answer."""

    generation = 0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0.0
        self.failure: EngineError | None = None

    async def containers(self, ids: object = ()) -> Listing:
        self._clock.on(self.seconds)
        if self.failure:
            raise self.failure
        return Listing((container("c1"),), 0.0)

    async def labels(self, container_id: str) -> dict[str, str]:
        raise NotImplementedError(container_id)

    async def identity(self) -> EngineIdentity:
        return EngineIdentity(engine_id="engine", version="29.0", api_version="1.52")

    async def close(self) -> None: ...


class Passes:
    """The passes of one host, by a clock that the test moves; nothing of it is ever in the index, so none changes anything."""

    def __init__(self, *, suspended: bool = False) -> None:
        self.clock = Clock()
        self.engine = Engine(self.clock)
        self.index = EmptyIndex()
        host = Host(name=HOST, endpoint="unix:///one.sock", suspended=suspended)
        self._pass = IndexPass(
            host=host,
            engine=self.engine,
            index=self.index,
            findings=Findings(HOST),
            traces=traces_of(host, self.clock),
            stale_after=120,
        )

    async def run(self, reason: PassReason = PassReason.TIMER, *, after: float = 30) -> str:
        """Run one after some seconds, and return the id of its trace."""
        self.clock.on(after)
        return (await self._pass.run(reason)).trace_id

    async def try_in_vain(self, error: Exception, *, after: float = 2) -> None:
        """Run one that the index does not take."""
        self.index.error = error
        with pytest.raises(type(error)):
            await self.run(after=after)
        self.index.error = None


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


async def test_a_hosts_first_pass_is_kept_and_those_that_find_nothing_new_are_not(recorded: Recorded) -> None:
    passes = Passes()
    traces = [await passes.run() for _ in range(4)]
    assert recorded.kept() == ["first"]
    assert [bool(trace) for trace in traces] == [True, False, False, False]


async def test_ten_minutes_after_the_last_one_that_was_kept_the_next_one_is_whatever_it_found(recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    assert recorded.kept() == ["first"]
    for _ in range(2):
        await passes.run(after=599.5)
        assert recorded.kept() == []
        await passes.run(after=0.5)
        assert recorded.kept() == ["heartbeat"]


async def test_what_is_kept_for_another_reason_puts_the_heartbeat_off(recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    await passes.run(PassReason.SYNC, after=300)
    await passes.run(after=599)
    assert recorded.kept() == ["first", "forced"]


@pytest.mark.parametrize("reason", [PassReason.SYNC, PassReason.SPEC, PassReason.BOOT])
async def test_a_pass_that_something_else_than_the_timer_asked_for_is_kept(reason: PassReason, recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    recorded.traces()
    await passes.run(reason)
    ((root, _),) = recorded.traces()
    assert (root.attributes or {})["tinyforge.pass.kept"] == "forced"
    assert (root.attributes or {})["tinyforge.pass.reason"] == reason.value


@pytest.mark.parametrize(("seconds", "kept"), [(1.0, []), (1.1, ["slow"])])
async def test_a_pass_of_more_than_a_second_is_kept(seconds: float, kept: list[str], recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    recorded.traces()
    passes.engine.seconds = seconds
    await passes.run()
    assert recorded.kept() == kept


async def test_each_pass_of_a_host_that_does_not_answer_is_kept(recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    passes.engine.failure = EngineError(EngineReason.TIMEOUT, "no answer")
    for _ in range(3):
        await passes.run()
    assert recorded.kept() == ["first", "failed", "failed", "failed"]


async def test_of_passes_that_postgresql_does_not_take_the_first_of_a_row_is_kept_and_a_heartbeat(recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    for _ in range(302):
        await passes.try_in_vain(AWAY)
    assert recorded.kept() == ["first", "failed", "heartbeat"]


async def test_a_row_of_passes_that_postgresql_does_not_take_is_over_with_one_that_it_takes_and_with_another_cause(
    recorded: Recorded,
) -> None:
    passes = Passes()
    await passes.run()
    for _ in range(2):
        await passes.try_in_vain(AWAY)
        await passes.try_in_vain(AWAY)
        await passes.run()
    await passes.try_in_vain(AWAY)
    await passes.try_in_vain(Fenced("deposed"))
    assert recorded.kept() == ["first", *["failed"] * 4]


async def test_a_slow_or_forced_pass_is_no_news_while_postgresql_takes_none(recorded: Recorded) -> None:
    passes = Passes()
    await passes.run()
    passes.engine.seconds = 5
    passes.index.error = AWAY
    for _ in range(3):
        with pytest.raises(IndexUnavailable):
            await passes.run(PassReason.BOOT, after=2)
    assert recorded.kept() == ["first", "failed"]


async def test_a_suspended_host_leaves_no_trace_whoever_asks(recorded: Recorded) -> None:
    passes = Passes(suspended=True)
    for reason in PassReason:
        assert await passes.run(reason, after=700) == ""
    assert recorded.traces() == []


async def test_without_an_sdk_no_report_names_a_trace() -> None:
    assert await Passes().run() == ""


async def test_no_report_names_a_trace_that_a_sampler_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded = Recorded(monkeypatch, sampler=ALWAYS_OFF)
    assert await Passes().run() == ""
    assert recorded.traces() == []
