"""How a term was won and how it ended are a short trace each, and what the log says meanwhile names it."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider  # noqa: TID251 - what is recorded is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above

from tests.election.honest_database import HonestDatabase
from tests.election.replicas import TIMES, Replicas
from tests.election.the_lease import TheLease
from tests.index.waiting import until
from tests.servers.api_proxy import ApiProxy, refuse
from tinyforge.domain.complaints import Complaint
from tinyforge.election import CampaignFailed, LeaseLost, boottime
from tinyforge.election.term_traces import CampaignTrace, EndTrace, TermOutcome
from tinyforge.ports import Fenced, IndexUnavailable

Traces = Callable[[], list[list[ReadableSpan]]]


@pytest.fixture
def traces(monkeypatch: pytest.MonkeyPatch) -> Traces:
    """The traces recorded so far, in the order in which their roots ended: the root, then its steps in theirs."""
    exporter, provider = InMemorySpanExporter(), TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("tinyforge.election.term_traces._tracer", provider.get_tracer("tests"))

    def recorded() -> list[list[ReadableSpan]]:
        spans = exporter.get_finished_spans()
        return [[root, *(it for it in spans if it.parent == root.context)] for root in spans if root.parent is None]

    return recorded


@pytest.fixture
def said() -> Iterator[list[tuple[str, str]]]:
    """The actions of the lines that were said, each with the trace that was recorded then."""
    said: list[tuple[str, str]] = []

    class Notes(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            span = trace.get_current_span()
            said.append((record.__dict__["action"], trace_id(span.get_span_context()) if span.is_recording() else ""))

    logger, notes = logging.getLogger("tinyforge.election"), Notes()
    before = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(notes)
    yield said
    logger.removeHandler(notes)
    logger.setLevel(before)


def trace_id(context: trace.SpanContext) -> str:
    return trace.format_trace_id(context.trace_id)


def told(root: ReadableSpan) -> dict[str, object]:
    return dict(root.attributes or {})


def names(spans: Sequence[ReadableSpan]) -> list[str]:
    return [span.name for span in spans]


def failures(spans: Sequence[ReadableSpan]) -> list[tuple[str, object]]:
    """Which spans are errors, and of which type."""
    return [(span.name, told(span).get("error.type")) for span in spans if span.status.status_code is trace.StatusCode.ERROR]


async def test_a_campaign_that_is_won_is_a_root_with_the_taking_of_the_lease_and_the_claim(
    replicas: Replicas, traces: Traces, said: list[tuple[str, str]]
):
    with somebody_elses_span():
        replica = replicas.start("a")
    await replica.elected()
    ((root, *steps),) = traces()
    assert names([root, *steps]) == ["leader.term", "lease.take", "index.claim"]
    assert told(root) == {
        "tinyforge.term.phase": "campaign",
        "tinyforge.term.reason": "there is no Lease, and nobody leads the database",
        "tinyforge.term.outcome": "won",
        "tinyforge.epoch": 1,
        "tinyforge.lease.name": "tinyforge",
        "k8s.namespace.name": replicas.namespace,
    }
    assert failures([root, *steps]) == []
    take, claim = steps
    assert (root.start_time or 0) <= (take.start_time or 0) <= (take.end_time or 0) <= (claim.start_time or 0)
    assert (claim.end_time or 0) <= (root.end_time or 0)
    assert said == [("lease_taken", trace_id(root.context)), ("elected", trace_id(root.context))]


async def test_an_end_that_was_asked_for_is_a_root_with_the_release(replicas: Replicas, traces: Traces, said: list[tuple[str, str]]):
    replica = replicas.start("a")
    await replica.elected()
    replica.task.cancel()
    await replica.ended()
    _, (root, *steps) = traces()
    assert names([root, *steps]) == ["leader.term", "lease.release"]
    assert told(root) == {
        "tinyforge.term.phase": "step_down",
        "tinyforge.term.reason": "this process was asked to end",
        "tinyforge.term.outcome": "released",
        "tinyforge.epoch": 1,
        "tinyforge.lease.name": "tinyforge",
        "k8s.namespace.name": replicas.namespace,
    }
    assert failures([root, *steps]) == []
    assert said[-1] == ("lease_given_back", trace_id(root.context))


async def test_a_lost_lease_and_a_fenced_write_leave_the_end_of_the_term_with_its_reason(
    replicas: Replicas, traces: Traces, lease: TheLease
):
    fenced = replicas.start("a")
    await fenced.elected()
    fenced.fail(Fenced("b took over with epoch 2"))
    assert isinstance(await fenced.ended(), Fenced)
    await lease.edit(holderIdentity="")
    lost = replicas.start("c")
    await lost.elected()
    await lease.edit(holderIdentity="somebody")
    assert isinstance(error := await lost.ended(), LeaseLost)
    ends = [spans for spans in traces() if told(spans[0])["tinyforge.term.phase"] == "step_down"]
    assert [names(spans) for spans in ends] == [["leader.term"]] * 2
    assert [told(root)["tinyforge.term.outcome"] for (root,) in ends] == ["deposed"] * 2
    assert [told(root)["tinyforge.term.reason"] for (root,) in ends] == ["b took over with epoch 2", str(error)]
    assert [failures(spans) for spans in ends] == [[("leader.term", "Fenced")], [("leader.term", "LeaseLost")]]


async def test_a_race_that_was_lost_is_no_error(replicas: Replicas, traces: Traces, lease: TheLease, said: list[tuple[str, str]]):
    async def quicker(step: str) -> None:
        if step == "before-put" and not traces():
            await lease.make(holderIdentity="quicker", leaseTransitions=9, leaseDurationSeconds=4)

    standby = replicas.start("a", steps=quicker)
    await until(lambda: "quicker holds the Lease" in standby.elector.waits)
    root, *steps = traces()[0]
    assert names([root, *steps]) == ["leader.term", "lease.take"]
    assert told(root)["tinyforge.term.outcome"] == "lost"
    assert failures([root, *steps]) == []
    assert ("campaign_lost", trace_id(root.context)) in said


async def test_a_campaign_that_is_refused_again_and_again_is_recorded_once_and_the_one_that_is_won_after_all_too(
    replicas: Replicas, proxied: Path, api_proxy: ApiProxy, lease: TheLease, traces: Traces, said: list[tuple[str, str]]
):
    await lease.make(holderIdentity="", leaseTransitions=1, leaseDurationSeconds=4)
    api_proxy.spoil("PUT .*", refuse(403, message="no writing"))
    standby = replicas.start("a", kubeconfig=proxied)
    began = boottime()
    await until(lambda: boottime() - began > 4 * TIMES.retry_period)
    assert sum(request.startswith("PUT") for request in api_proxy.requests) >= 2
    ((root, take),) = traces()
    assert told(root)["tinyforge.term.outcome"] == "failed"
    assert failures([root, take]) == [("leader.term", "ClusterRefused"), ("lease.take", "ClusterRefused")]
    assert root.status.description == "no writing"
    assert said == [("campaign_refused", trace_id(root.context))]
    api_proxy.heal()
    await standby.elected()
    assert [told(spans[0])["tinyforge.term.outcome"] for spans in traces()] == ["failed", "won"]


async def test_a_claim_that_fails_is_an_error_and_the_lease_that_it_had_is_given_back(
    replicas: Replicas, traces: Traces, database: HonestDatabase
):
    async def overtaken(step: str) -> None:
        if step == "before-claim":
            database.epoch, database.holder = 7, "newer"

    assert isinstance(error := await replicas.start("a", steps=overtaken).ended(), CampaignFailed)
    campaign, end = traces()
    assert names(campaign) == ["leader.term", "lease.take", "index.claim"]
    assert failures(campaign) == [("leader.term", "CampaignFailed"), ("index.claim", "CampaignFailed")]
    assert told(campaign[0])["tinyforge.term.outcome"] == "failed"
    assert [(event.name, dict(event.attributes or {})) for event in campaign[0].events] == [
        ("exception", {"exception.type": "CampaignFailed", "exception.message": str(error)})
    ]
    assert names(end) == ["leader.term", "lease.release"]
    assert (told(end[0])["tinyforge.term.outcome"], told(end[0])["tinyforge.term.reason"]) == ("released", str(error))


async def test_an_end_in_the_middle_of_a_claim_leaves_no_step_without_its_root(replicas: Replicas, traces: Traces):
    claims = asyncio.Event()

    async def endless(step: str) -> None:
        if step == "before-claim":
            claims.set()
            await asyncio.Event().wait()

    replica = replicas.start("a", steps=endless)
    await claims.wait()
    replica.task.cancel()
    await replica.ended()
    campaign, end = traces()
    assert names(campaign) == ["leader.term", "lease.take", "index.claim"]
    assert told(campaign[0])["tinyforge.term.outcome"] == "given_up"
    assert failures([*campaign, *end]) == []


async def test_a_lease_that_cannot_be_given_back_is_left_to_run_out(
    replicas: Replicas, proxied: Path, api_proxy: ApiProxy, traces: Traces, said: list[tuple[str, str]]
):
    async def refused(step: str) -> None:
        if step == "before-release":
            api_proxy.spoil("PUT .*", refuse(403, message="no writing"))

    leader = replicas.start("a", kubeconfig=proxied, steps=refused)
    await leader.elected()
    await leader.step_down()
    root, release = traces()[-1]
    assert told(root)["tinyforge.term.outcome"] == "left"
    assert (release.status.status_code, release.status.description) == (trace.StatusCode.ERROR, "no writing")
    assert ("lease_not_given_back", trace_id(root.context)) in said


async def test_a_second_signal_in_the_middle_of_the_release_leaves_no_step_without_its_root(replicas: Replicas, traces: Traces):
    releases = asyncio.Event()

    async def endless(step: str) -> None:
        if step == "before-release":
            releases.set()
            await asyncio.Event().wait()

    leader = replicas.start("a", steps=endless)
    await leader.elected()
    leader.task.cancel()
    await releases.wait()
    leader.task.cancel()
    await leader.ended()
    root, release = traces()[-1]
    assert (told(root)["tinyforge.term.outcome"], release.name) == ("left", "lease.release")


def test_a_drain_is_part_of_the_end_and_whoever_deposed_the_process_meanwhile_does_not_change_why_it_began(traces: Traces):
    ending = EndTrace({"tinyforge.epoch": 3})
    with somebody_elses_span(), ending.draining():
        pass
    ending.begin("b took over")
    ending.end(TermOutcome.DEPOSED, Fenced("b took over"))
    ((root, drain),) = traces()
    assert drain.name == "drain"
    assert told(root)["tinyforge.term.reason"] == "this process was asked to end"
    assert told(root)["tinyforge.term.outcome"] == "deposed"


def test_a_claim_that_fails_for_the_same_reason_again_is_not_recorded_again(traces: Traces):
    complaint = Complaint()
    for text in ("away", "away", "full"):
        with suppress(IndexUnavailable), CampaignTrace(reason="it is due").claiming(complaint):
            raise IndexUnavailable(text)
    assert [root.status.description for root, _ in traces()] == ["away", "full"]


def test_nothing_of_a_foreign_error_behind_ours_is_recorded(traces: Traces):
    ours = CampaignFailed("the database could not be claimed")
    ours.__cause__ = ValueError("password=canary")
    with suppress(CampaignFailed), CampaignTrace(reason="it is due").claiming(Complaint()):
        raise ours
    recorded = "".join(span.to_json() for spans in traces() for span in spans)
    assert "could not be claimed" in recorded
    assert "canary" not in recorded


@contextmanager
def somebody_elses_span() -> Iterator[None]:
    with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(1, 2, is_remote=False))):
        yield
