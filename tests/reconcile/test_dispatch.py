"""One dispatch ends in a report whatever its plugins do (rules D1, D2), and shows a plugin nothing that it could spoil for others."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.reconcile.deliberate_plugins import Config, DeliberateSource, DeliberateTrigger, Unspeakable, plugins_of
from tests.reconcile.memory_workloads import ID, NOW, away, snapshot
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReason, DispatchReport
from tinyforge.plugin import Changed, Container, DeploymentIntent, Failed, InboundEvent, PublicFace, Skipped, Unchanged, Workload
from tinyforge.reconcile.dispatch import Dispatcher
from tinyforge.reconcile.dispatch_trace import DispatchTraces
from tinyforge.reconcile.trace_links import TraceLinks

EVENT = InboundEvent(id="request-7", kind="manual", sender="me@here")
INTENT = DeploymentIntent(id="i-1", reason="a new image")


async def test_d1_a_source_is_asked_to_bring_its_workload_in_line_and_its_outcome_is_the_report() -> None:
    outcomes = {
        Unchanged(): report(DispatchOutcome.UNCHANGED),
        Changed(message="one more replica"): report(DispatchOutcome.CHANGED, message="one more replica"),
        Skipped(reason="Later", message="not now"): report(DispatchOutcome.SKIPPED, "Later", "not now"),
        Failed(reason="Busy", message="it is busy: wait", retry_after=5): report(DispatchOutcome.FAILED, "Busy", "it is busy: wait", 5.0),
        Failed(reason="Drift", message="look: it", retry_after=None): report(DispatchOutcome.FAILED, "Drift", "look: it"),
    }
    for outcome, expected in outcomes.items():
        source = DeliberateSource(reconciles=outcome)
        assert await reconciled(source) == expected
        assert source.calls == ["reconcile"]


async def test_a_trigger_that_wants_a_deployment_gets_one_instead() -> None:
    source = DeliberateSource(deploys=Changed(message="deployed"))
    assert await reconciled(source, DeliberateTrigger(checks=INTENT)) == report(DispatchOutcome.CHANGED, message="deployed")
    assert (source.calls, source.intents) == (["deploy"], [INTENT])


async def test_an_event_is_told_to_the_trigger_and_what_it_makes_of_it_to_the_source() -> None:
    source, trigger = DeliberateSource(), DeliberateTrigger()
    assert await dispatcher(source, trigger).deploy(snapshot(), EVENT) == report(DispatchOutcome.CHANGED, message="deployed")
    assert (trigger.events, source.calls, [it.id for it in source.intents]) == ([EVENT], ["deploy"], ["request-7"])


async def test_an_event_that_means_nothing_to_the_trigger_reaches_no_source() -> None:
    source = DeliberateSource()
    deaf = DeliberateTrigger(receives=Skipped(reason="NotForMe", message="it is another's"))
    assert await dispatcher(source, deaf).deploy(snapshot(), EVENT) == report(DispatchOutcome.SKIPPED, "NotForMe", "it is another's")
    assert source.calls == []


async def test_taking_down_needs_no_trigger() -> None:
    for kind in ("", "gone"):
        source = DeliberateSource()
        left = snapshot(trigger_kind=kind)
        assert await dispatcher(source).teardown(left) == report(DispatchOutcome.UNCHANGED)
        assert source.calls == ["teardown"]


WRONG: dict[str, dict[str, Any]] = {
    "SourceNotFound": {"source_kind": "terraform"},
    "TriggerNotFound": {"trigger_kind": "moon"},
    "ConfigInvalid": {"source_config": {"wrods": []}},
}


@pytest.mark.parametrize("reason", WRONG)
async def test_d2_a_workload_without_a_usable_plugin_says_so_and_no_plugin_is_asked_anything(reason: str) -> None:
    source, trigger = DeliberateSource(), DeliberateTrigger()
    one = dispatcher(source, trigger)
    wrong = snapshot(**WRONG[reason])
    for found in (await one.reconcile(wrong, DispatchReason.TIMER), await one.deploy(wrong, EVENT)):
        assert (found.outcome, found.reason, found.hopeless) == (DispatchOutcome.FAILED, reason, True)
        assert found.message
    assert (source.calls, trigger.events) == ([], [])


async def test_nothing_is_deployed_on_a_host_of_which_nobody_knows_what_it_runs() -> None:
    source, trigger = DeliberateSource(), DeliberateTrigger()
    found = await dispatcher(source, trigger).deploy(snapshot(host=away()), EVENT)
    assert found == report(DispatchOutcome.SKIPPED, "HostUnreachable", 'nobody can say now what runs on host "local"')
    assert (source.calls, trigger.events) == ([], [])


@pytest.mark.parametrize("why", ["HostUnreachable", "HostSuspended", "EngineChanged", "HostRemoved", "NeverSeen", "Stale"])
async def test_whether_there_is_anything_to_take_down_on_a_host_that_is_away_is_for_the_source_to_say(why: str) -> None:
    source = DeliberateSource()
    found = await dispatcher(source).teardown(snapshot(host=away(why)))
    assert (found.failed, len(source.calls)) == (False, 1)


async def test_a_plugin_is_shown_the_workload_its_own_config_and_what_runs() -> None:
    faces = ({"domain": "a.example", "path": "/x", "port": 8080, "role": "web"}, {"domain": "b.example", "weight": 5})
    shown = snapshot(
        states=("running", "missing"),
        group_id="group",
        parent_id="default/parent",
        source_config={"words": ["source"]},
        trigger_config={"words": ["trigger"]},
        public_faces=faces,
    )
    source = DeliberateSource()
    checked: list[Any] = []
    await dispatcher(source, DeliberateTrigger(checks=checked.append)).reconcile(shown, DispatchReason.TIMER)
    (seen,), (by_trigger,) = source.seen, checked
    assert seen.workload == Workload(
        id=ID,
        kind="stack",
        host="local",
        compose_project="tinyforge-default_shop",
        group="group",
        parent="default/parent",
        faces=(PublicFace(domain="a.example", path="/x", port=8080, role="web"), PublicFace(domain="b.example")),
    ), "a field of a newer program is left out"
    assert (seen.config, by_trigger.config) == (Config(words=["source"]), Config(words=["trigger"]))
    assert seen.containers == tuple(
        Container(row=f"{ID}:{n}", container_id=f"c{n}", role=f"role-{n}", image="image:1", state=state, port=80)
        for n, state in enumerate(("running", "missing"))
    )
    assert seen.as_of == NOW


async def test_what_a_plugin_does_to_what_it_was_shown_reaches_nobody() -> None:
    shown = snapshot(source_config={"words": ["one"]}, public_faces=({"domain": "a.example"},))
    found: list[list[str]] = []

    def spoiling(seen: Any) -> Unchanged:
        found.append(list(seen.config.words))
        seen.config.words.append("two")
        object.__setattr__(seen.workload, "id", "default/other")
        object.__setattr__(seen.containers[0], "state", "stopped")
        return Unchanged()

    one = dispatcher(DeliberateSource(reconciles=spoiling))
    for _ in range(2):
        await one.reconcile(shown, DispatchReason.TIMER)
    assert found == [["one"], ["one"]]
    assert shown == snapshot(source_config={"words": ["one"]}, public_faces=({"domain": "a.example"},))


STEPS = ("trigger.check", "source.reconcile", "source.deploy", "trigger.receive", "source.teardown")


@pytest.mark.parametrize("step", STEPS)
async def test_d1_a_plugin_that_raises_hangs_or_answers_nonsense_in_any_call_is_a_failed_dispatch_to_be_tried_again(step: str) -> None:
    def raising(_: object) -> None:
        raise SystemExit("enough")

    for answer, reason in ((raising, "PluginRaised"), (lambda _: asyncio.sleep(60), "TimedOut"), (5, "BadAnswer")):
        found = await misbehaving(step, answer)
        assert (found.failed, found.reason, found.hopeless, found.retry_after) == (True, reason, False, 0.0)
        assert found.message.startswith(f"{step}: ")


class Nonsense:
    def __str__(self) -> str:
        raise Unspeakable


NONSENSE: Any = Nonsense()
SOON: Any = "soon"
NOTHING: Any = None
UNREADABLE = {
    "a message that raises": Changed(message=NONSENSE),
    "a reason that raises": Skipped(reason=NONSENSE, message=""),
    "a time that is no number": Failed(reason="Busy", message="wait", retry_after=SOON),
    "a time that raises": Failed(reason="Busy", message="wait", retry_after=NONSENSE),
}


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_d1_an_outcome_of_nonsense_is_a_failed_dispatch(kind: str) -> None:
    found = await reconciled(DeliberateSource(reconciles=UNREADABLE[kind]))
    assert (found.reason, found.hopeless) == ("BadAnswer", False)
    assert "cannot be read" in found.message


async def test_an_outcomes_words_are_made_fit_for_a_status_and_a_log() -> None:
    hostile = Failed(reason="not a\nword!", message="\x1b[31m" + "long " * 1_000_000, retry_after=float("inf"))
    found = await reconciled(DeliberateSource(reconciles=hostile))
    assert found.reason == "notaword"
    assert found.message.isprintable()
    assert len(found.message) <= 1024
    assert (await reconciled(DeliberateSource(reconciles=replace(hostile, reason="???")))).reason == "DispatchFailed"
    assert (await reconciled(DeliberateSource(reconciles=replace(hostile, message=NOTHING)))).message == "None"


async def test_d1_a_dispatch_that_is_stopped_is_no_outcome() -> None:
    began = asyncio.Event()

    def hanging(_: object) -> Any:
        began.set()
        return asyncio.sleep(60)

    task = asyncio.create_task(reconciled(DeliberateSource(reconciles=hanging), seconds=60))
    await began.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def dispatcher(source: DeliberateSource | None = None, trigger: DeliberateTrigger | None = None, *, seconds: float = 0.05) -> Dispatcher:
    return Dispatcher(plugins=plugins_of(source, trigger), timeout=seconds, traces=DispatchTraces(epoch=7, links=TraceLinks()))


async def reconciled(source: DeliberateSource, trigger: DeliberateTrigger | None = None, *, seconds: float = 5.0) -> DispatchReport:
    return await dispatcher(source, trigger, seconds=seconds).reconcile(snapshot(), DispatchReason.TIMER)


async def misbehaving(step: str, answer: object) -> DispatchReport:
    """How a dispatch ends in which one call of a plugin is answered so."""
    match step:
        case "trigger.check":
            return await dispatcher(trigger=DeliberateTrigger(checks=answer)).reconcile(snapshot(), DispatchReason.TIMER)
        case "source.reconcile":
            return await dispatcher(DeliberateSource(reconciles=answer)).reconcile(snapshot(), DispatchReason.TIMER)
        case "source.deploy":
            return await dispatcher(DeliberateSource(deploys=answer)).deploy(snapshot(), EVENT)
        case "trigger.receive":
            return await dispatcher(trigger=DeliberateTrigger(receives=answer)).deploy(snapshot(), EVENT)
        case _:
            return await dispatcher(DeliberateSource(tears_down=answer)).teardown(snapshot())


def report(outcome: DispatchOutcome, reason: str = "", message: str = "", retry_after: float | None = None) -> DispatchReport:
    return DispatchReport(outcome=outcome, reason=reason, message=message, retry_after=retry_after)
