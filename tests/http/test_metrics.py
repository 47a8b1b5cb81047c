"""What the metrics say of dispatches and of the process, which traces they lead to, and that their labels stay few."""

from importlib.metadata import version

from hypothesis import given
from hypothesis import strategies as st

from tests.http.series import COMPLETE, labels, report, value
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.domain.traces import Traceparent
from tinyforge.http.metrics import Metrics

OUTCOMES = st.sampled_from(DispatchOutcome)


TRACE = Traceparent("a" * 32, "b" * 16)


def exemplars(metrics: Metrics) -> dict[tuple[str, str], dict[str, str]]:
    """The labels of each bucket that has an exemplar, by the bucket."""
    samples = (it for family in metrics.registry.collect() for it in family.samples)
    return {(it.name, it.labels["le"]): dict(it.exemplar.labels) for it in samples if it.exemplar}


def test_a_pass_that_left_a_trace_is_the_exemplar_of_its_duration(metrics: Metrics) -> None:
    metrics.passed("shop", report(duration_seconds=0.2, trace=TRACE))
    assert exemplars(metrics) == {("tinyforge_pass_duration_seconds_bucket", "0.25"): {"trace_id": "a" * 32}}


def test_a_dispatch_that_left_a_trace_is_the_exemplar_of_its_duration(metrics: Metrics) -> None:
    metrics.dispatched("image", DispatchReport(outcome=DispatchOutcome.CHANGED, trace=TRACE), 3.0)
    assert exemplars(metrics) == {("tinyforge_dispatch_duration_seconds_bucket", "5.0"): {"trace_id": "a" * 32}}


def test_what_left_no_trace_is_no_exemplar(metrics: Metrics) -> None:
    metrics.passed("shop", COMPLETE)
    metrics.dispatched("image", DispatchReport(outcome=DispatchOutcome.CHANGED), 3.0)
    assert not exemplars(metrics)


def test_a_dispatch_counts_under_its_source_and_outcome(metrics: Metrics) -> None:
    metrics.dispatched("image", DispatchReport(outcome=DispatchOutcome.FAILED, reason="PullFailed"), 3.0)
    assert value(metrics, "dispatch_duration_seconds_count", source="image", outcome="failed") == 1
    assert value(metrics, "dispatch_duration_seconds_bucket", source="image", outcome="failed", le="2.5") == 0
    assert value(metrics, "dispatch_duration_seconds_bucket", source="image", outcome="failed", le="5.0") == 1


@given(st.lists(st.tuples(st.text(), OUTCOMES)))
def test_whatever_workloads_name_as_their_source_there_is_one_label_for_what_is_not_installed(
    dispatches: list[tuple[str, DispatchOutcome]],
) -> None:
    metrics = Metrics(sources=["external"])
    for source, outcome in dispatches:
        metrics.dispatched(source, DispatchReport(outcome=outcome, reason=source), 0.1)
    assert labels(metrics, "source") <= {"external", "other"}


def test_what_runs_is_shown_with_its_version_its_memory_and_its_files(metrics: Metrics) -> None:
    assert value(metrics, "build_info", version=version("tinyforge")) == 1
    assert metrics.registry.get_sample_value("process_resident_memory_bytes", {})
    assert metrics.registry.get_sample_value("process_open_fds", {})
    assert labels(metrics, "implementation") == {"CPython"}


def test_two_processes_in_one_share_no_numbers() -> None:
    one, other = Metrics(sources=[]), Metrics(sources=[])
    one.passed("shop", COMPLETE)
    assert value(other, "pass_duration_seconds_count") == 0
