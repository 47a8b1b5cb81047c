"""When something is due for one object: by the time that is told, without any server."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tests.operator.statuses.objects import condition, status
from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectKind, ObjectRef, ObjectState
from tinyforge.operator.patience import LONGEST, SHORTEST, delay_after
from tinyforge.operator.status_record import LOOK_SECONDS, StatusRecord, is_newer

REF = ObjectRef(kind=ObjectKind.WORKLOAD, namespace="default", name="web", uid="1")
LOST = ClusterUnavailable("the API server did not answer in time", maybe_done=True)
AWAY = ClusterUnavailable("no connection to the API server")


def seen(version: int, shown: dict[str, Any] | None = None) -> ObjectState:
    return ObjectState(ref=REF, resource_version=str(version), status=shown or {})


@pytest.fixture
def record() -> StatusRecord:
    """A record of an object that was seen, and whose status is to be written."""
    record = StatusRecord(REF, now=0.0)
    record.saw(seen(7))
    record.want(status())
    return record


def write(record: StatusRecord, now: float, version: int, shown: dict[str, Any] | None = None) -> None:
    assert record.wanted is not None
    record.wrote(seen(version, shown or dict(record.wanted)), record.wanted, now=now, chance=0.0)


def test_what_nobody_has_asked_for_is_not_due():
    record = StatusRecord(REF, now=0.0)
    record.saw(seen(7))
    assert record.due_at() is None


def test_what_nobody_has_seen_is_looked_at_after_a_while():
    record = StatusRecord(REF, now=100.0)
    record.want(status())
    assert (record.is_current, record.due_at()) == (False, 100.0 + LOOK_SECONDS)


def test_what_was_seen_and_differs_is_due_at_once(record: StatusRecord):
    assert (record.is_current, record.due_at()) == (True, 0.0)


def test_what_was_written_is_not_due(record: StatusRecord):
    write(record, 1.0, 8)
    assert record.due_at() is None


def test_a_value_that_the_server_keeps_in_another_form_is_not_written_for_ever(record: StatusRecord):
    write(record, 1.0, 8, status("all  run"))
    assert record.due_at() is None
    record.saw(seen(9, status("edited")))
    assert record.due_at() is not None


def test_a_conflict_waits_for_a_sighting_and_then_for_nothing(record: StatusRecord):
    record.moved("7", now=1.0, chance=0.0)
    assert (record.is_current, record.due_at()) == (False, 1.0 + LOOK_SECONDS)
    record.saw(seen(7))
    assert not record.is_current
    record.saw(seen(8))
    assert (record.is_current, record.due_at()) == (True, 0.0)


def test_a_conflict_that_a_sighting_has_explained_already_waits_for_nothing(record: StatusRecord):
    record.saw(seen(8))
    record.moved("7", now=1.0, chance=0.0)
    assert (record.is_current, record.due_at()) == (True, 0.0)


def test_conflicts_that_no_watch_explains_are_looked_at_more_and_more_seldom(record: StatusRecord):
    waits = []
    for _ in range(10):
        record.moved("7", now=0.0, chance=1.0)
        waits.append(record.due_at() or 0.0)
        record.read(seen(7))
    assert waits[0] == LOOK_SECONDS
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST


def test_fault_28_a_write_that_may_have_been_done_is_looked_at_first(record: StatusRecord):
    record.failed(LOST, "7", answers=0, now=1.0, chance=0.0)
    assert (record.is_current, record.due_at()) == (False, 1.5)


def test_fault_28_a_write_that_cannot_have_been_done_is_tried_again(record: StatusRecord):
    record.failed(AWAY, "7", answers=0, now=1.0, chance=0.0)
    assert (record.is_current, record.due_at()) == (True, 1.5)


@given(st.lists(st.integers(0, 2), max_size=30), st.floats(0, 1))
@quick
def test_fault_28_only_failures_between_answers_to_others_are_an_objects_own(answered_before: list[int], chance: float):
    record = StatusRecord(REF, now=0.0)
    record.saw(seen(7))
    record.want(status())
    now, answers, own = 0.0, 0, 1
    record.failed(AWAY, "7", answers=answers, now=now, chance=chance)
    for answered in answered_before:
        now, answers, own = record.due_at() or 0.0, answers + answered, own + bool(answered)
        record.failed(AWAY, "7", answers=answers, now=now, chance=chance)
    assert record.due_at() == now + delay_after(own, chance=chance)


def test_fault_28_what_failed_for_an_hour_since_nobody_was_answered_is_due_within_a_second(record: StatusRecord):
    for now in range(3600):
        record.failed(AWAY, "7", answers=5, now=float(now), chance=1.0)
    assert record.due_at() == 3600.0


def test_fault_30_what_the_server_asks_for_is_waited_for(record: StatusRecord):
    record.failed(ClusterUnavailable("busy", status=429, retry_after=30.0), "7", answers=0, now=1.0, chance=0.0)
    assert record.due_at() == 31.0


@pytest.mark.parametrize("status_code", [401, 403])
def test_fault_28_a_missing_permission_is_asked_for_soon_and_then_more_and_more_seldom(record: StatusRecord, status_code: int):
    now, waits = 1.0, []
    for _ in range(10):
        record.refused(ClusterRefused(status_code, "no"), now=now, chance=1.0)
        due_at = record.due_at()
        assert due_at is not None
        waits.append(due_at - now)
        now = due_at
    assert waits[0] == 2 * SHORTEST
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST


@pytest.mark.parametrize("status_code", [400, 403, 422])
def test_what_is_refused_is_tried_at_once_when_it_changes(record: StatusRecord, status_code: int):
    for _ in range(5):
        record.refused(ClusterRefused(status_code, "no"), now=1.0, chance=1.0)
    record.want(status("better"))
    assert record.due_at() == 0.0


def test_a_refused_value_is_tried_again_after_the_longest_wait_or_when_it_changes(record: StatusRecord):
    record.refused(ClusterRefused(422, "too long"), now=1.0, chance=1.0)
    record.want(status())
    record.saw(seen(8))
    assert record.due_at() == 1.0 + LONGEST
    record.want(status("better"))
    assert record.due_at() == 0.0


def test_the_first_edit_is_healed_at_once_and_later_ones_more_and_more_seldom(record: StatusRecord):
    now, waits = 1.0, []
    for version in range(8, 48, 2):
        write(record, now, version)
        record.saw(seen(version + 1, status("edited")))
        due_at = record.due_at()
        assert due_at is not None
        waits.append(due_at - now)
        now = due_at
    assert waits[0] == 0.0
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST / 2


def test_after_a_quiet_time_an_edit_is_healed_at_once_again(record: StatusRecord):
    for version in (8, 10, 12):
        write(record, 1.0, version)
        record.saw(seen(version + 1, status("edited")))
    write(record, 100.0, 14)
    record.saw(seen(15, status("edited")))
    assert record.due_at() == 100.0


def test_what_others_say_is_no_reason_to_write_once_it_is_known_to_be_theirs(record: StatusRecord):
    shared = {**status(), "conditions": [condition(), condition("Theirs")]}
    write(record, 1.0, 8, shared)
    assert record.due_at() is None
    record.want(status("new"))
    assert record.due_at() == 1.0


@given(st.integers(0), st.integers(0))
@quick
def test_versions_are_numbers(one: int, other: int):
    assert is_newer(str(one), str(other)) == (one > other)


@given(st.text(), st.text())
@quick
def test_versions_that_are_no_numbers_are_told_apart(one: str, other: str):
    assert not is_newer(one, one)
    assert is_newer(one, other) or is_newer(other, one) or one == other or int(one) == int(other)
