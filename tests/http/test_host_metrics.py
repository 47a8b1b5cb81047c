"""What the metrics say of hosts and passes, and that their labels stay few."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.http.series import COMPLETE, FAILED, NOW, labels, report, series, value
from tinyforge.domain.passes import PassOutcome, PassReason, PassReport
from tinyforge.http.metrics import Metrics
from tinyforge.ports import EngineReason


def test_a_complete_pass_says_what_it_found_when_and_how_long_it_took(metrics: Metrics) -> None:
    metrics.passed("shop", COMPLETE)
    found = {
        result: value(metrics, "pass_containers", host="shop", result=result) for result in ("matched", "ignored", "written", "missing")
    }
    assert found == {"matched": 5, "ignored": 2, "written": 3, "missing": 1}
    assert value(metrics, "host_last_complete_pass_timestamp_seconds", host="shop") == NOW - 0.25
    assert value(metrics, "pass_duration_seconds_count") == 1
    assert value(metrics, "pass_duration_seconds_sum") == 0.25


def test_rows_that_a_pass_of_the_timer_changed_are_counted_and_those_of_other_passes_are_not(metrics: Metrics) -> None:
    assert value(metrics, "changes_found_total", by="timer") == 0
    for reason in PassReason:
        metrics.passed("shop", report(written=3, asked_by=reason))
    assert value(metrics, "changes_found_total", by="timer") == 3
    assert labels(metrics, "by") == {"timer"}


def test_a_pass_that_changes_nothing_is_a_complete_one(metrics: Metrics) -> None:
    metrics.passed("shop", report(PassOutcome.UNCHANGED, listed=7, matched=7))
    assert value(metrics, "pass_containers", host="shop", result="matched") == 7
    assert value(metrics, "host_last_complete_pass_timestamp_seconds", host="shop") == NOW


def test_a_failed_pass_counts_under_its_reason_and_leaves_what_is_known(metrics: Metrics) -> None:
    metrics.passed("shop", COMPLETE)
    metrics.passed("shop", FAILED)
    metrics.passed("shop", FAILED)
    assert value(metrics, "pass_failures_total", host="shop", reason="Timeout") == 2
    assert value(metrics, "pass_containers", host="shop", result="matched") == 5
    assert value(metrics, "host_last_complete_pass_timestamp_seconds", host="shop") == NOW - 0.25
    assert value(metrics, "pass_duration_seconds_count") == 1


SKIPPED = report(PassOutcome.SKIPPED, reason="HostSuspended")


def test_a_skipped_pass_says_that_the_host_is_suspended_and_nothing_else(metrics: Metrics) -> None:
    before = series(metrics)
    metrics.passed("shop", SKIPPED)
    assert series(metrics) == before | {("tinyforge_host_state", "shop", "suspended")}


@pytest.mark.parametrize(
    ("passes", "state"),
    [
        ([COMPLETE], "reachable"),
        ([COMPLETE, FAILED], "unreachable"),
        ([COMPLETE, FAILED, COMPLETE], "reachable"),
        ([COMPLETE, SKIPPED], "suspended"),
        ([FAILED, report(PassOutcome.FAILED, reason="EngineChanged")], "engine_changed"),
    ],
)
def test_a_host_is_in_the_one_state_that_its_last_pass_left_it_in(passes: list[PassReport], state: str, metrics: Metrics) -> None:
    metrics.passed("mail", COMPLETE)
    for each in passes:
        metrics.passed("shop", each)
    shown = {name for name in series(metrics) if name[0] == "tinyforge_host_state"}
    assert shown == {("tinyforge_host_state", "mail", "reachable"), ("tinyforge_host_state", "shop", state)}
    assert value(metrics, "host_state", host="shop", state=state) == 1


def test_a_host_that_was_taken_out_and_declared_again_shows_its_state_again(metrics: Metrics) -> None:
    metrics.passed("shop", COMPLETE)
    metrics.keep(hosts=[], workloads=[])
    metrics.passed("shop", COMPLETE)
    assert value(metrics, "host_state", host="shop", state="reachable") == 1


@given(st.lists(st.text()))
def test_whatever_a_pass_gives_as_its_reason_there_is_one_label_for_what_no_engine_says(reasons: list[str]) -> None:
    metrics = Metrics(sources=[])
    for reason in [*reasons, *EngineReason, "EngineChanged"]:
        metrics.passed("shop", report(PassOutcome.FAILED, reason=reason))
    assert labels(metrics, "reason") <= {*EngineReason, "EngineChanged", "other"}
    unknown = [reason for reason in reasons if reason not in {*EngineReason, "EngineChanged"}]
    assert value(metrics, "pass_failures_total", host="shop", reason="other") == (len(unknown) or None)


@dataclass
class Clock:
    now: float = 50.0

    def __call__(self) -> float:
        return self.now


def staleness(*passes: tuple[float, PassReport]) -> tuple[float | None, float | None]:
    """Let passes end, each so many seconds after the one before; return how often an age was taken, and the sum of the ages."""
    clock = Clock()
    metrics = Metrics(sources=[], clock=clock)
    for seconds, each in passes:
        clock.now += seconds
        metrics.passed("shop", each)
    return value(metrics, "staleness_seconds_count"), value(metrics, "staleness_seconds_sum")


def test_staleness_is_how_old_a_hosts_word_was_when_its_next_pass_ended() -> None:
    assert staleness((0, COMPLETE)) == (0, 0)
    assert staleness((0, COMPLETE), (30, COMPLETE)) == (1, 30.25)  # COMPLETE took 0.25 s, and speaks of when it began
    assert staleness((0, COMPLETE), (30, COMPLETE), (30, COMPLETE)) == (2, 60.5)


def test_staleness_grows_while_passes_fail_and_ends_with_the_next_complete_one() -> None:
    assert staleness((0, FAILED), (30, FAILED)) == (0, 0)
    assert staleness((0, COMPLETE), (30, FAILED), (30, FAILED)) == (2, 30.25 + 60.25)
    assert staleness((0, COMPLETE), (30, FAILED), (30, COMPLETE), (30, COMPLETE)) == (3, 30.25 + 60.25 + 30.25)


def test_nobody_minds_how_stale_a_suspended_host_is() -> None:
    assert staleness((0, COMPLETE), (30, SKIPPED), (3600, COMPLETE), (30, COMPLETE)) == (1, 30.25)


def test_hosts_grow_stale_each_for_itself_and_those_that_are_gone_not_at_all() -> None:
    clock = Clock()
    metrics = Metrics(sources=[], clock=clock)
    metrics.passed("shop", COMPLETE)
    metrics.passed("mail", COMPLETE)
    clock.now += 30
    metrics.keep(hosts=["mail"], workloads=[])
    metrics.passed("shop", COMPLETE)
    assert value(metrics, "staleness_seconds_count") == 0
    metrics.passed("mail", COMPLETE)
    assert value(metrics, "staleness_seconds_count") == 1


def test_a_host_that_is_no_longer_declared_leaves_no_series(metrics: Metrics) -> None:
    before = series(metrics)
    for host in ("shop", "mail"):
        metrics.passed(host, COMPLETE)
        metrics.passed(host, FAILED)
    metrics.keep(hosts=["mail"], workloads=[])
    assert not {each for each in series(metrics) if "shop" in each}
    assert value(metrics, "pass_failures_total", host="mail", reason="Timeout") == 1
    metrics.keep(hosts=[], workloads=[])
    assert series(metrics) == before


def test_a_host_that_is_declared_again_starts_at_zero(metrics: Metrics) -> None:
    metrics.passed("shop", FAILED)
    metrics.keep(hosts=[], workloads=[])
    metrics.passed("shop", FAILED)
    assert value(metrics, "pass_failures_total", host="shop", reason="Timeout") == 1
