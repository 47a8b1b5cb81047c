"""Whoever asks the leader for something is answered once, whatever hangs, goes away or is in doubt meanwhile."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from tests.domain.world import container
from tests.reconcile.deliberate_plugins import DeliberateSource, DeliberateTrigger, plugins_of
from tests.reconcile.memory_workloads import ID, MemoryWorkloads, snapshot
from tests.reconcile.pass_recording import Recorded, facts
from tests.reconcile.stand_ins import EmptyIndex, HeldEngine
from tinyforge.domain.hosts import Host
from tinyforge.domain.requests import Forgotten, Request, RequestKind
from tinyforge.plugin import Changed, Skipped
from tinyforge.ports import EngineError, EngineReason, Fenced, IndexRefused, IndexUnavailable
from tinyforge.reconcile.answers import Answers
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.hosts import Hosts
from tinyforge.reconcile.trace_links import TraceLinks
from tinyforge.reconcile.workload_turns import WorkloadTurns


class MemoryRequests:
    """Requests in memory: no real list can be made to arrive late, and no real answer to be refused, at will.

    `listing` is awaited between reading a list and handing it over, `answering` called before an answer is taken; it may raise.
    """

    def __init__(self) -> None:
        self.open: dict[int, Request] = {}
        self.answers: dict[int, Mapping[str, Any]] = {}
        self.times_answered = 0
        self.listing: Callable[[], Any] = lambda: asyncio.sleep(0)
        self.answering: Callable[[], object] = lambda: None
        self._answered = asyncio.Condition()

    def ask(self, kind: RequestKind, *, host: str = "", argument: str = "") -> int:
        id_ = len(self.open) + len(self.answers) + 1
        self.open[id_] = Request(id=id_, kind=kind, host=host, argument=argument, by="me@here")
        return id_

    async def open_requests(self) -> list[Request]:
        requests = list(self.open.values())
        await self.listing()
        return requests

    async def answer(self, request: Request, outcome: Mapping[str, Any]) -> None:
        self.answering()
        async with self._answered:
            self.times_answered += 1
            self.open.pop(request.id, None)
            self.answers[request.id] = outcome
            self._answered.notify_all()

    async def answer_to(self, request: int) -> Mapping[str, Any]:
        async with asyncio.timeout(5), self._answered:
            await self._answered.wait_for(lambda: request in self.answers)
        return self.answers[request]


class MemoryHousekeeping:
    """Forgets what it was told of; `error` is raised instead."""

    def __init__(self) -> None:
        self.error: Exception | None = None
        self.forgotten: list[tuple[str, str | None]] = []

    async def forget(self, workload: str, *, role: str | None = None) -> Forgotten:
        if self.error:
            raise self.error
        self.forgotten.append((workload, role))
        return Forgotten(deleted=(f"{workload}:web",), kept=())


class Controller:
    """Answers over two hosts, `a` and `b`, and one workload, and what is behind them."""

    def __init__(self) -> None:
        self.engines = {"a": HeldEngine(), "b": HeldEngine()}
        self.requests = MemoryRequests()
        self.housekeeping = MemoryHousekeeping()
        self.workloads = MemoryWorkloads(snapshot())
        self.source = DeliberateSource()
        self.trigger = DeliberateTrigger()
        self.hosts = Hosts(
            connect=lambda host: self.engines[host.name], containers=EmptyIndex(), stale_after=120, epoch=7, passed=lambda *_: None
        )
        self.hosts.open(Host(name=name, endpoint="unix:///a.sock") for name in self.engines)

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[Answers]:
        """Answer for the length of a block."""
        async with asyncio.TaskGroup() as group:
            turns = WorkloadTurns(
                index=self.workloads,
                dispatcher=Dispatcher(
                    plugins=plugins_of(self.source, self.trigger), timeout=5, traces=DispatchTraces(epoch=7, links=TraceLinks())
                ),
                interval=30,
                group=group,
                assessed=lambda *_: None,
            )
            index: Any = SimpleNamespace(requests=self.requests, containers=EmptyIndex(), housekeeping=self.housekeeping)
            answers = Answers(index=index, hosts=self.hosts, turns=turns, group=group)
            running = group.create_task(answers.run())
            answers.look()
            yield answers
            running.cancel()
            await self.hosts.close(list(self.hosts.by_name))


@pytest.fixture
async def controller(monkeypatch: pytest.MonkeyPatch) -> Controller:
    monkeypatch.setattr("tinyforge.reconcile.answers._RETRY_SECONDS", 0.001)
    monkeypatch.setattr("tinyforge.reconcile.until_taken._RETRY_SECONDS", 0.001)
    return Controller()


async def test_p3_a_forced_pass_is_answered_with_what_it_found(controller: Controller) -> None:
    controller.engines["a"].there = (container("c1"),)
    for engine in controller.engines.values():
        engine.let_go.set()
    one, every = controller.requests.ask(RequestKind.SYNC, host="a"), controller.requests.ask(RequestKind.SYNC)
    async with controller.answering():
        assert [(it["host"], it["listed"]) for it in (await controller.requests.answer_to(one))["passes"]] == [("a", 1)]
        assert [it["host"] for it in (await controller.requests.answer_to(every))["passes"]] == ["a", "b"]


async def test_p3_the_answer_to_a_forced_pass_names_its_trace_and_the_trace_who_asked(
    controller: Controller, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded = Recorded(monkeypatch)
    controller.engines["a"].let_go.set()
    asked = controller.requests.ask(RequestKind.SYNC, host="a")
    async with controller.answering():
        (told,) = (await controller.requests.answer_to(asked))["passes"]
    root, _ = recorded.one()
    assert told["traceID"] == f"{root.context.trace_id:032x}"
    assert (facts(root)["tinyforge.pass.reason"], facts(root)["tinyforge.epoch"]) == ("sync", 7)


async def test_p6_a_request_about_a_host_that_hangs_keeps_nobody_waiting(controller: Controller) -> None:
    controller.engines["b"].let_go.set()
    for _ in range(20):
        controller.requests.ask(RequestKind.SYNC, host="a")
    other = controller.requests.ask(RequestKind.SYNC, host="b")
    async with controller.answering() as answers:
        await controller.requests.answer_to(other)
        later = controller.requests.ask(RequestKind.SYNC, host="b")
        answers.look()
        await controller.requests.answer_to(later)
        assert (len(controller.requests.open), controller.engines["a"].lists) == (20, 1)


async def test_what_is_not_in_force_is_answered_with_what_is(controller: Controller) -> None:
    asked = [
        controller.requests.ask(RequestKind.SYNC, host="c"),
        controller.requests.ask(RequestKind.DEPLOY, argument="default/x"),
    ]
    async with controller.answering():
        assert [await controller.requests.answer_to(it) for it in asked] == [
            {"error": 'no DockerHost "c" is declared; declared are: a, b'},
            {"error": 'no Workload "default/x" is in force; `tinyforge workloads` lists those that are'},
        ]


async def test_a_deployment_is_one_event_and_its_answer_says_how_it_ended(controller: Controller) -> None:
    controller.source.deploys = Changed(message="deployed")
    asked = controller.requests.ask(RequestKind.DEPLOY, argument=ID)
    async with controller.answering():
        answer = await controller.requests.answer_to(asked)
    assert answer == {"workload": ID, "outcome": "changed", "reason": "", "message": "deployed", "traceID": ""}
    assert [(it.id, it.kind, it.sender) for it in controller.trigger.events] == [(f"request-{asked}", "manual", "me@here")]


async def test_a_deployment_that_a_source_skips_says_why(controller: Controller) -> None:
    controller.source.deploys = Skipped(reason="ExternallyManaged", message="ask them")
    asked = controller.requests.ask(RequestKind.DEPLOY, argument=ID)
    async with controller.answering():
        answer = await controller.requests.answer_to(asked)
    assert (answer["outcome"], answer["reason"], answer["message"]) == ("skipped", "ExternallyManaged", "ask them")


async def test_a_list_that_arrives_after_a_request_was_answered_does_not_deploy_again(controller: Controller) -> None:
    asked = controller.requests.ask(RequestKind.DEPLOY, argument=ID)
    async with controller.answering() as answers:
        may_deploy, listed, late = asyncio.Event(), asyncio.Event(), asyncio.Event()

        async def deploying(_: object) -> Changed:
            await may_deploy.wait()
            return Changed(message="deployed")

        async def listing() -> None:
            listed.set()
            await late.wait()

        controller.source.deploys = deploying
        while not controller.source.calls:  # noqa: ASYNC110 - a source tells nobody that it was asked
            await asyncio.sleep(0)
        controller.requests.listing = listing
        answers.look()
        await listed.wait()
        may_deploy.set()
        await controller.requests.answer_to(asked)
        await asyncio.sleep(0.01)
        controller.requests.listing = lambda: asyncio.sleep(0)
        late.set()
        other = controller.requests.ask(RequestKind.SYNC, host="c")
        answers.look()
        await controller.requests.answer_to(other)
        await asyncio.sleep(0.01)
    assert controller.source.calls == ["deploy"]


async def test_an_answer_that_postgresql_does_not_take_is_kept_until_it_does_and_nothing_is_done_again(controller: Controller) -> None:
    refusals = iter([IndexUnavailable("away"), IndexRefused("no"), IndexUnavailable("away")])

    def refusing() -> None:
        if error := next(refusals, None):
            raise error

    controller.requests.answering = refusing
    asked = controller.requests.ask(RequestKind.DEPLOY, argument=ID)
    async with controller.answering() as answers:
        for _ in range(3):
            answers.look()
            await asyncio.sleep(0)
        await controller.requests.answer_to(asked)
    assert (controller.source.calls, controller.requests.times_answered) == (["deploy"], 1)


async def test_a_request_for_which_something_cannot_be_read_is_met_again(controller: Controller) -> None:
    controller.housekeeping.error = IndexUnavailable("away")
    asked = controller.requests.ask(RequestKind.FORGET, argument=f"{ID}\nweb")
    async with controller.answering():
        await asyncio.sleep(0.01)
        assert controller.requests.answers == {}
        controller.housekeeping.error = None
        assert await controller.requests.answer_to(asked) == {"deleted": [f"{ID}:web"], "kept": []}
    assert controller.housekeeping.forgotten == [(ID, "web")]


async def test_however_many_requests_wait_for_postgresql_that_is_said_once_and_so_is_its_end(
    controller: Controller, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "tinyforge.reconcile.answers")
    controller.housekeeping.error = IndexUnavailable("away")
    asked = [controller.requests.ask(RequestKind.FORGET, argument=f"{ID}\nweb") for _ in range(3)]
    async with controller.answering():
        await asyncio.sleep(0.02)
        controller.housekeeping.error = None
        for request in asked:
            await controller.requests.answer_to(request)
    assert [it.__dict__["action"] for it in caplog.records] == ["request_postponed", "requests_met"]
    assert caplog.records[1].__dict__["failures"] >= 3


async def test_a_request_that_postgresql_refuses_is_answered_with_why(controller: Controller) -> None:
    controller.housekeeping.error = IndexRefused("this role may not do that")
    asked = controller.requests.ask(RequestKind.FORGET, argument=ID)
    async with controller.answering():
        assert await controller.requests.answer_to(asked) == {"error": "this role may not do that"}


async def test_a_list_of_requests_that_cannot_be_read_is_read_again(controller: Controller) -> None:
    failures = iter([IndexUnavailable("away"), IndexRefused("no")])

    async def listing() -> None:
        if error := next(failures, None):
            raise error

    controller.requests.listing = listing
    asked = controller.requests.ask(RequestKind.DEPLOY, argument=ID)
    async with controller.answering():
        await controller.requests.answer_to(asked)


async def test_a_host_that_is_given_up_while_a_container_of_it_is_explained_ends_nothing(controller: Controller) -> None:
    for engine in controller.engines.values():
        engine.let_go.set()
    giving_up: list[asyncio.Task[None]] = []

    async def listing() -> None:
        """Have the hosts closed between the moment at which the request is met and that at which its first host is asked."""
        if not giving_up:
            closing = controller.hosts.close(["a", "b"])
            asyncio.get_running_loop().call_soon(lambda: giving_up.append(asyncio.ensure_future(closing)))

    controller.requests.listing = listing
    asked = controller.requests.ask(RequestKind.EXPLAIN, argument="web")
    async with controller.answering():
        assert await controller.requests.answer_to(asked) == {"explanations": [], "failures": {}}
        assert controller.hosts.by_name == {}


async def test_an_explanation_says_which_hosts_gave_none(controller: Controller) -> None:
    async def failing(*_: object) -> None:
        raise EngineError(EngineReason.TIMEOUT, "no answer")

    controller.engines["a"].containers = failing  # type: ignore[assignment, method-assign] # an engine that is away
    controller.engines["b"].let_go.set()
    asked = controller.requests.ask(RequestKind.EXPLAIN, argument="web")
    async with controller.answering():
        assert await controller.requests.answer_to(asked) == {"explanations": [], "failures": {"a": "Timeout: no answer"}}


async def test_p7_an_answer_that_finds_the_term_over_ends_it(controller: Controller) -> None:
    def fenced() -> None:
        raise Fenced("deposed")

    controller.requests.answering = fenced
    controller.requests.ask(RequestKind.DEPLOY, argument=ID)
    with pytest.RaisesGroup(Fenced):
        async with controller.answering():
            await asyncio.sleep(60)


async def test_nothing_is_remembered_of_requests_that_were_answered_before_the_last_look(controller: Controller) -> None:
    async with controller.answering() as answers:
        for _ in range(3):
            asked = [controller.requests.ask(RequestKind.SYNC, host="c") for _ in range(100)]
            answers.look()
            for each in asked:
                await controller.requests.answer_to(each)
        await asyncio.sleep(0.01)
        assert len(answers._tasks) <= 100
