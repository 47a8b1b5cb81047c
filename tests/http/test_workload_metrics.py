"""What the metrics say of workloads, and that it is only how many there are."""

from datetime import UTC, datetime
from typing import Literal

from hypothesis import given
from hypothesis import strategies as st

from tests.http.series import series, value
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.http.metrics import Metrics
from tinyforge.objects.conditions import Condition
from tinyforge.objects.workload import WorkloadStatus

Answer = Literal["True", "False", "Unknown"]


def condition(kind: str, status: Answer) -> Condition:
    return Condition(type=kind, status=status, reason="Hostile", message="", lastTransitionTime=datetime(2026, 1, 1, tzinfo=UTC))


def status(ready: Answer | None) -> WorkloadStatus:
    told = (condition("Ready", ready),) if ready else ()
    return WorkloadStatus(conditions=(condition("Stalled", "True"), *told))


SUCCEEDED = DispatchReport(outcome=DispatchOutcome.UNCHANGED)
BROKEN = DispatchReport(outcome=DispatchOutcome.FAILED, reason="Hostile")


def ready(metrics: Metrics) -> list[float | None]:
    return [value(metrics, "workloads", ready=answer) for answer in ("true", "false", "unknown")]


def test_workloads_are_counted_by_whether_they_are_ready(metrics: Metrics) -> None:
    assert ready(metrics) == [0, 0, 0]
    metrics.assessed("default/web", status("True"), SUCCEEDED)
    metrics.assessed("default/mail", status("True"), None)
    metrics.assessed("default/shop", status("Unknown"), None)
    metrics.assessed("default/odd", status(None), None)
    assert ready(metrics) == [2, 0, 2]
    metrics.assessed("default/web", status("False"), SUCCEEDED)
    assert ready(metrics) == [1, 1, 2]


def test_a_workload_fails_until_a_dispatch_of_it_does_not(metrics: Metrics) -> None:
    metrics.assessed("default/web", status("False"), BROKEN)
    metrics.assessed("default/mail", status("False"), BROKEN)
    assert value(metrics, "failing_workloads") == 2
    metrics.assessed("default/web", status("True"), SUCCEEDED)
    assert value(metrics, "failing_workloads") == 1


def test_a_workload_that_is_no_longer_in_force_is_not_counted(metrics: Metrics) -> None:
    for name in ("web", "mail"):
        metrics.assessed(f"default/{name}", status("False"), BROKEN)
    metrics.keep(hosts=[], workloads=["default/mail"])
    assert ready(metrics) == [0, 1, 0]
    assert value(metrics, "failing_workloads") == 1


@given(st.lists(st.tuples(st.text(), st.sampled_from([status("True"), status("False"), status(None)]), st.sampled_from([BROKEN, None]))))
def test_workloads_add_no_series_however_many_there_are_and_whatever_they_are_called(
    turns: list[tuple[str, WorkloadStatus, DispatchReport | None]],
) -> None:
    metrics = Metrics(sources=["external"])
    before = series(metrics)
    for workload, told, dispatch in turns:
        metrics.assessed(workload, told, dispatch)
    assert series(metrics) == before
