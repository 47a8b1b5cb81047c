"""Statuses as they are read back: what of a stored one is believed, which may be anybody's text by then."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import passes, workload_facts
from tests.domain.strategies import quick, thorough
from tests.objects.written_statuses import COMPLETE, DRIFTS, FAILED, LATER, RUNS, of_host, of_workload, since, written
from tinyforge.objects.docker_host import DockerHostStatus
from tinyforge.objects.fields import Part
from tinyforge.objects.statuses import read_docker_host_status, read_workload_status
from tinyforge.objects.workload import WorkloadStatus


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
