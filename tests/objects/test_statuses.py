"""Statuses as they are written: what moves in them, what stays, and what of a stored one is believed."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import DRIFT, counted, facts, host, moments, passes, workload_facts
from tests.domain.strategies import quick, thorough
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.domain.host_status import host_conditions
from tinyforge.domain.hosts import EngineIdentity
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.workload_status import WorkloadFacts, count, refused_conditions, workload_conditions
from tinyforge.objects.docker_host import DockerHostStatus
from tinyforge.objects.fields import Part
from tinyforge.objects.statuses import docker_host_status, read_docker_host_status, read_workload_status, workload_status
from tinyforge.objects.workload import ContainerCounts, WorkloadStatus

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)
RUNS = facts(*counted(web="running", db="running"))
STOPS = facts(*counted(web="running", db="stopped"))
DRIFTS = facts(*counted(web="running", db="running"), dispatch=DRIFT)

COMPLETE = PassReport(
    host="vps1",
    outcome=PassOutcome.CHANGED,
    listed=9,
    matched=7,
    ignored=2,
    written=3,
    missing=1,
    duration_seconds=0.08832,
    engine=EngineIdentity(engine_id="AAAA:BBBB", version="27.3.1", api_version="1.47"),
)
FAILED = PassReport(host="vps1", outcome=PassOutcome.FAILED, reason="Timeout", message="no answer in 20 s")


def of_workload(
    about: WorkloadFacts, *, now: datetime = NOON, previous: WorkloadStatus | None = None, generation: int = 1
) -> WorkloadStatus:
    counts = count(container.state for container in about.containers)
    conditions = workload_conditions(about)
    return workload_status(conditions, counts, dispatch=about.dispatch, generation=generation, now=now, previous=previous)


def of_host(
    report: PassReport | None, *, now: datetime = NOON, previous: DockerHostStatus | None = None, suspended: bool = False
) -> DockerHostStatus:
    conditions = host_conditions(report, suspended=suspended)
    return docker_host_status(conditions, report=report, generation=1, now=now, previous=previous)


def since(status: WorkloadStatus | DockerHostStatus) -> dict[str, datetime]:
    return {condition.type: condition.last_transition_time for condition in status.conditions}


def written(status: Part) -> dict[str, Any]:
    """The status as the API server holds it."""
    document: dict[str, Any] = json.loads(status.model_dump_json(exclude_none=True))
    return document


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
    again = DispatchReport(outcome=DRIFT.outcome, reason=DRIFT.reason, message="something else differs", trace_id="b" * 32)
    assert of_workload(facts(dispatch=again), now=LATER, previous=first).last_dispatch == first.last_dispatch


@pytest.mark.parametrize(
    "other",
    [
        DispatchReport(outcome=DispatchOutcome.FAILED, reason="Timeout", trace_id="b" * 32),
        DispatchReport(outcome=DispatchOutcome.SKIPPED, reason="Drift", trace_id="b" * 32),
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


@thorough
@given(workload_facts())
def test_a_workloads_status_reads_the_same_after_it_was_written(about):
    status = of_workload(about)
    assert read_workload_status(written(status)) == status


@quick
@given(st.none() | passes(), st.booleans())
def test_a_hosts_status_reads_the_same_after_it_was_written(report, suspended):
    status = of_host(report, suspended=suspended)
    assert read_docker_host_status(written(status)) == status


def test_a_status_is_read_from_any_mapping_and_whole_numbers_of_seconds_are_numbers_too():
    class View(Mapping[str, Any]):
        """As kopf shows an object's status."""

        def __init__(self, document: dict[str, Any]) -> None:
            self._document = document

        def __getitem__(self, key: str) -> Any:
            return self._document[key]

        def __iter__(self):
            return iter(self._document)

        def __len__(self) -> int:
            return len(self._document)

    document = written(of_host(COMPLETE))
    document["lastPass"]["durationSeconds"] = 1
    status = read_docker_host_status(View(document))
    assert status
    assert status.last_pass
    assert status.last_pass.duration_seconds == 1.0


def test_an_object_without_a_status_yet_has_none():
    assert read_workload_status(None) is None
    assert read_workload_status({}) == WorkloadStatus()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@quick
@given(JSON)
def test_no_text_of_other_people_is_an_error(document):
    read_workload_status(document)
    read_docker_host_status(document)


def paths(value: Any) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [(), *((key, *rest) for key, inner in entries for rest in paths(inner))]


def edited(document: dict[str, Any], path: tuple[Any, ...], value: Any) -> Any:
    if not path:
        return value
    whole = json.loads(json.dumps(document))
    part = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return whole


SECOND_HAND = json.loads(json.dumps({"host": written(of_host(COMPLETE)), "workload": written(of_workload(DRIFTS))}))
RUBBISH: st.SearchStrategy[object] = st.sampled_from(
    (
        None,
        "",
        "x" * 9999,
        "\0",
        "\x1b[2J",
        "\ud800",
        -1,
        10**30,
        1e400,
        float("nan"),
        True,
        0.5,
        [],
        {},
        [[]],
        "9999-99-99T00:00:00Z",
        "true",
    )
)


@thorough
@given(st.sampled_from(paths(SECOND_HAND["workload"])), RUBBISH | JSON)
def test_of_an_edited_workload_status_nothing_gets_through_that_the_crd_would_refuse(path, value):
    previous = read_workload_status(edited(SECOND_HAND["workload"], path, value))
    if previous:
        assert_storable(written(previous))
    assert_storable(written(of_workload(RUNS, now=LATER, previous=previous)))


@thorough
@given(st.sampled_from(paths(SECOND_HAND["host"])), RUBBISH | JSON)
def test_of_an_edited_host_status_nothing_gets_through_that_the_crd_would_refuse(path, value):
    previous = read_docker_host_status(edited(SECOND_HAND["host"], path, value))
    if previous:
        assert_storable(written(previous))
    for report in (None, FAILED):
        assert_storable(written(of_host(report, now=LATER, previous=previous)))


def assert_storable(document: dict[str, Any]) -> None:
    """Both the API server and PostgreSQL take it: within every maximum, no NUL, no number that JSON cannot hold exactly."""
    model: type[Part] = DockerHostStatus if "lastPass" in document or "engine" in document else WorkloadStatus
    model.model_validate(document)
    text = json.dumps(document, allow_nan=False)
    assert "\\u0000" not in text
    assert all(abs(number) < 2**53 for number in whole_numbers(document))


def whole_numbers(value: Any) -> list[int]:
    if isinstance(value, dict | list):
        return [number for inner in (value.values() if isinstance(value, dict) else value) for number in whole_numbers(inner)]
    return [value] if isinstance(value, int) else []


def test_an_edited_status_is_put_right_and_its_times_begin_anew():
    edited_by_hand = read_workload_status(edited(SECOND_HAND["workload"], ("conditions", 0, "status"), "Maybe"))
    assert edited_by_hand is None
    assert since(of_workload(RUNS, now=LATER, previous=edited_by_hand)) == dict.fromkeys(("Ready", "Reconciling", "Stalled"), LATER)


def test_conditions_of_others_are_not_carried_on():
    document = written(of_workload(RUNS))
    document["conditions"].append({**document["conditions"][0], "type": "Approved"})
    previous = read_workload_status(document)
    assert previous
    assert [condition.type for condition in of_workload(RUNS, previous=previous).conditions] == ["Ready", "Reconciling", "Stalled"]


def test_t1_an_unknown_workload_tells_since_when():
    unknown = of_workload(facts(*counted(web="unknown"), about=host("HostUnreachable")), now=LATER, previous=of_workload(RUNS))
    assert since(unknown)["Ready"] == LATER
    assert unknown.conditions[0].status == "Unknown"
    assert unknown.containers
    assert unknown.containers.unknown == 1
