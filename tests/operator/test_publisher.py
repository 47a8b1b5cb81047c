"""What a term finds out becomes a status of the object that it is about, or of none, and an Event where it is news."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from tests.operator.told_objects import Known, Raw, told_host, told_workload
from tinyforge.cluster import Event, ObjectRef
from tinyforge.domain.conditions import Condition, ConditionStatus
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Refusal, RefusalReason
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.objects.statuses import workload_status
from tinyforge.objects.workload import WorkloadStatus
from tinyforge.operator.event_poster import EventPoster
from tinyforge.operator.publisher import Publisher
from tinyforge.operator.status_writer import StatusWriter
from tinyforge.reconcile.declarations import InForce

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
WEB = "default/web"
COMPLETE = PassReport(host="local", outcome=PassOutcome.UNCHANGED, listed=3)
FAILED = PassReport(host="local", outcome=PassOutcome.FAILED, reason="Timeout", message="no whole answer within 1 s")


class Published:
    """A publisher, and what it put where."""

    def __init__(self) -> None:
        self.known = Known()
        self.statuses: list[tuple[str, str, int]] = []
        self.events: list[str] = []
        self.publisher = Publisher(
            objects=self.known.objects, writer=cast("StatusWriter", Statuses(self)), events=cast("EventPoster", Events(self))
        )

    def sees(self, *objects: Raw) -> None:
        """Let objects be there."""
        for raw in objects:
            self.known.objects.seen(raw)

    def apply(self, *refusals: Refusal, opened: Mapping[str, Host] | None = None) -> None:
        """Let declarations be applied."""
        hosts, none = opened or {}, frozenset[str]()
        state = InForce(hosts=hosts, workloads={}, declared=none, refusals=refusals, opened=frozenset(hosts), touched=none)
        self.publisher.in_force(state)


class Statuses:
    """Takes statuses for the writer: each as its object, the reason of Ready, and the generation."""

    def __init__(self, published: Published) -> None:
        self._published = published

    def put(self, ref: ObjectRef, status: Mapping[str, Any]) -> None:
        self._published.statuses.append((ref.name, status["conditions"][0]["reason"], status["observedGeneration"]))


class Events:
    """Takes events for the poster."""

    def __init__(self, published: Published) -> None:
        self._published = published

    def put(self, ref: ObjectRef, event: Event) -> None:
        self._published.events.append(f"{ref.name} {event.type} {event.reason}")


@pytest.fixture
def published() -> Published:
    return Published()


def host(generation: int = 1, **more: Any) -> Host:
    return Host(name="local", endpoint="unix:///var/run/docker.sock", generation=generation, **more)


def status(reason: str = "Running", *, generation: int = 1, ready: ConditionStatus = ConditionStatus.TRUE) -> WorkloadStatus:
    condition = Condition(type="Ready", status=ready, reason=reason, message="as it is")
    return workload_status([condition], None, dispatch=None, generation=generation, now=NOON, previous=None)


def refusal(reason: RefusalReason = RefusalReason.HOST_NOT_FOUND) -> Refusal:
    return Refusal(workload_id=WEB, origin="", reason=reason, field="spec.host", message="no such host")


def test_a_pass_by_an_older_spec_says_nothing_of_the_object_as_it_is_written_now(published: Published):
    published.sees(told_host(5, generation=2))
    published.publisher.passed(host(generation=1), COMPLETE)
    assert published.statuses == []
    published.publisher.passed(host(generation=2), COMPLETE)
    assert published.statuses == [("local", "PassComplete", 2)]


def test_a_turn_by_an_older_spec_says_nothing_either_unless_the_workload_is_being_deleted(published: Published):
    published.sees(told_workload(5, generation=2))
    published.publisher.assessed(WEB, status(generation=1), None)
    assert published.statuses == []
    published.sees(told_workload(6, generation=3, deleted=True))
    published.publisher.assessed(WEB, status("HostUnreachable", generation=1), None)
    assert published.statuses == [("web", "HostUnreachable", 1)]


def test_nothing_is_said_of_what_is_not_there(published: Published):
    published.publisher.passed(host(), COMPLETE)
    published.publisher.assessed(WEB, status(), None)
    published.apply(refusal())
    assert published.statuses == []


def test_what_the_index_says_of_a_refused_workload_is_not_said_until_it_is_accepted(published: Published):
    published.sees(told_workload(5, generation=1))
    published.apply(refusal())
    published.publisher.assessed(WEB, status("HostRemoved"), None)
    assert published.statuses == [("web", "HostNotFound", 1)]
    published.apply()
    published.publisher.assessed(WEB, status(), None)
    assert published.statuses[1:] == [("web", "Running", 1)]


def test_an_object_that_cannot_be_used_says_that_and_nothing_that_is_found_by_its_old_spec(published: Published):
    bad_host, bad_workload = told_host(6, generation=2), told_workload(7, generation=2)
    bad_host["spec"] = {"endpoint": "pigeon://"}
    bad_workload["spec"] = {"kind": "boat"}
    published.sees(bad_host, bad_workload)
    published.apply()
    published.publisher.passed(host(generation=2), COMPLETE)
    published.publisher.assessed(WEB, status(generation=2), None)
    assert published.statuses == [("local", "InvalidSpec", 2), ("web", "InvalidSpec", 2)]


def test_a_host_of_which_nothing_is_known_says_so_at_first_sight_and_keeps_what_an_earlier_leader_said(published: Published):
    published.sees(told_host(5))
    published.apply(opened={"local": host()})
    assert published.statuses == [("local", "NeverSeen", 1)]
    published.publisher.passed(host(), COMPLETE)
    published.apply(opened={"local": host()})
    assert published.statuses[1:] == [("local", "PassComplete", 1)]
    another = Published()
    said = {"conditions": [status().conditions[0].model_dump(mode="json")], "observedGeneration": 1}
    another.sees({**told_host(5), "status": said})
    another.apply(opened={"local": host()})
    assert another.statuses == []


def test_an_event_is_told_when_the_outcome_is_another_one_and_not_when_only_its_words_are(published: Published):
    published.sees(told_host(5), told_workload(6, generation=1))
    published.apply(opened={"local": host()})
    for report in (COMPLETE, COMPLETE, FAILED, FAILED, COMPLETE):
        published.publisher.passed(host(), report)
    assert published.events == ["local Normal PassComplete", "local Warning Timeout", "local Normal PassComplete"]


def test_an_event_is_not_told_again_by_the_next_leader_nor_of_what_nobody_knows_yet(published: Published):
    said = status("NotRunning", ready=ConditionStatus.FALSE).model_dump(mode="json")
    published.sees({**told_workload(6, generation=1), "status": said})
    published.publisher.assessed(WEB, status("NotRunning", ready=ConditionStatus.FALSE), None)
    published.sees(told_workload(7, "new", generation=1))
    published.publisher.assessed("default/new", status("NeverSeen", ready=ConditionStatus.UNKNOWN), None)
    assert published.events == []
    published.publisher.assessed(WEB, status("HostUnreachable", ready=ConditionStatus.UNKNOWN), None)
    assert published.events == ["web Warning HostUnreachable"]


def test_a_successor_of_the_same_name_begins_anew(published: Published):
    published.sees(told_workload(6, uid="old", generation=1))
    published.publisher.assessed(WEB, status(), None)
    published.publisher.forget(published.known.objects.find(WEB).state.ref)  # type: ignore[union-attr]  # it is there
    published.sees(told_workload(7, uid="new", generation=1))
    published.publisher.assessed(WEB, status(), None)
    assert published.events == ["web Normal Running"] * 2
