"""Statuses as they are written: what is told in them, what moves, and what stays."""

from dataclasses import replace
from datetime import timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import DRIFT, counted, facts, host, moments, passes, workload_facts
from tests.domain.strategies import quick, thorough
from tests.objects.written_statuses import COMPLETE, DRIFTS, FAILED, LATER, NOON, RUNS, STOPS, of_host, of_workload, since, written
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.traces import Traceparent
from tinyforge.domain.workload_status import refused_conditions
from tinyforge.objects.statuses import workload_status
from tinyforge.objects.workload import ContainerCounts, WorkloadStatus


def test_a_status_is_written_as_kubernetes_writes_its_own():
    status = of_workload(DRIFTS, now=NOON + timedelta(milliseconds=700), generation=4)
    document = written(status)
    assert document["conditions"][0] == {
        "type": "Ready",
        "status": "False",
        "reason": "Drift",
        "message": DRIFT.message,
        "lastTransitionTime": "2026-11-24T12:00:00Z",
        "observedGeneration": 4,
    }
    assert document["containers"]["summary"] == "2/2 running"
    assert document["lastDispatch"] == {"at": "2026-11-24T12:00:00Z", "outcome": "failed", "reason": "Drift", "traceID": DRIFT.trace_id}
    assert document["observedGeneration"] == 4


def test_the_counts_are_those_of_the_containers():
    assert of_workload(STOPS).containers == ContainerCounts(
        total=2, running=1, stopped=1, missing=0, unknown=0, other=0, summary="1/2 running"
    )


def test_a_refused_workload_counts_nothing():
    conditions = refused_conditions("HostNotFound", "spec.host", 'no DockerHost "vps9" is declared')
    status = workload_status(conditions, None, dispatch=None, generation=1, now=NOON, previous=of_workload(RUNS))
    assert status.containers is None
    assert "containers" not in written(status)


def test_a_workload_without_containers_tells_that_it_has_none():
    containers = of_workload(facts()).containers
    assert containers
    assert containers.summary == "no containers"


def test_times_are_told_in_utc_wherever_the_clock_is():
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert written(of_workload(DRIFTS, now=elsewhere)) == written(of_workload(DRIFTS, now=NOON))


def test_the_time_of_a_condition_moves_only_when_its_status_does():
    first = of_workload(RUNS)
    second = of_workload(STOPS, now=LATER, previous=first)
    assert since(second) == {"Ready": LATER, "Reconciling": NOON, "Stalled": NOON}
    third = of_workload(DRIFTS, now=LATER + timedelta(minutes=5), previous=second)
    assert since(third)["Ready"] == LATER


def test_a_new_generation_is_told_and_moves_no_time():
    first = of_workload(RUNS)
    second = of_workload(RUNS, now=LATER, previous=first, generation=2)
    assert second.observed_generation == 2
    assert {condition.observed_generation for condition in second.conditions} == {2}
    assert since(second) == since(first)


def test_d3_the_dispatch_told_is_the_first_that_ended_as_the_last_one_did():
    first = of_workload(DRIFTS)
    again = DispatchReport(
        outcome=DRIFT.outcome, reason=DRIFT.reason, message="something else differs", trace=Traceparent("b" * 32, "c" * 16)
    )
    assert of_workload(facts(dispatch=again), now=LATER, previous=first).last_dispatch == first.last_dispatch


@pytest.mark.parametrize(
    "other",
    [
        DispatchReport(outcome=DispatchOutcome.FAILED, reason="Timeout", trace=Traceparent("b" * 32, "c" * 16)),
        DispatchReport(outcome=DispatchOutcome.SKIPPED, reason="Drift", trace=Traceparent("b" * 32, "c" * 16)),
    ],
)
def test_d3_a_dispatch_that_ended_in_another_way_is_told_with_its_time_and_trace(other):
    last = of_workload(facts(dispatch=other), now=LATER, previous=of_workload(DRIFTS)).last_dispatch
    assert last is not None
    assert (last.at, last.outcome, last.reason, last.trace_id) == (LATER, other.outcome, other.reason, "b" * 32)


def test_without_a_new_dispatch_the_last_one_stays():
    first = of_workload(DRIFTS)
    assert of_workload(RUNS, now=LATER, previous=first).last_dispatch == first.last_dispatch
    assert of_workload(RUNS).last_dispatch is None


def test_a_host_tells_its_last_pass_and_who_answered():
    document = written(of_host(COMPLETE, now=NOON + timedelta(milliseconds=50)))
    assert document["lastPass"] == {
        "at": "2026-11-24T11:59:59Z",
        "durationSeconds": 0.088,
        "outcome": "changed",
        "listed": 9,
        "matched": 7,
        "ignored": 2,
        "written": 3,
        "missing": 1,
        "traceID": "",
    }
    assert document["engine"] == {"id": "AAAA:BBBB", "version": "27.3.1", "apiVersion": "1.47"}


@pytest.mark.parametrize("report", [FAILED, PassReport(host="vps1", outcome=PassOutcome.SKIPPED, reason="HostSuspended")])
def test_a_host_that_does_not_answer_keeps_the_counts_of_its_last_complete_pass(report):
    first = of_host(COMPLETE)
    second = of_host(report, now=LATER, previous=first)
    assert first.last_pass
    assert second.last_pass == first.last_pass.model_copy(update={"at": LATER, "outcome": report.outcome.value})
    assert second.engine == first.engine
    third = of_host(report, now=LATER, previous=second)
    assert third == second


def test_a_host_names_the_trace_of_its_last_pass_and_none_if_that_left_none():
    told = of_host(replace(COMPLETE, trace=Traceparent("a" * 32, "b" * 16)))
    assert written(told)["lastPass"]["traceID"] == "a" * 32
    failing = of_host(replace(FAILED, trace=Traceparent("c" * 32, "d" * 16)), now=LATER, previous=told)
    assert written(failing)["lastPass"]["traceID"] == "c" * 32
    for report in (COMPLETE, FAILED):
        assert written(of_host(report, now=LATER, previous=failing))["lastPass"]["traceID"] == ""


def test_a_host_that_never_answered_counts_nothing():
    last = of_host(FAILED).last_pass
    assert last
    assert (last.at, last.outcome, last.listed, last.written, last.duration_seconds) == (NOON, "failed", 0, 0, 0)


def test_a_host_without_a_pass_in_this_term_keeps_what_the_last_term_told():
    first = of_host(COMPLETE)
    second = of_host(None, now=LATER, previous=first)
    assert (second.last_pass, second.engine) == (first.last_pass, first.engine)
    assert since(second)["Ready"] == LATER
    assert of_host(None).last_pass is None


def test_what_an_engine_says_of_itself_is_cut_to_what_the_crd_takes():
    hostile = EngineIdentity(engine_id="i" * 300, version="\x1b[2J" + "v" * 99, api_version="1\n" * 99)
    engine = of_host(PassReport(host="vps1", outcome=PassOutcome.UNCHANGED, engine=hostile)).engine
    assert engine
    assert (len(engine.id), len(engine.version), len(engine.api_version)) == (255, 64, 16)
    assert (engine.id + engine.version + engine.api_version).isprintable()


@thorough
@given(workload_facts(), st.none() | workload_facts(), moments(), moments(), st.integers(0, 9))
def test_a_workloads_status_built_again_from_the_same_facts_is_the_same_however_late(about, before, now, later, generation):
    previous = before and of_workload(before, now=now)
    first = of_workload(about, now=now, previous=previous, generation=generation)
    assert of_workload(about, now=later, previous=first, generation=generation) == first


@thorough
@given(st.lists(workload_facts(), min_size=1, max_size=4), st.lists(moments(), min_size=4, max_size=4).map(sorted))
def test_times_never_move_back_and_move_with_a_status_and_only_with_it(story, times):
    status: WorkloadStatus | None = None
    for about, now in zip(story, times, strict=False):
        before, status = status, of_workload(about, now=now, previous=status)
        for old, new in zip(before.conditions if before else (), status.conditions, strict=False):
            assert old.last_transition_time <= new.last_transition_time <= now
            moved = new.last_transition_time if old.status == new.status else now.replace(microsecond=0)
            assert new.last_transition_time == moved
            assert old.status != new.status or old.last_transition_time == new.last_transition_time


@quick
@given(st.none() | passes(), st.none() | passes(), moments(), st.booleans())
def test_a_hosts_status_built_again_from_the_same_facts_is_the_same(report, before, now, suspended):
    previous = before and of_host(before, now=now)
    first = of_host(report, now=now, previous=previous, suspended=suspended)
    assert of_host(report, now=now, previous=first, suspended=suspended) == first


def test_t1_an_unknown_workload_tells_since_when():
    unknown = of_workload(facts(*counted(web="unknown"), about=host("HostUnreachable")), now=LATER, previous=of_workload(RUNS))
    assert since(unknown)["Ready"] == LATER
    assert unknown.conditions[0].status == "Unknown"
    assert unknown.containers
    assert unknown.containers.unknown == 1
