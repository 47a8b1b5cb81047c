"""What a workload's conditions say: Ready, Reconciling and Stalled (rules T1, D1, D2)."""

import re
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import (
    BAD_CONFIG,
    DRIFT,
    REASON,
    SEEN,
    by_type,
    counted,
    dispatches,
    facts,
    host,
    texts,
    workload_facts,
)
from tests.domain.strategies import quick, thorough
from tinyforge.domain.conditions import Condition, ConditionStatus
from tinyforge.domain.dispatch import DispatchOutcome, DispatchReport
from tinyforge.domain.host_status import WhyUnknown
from tinyforge.domain.mirror import RefusalReason
from tinyforge.domain.workload_status import CountedContainer, WorkloadFacts, dispatch_reason, refused_conditions, workload_conditions

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


def ready(about: WorkloadFacts) -> Condition:
    condition, _, _ = workload_conditions(about)
    return condition


def test_a_workload_is_ready_when_its_containers_run() -> None:
    conditions = workload_conditions(facts(*counted(web="running", db="running")))
    assert by_type(conditions) == {"Ready": (TRUE, "Running"), "Reconciling": (FALSE, "Idle"), "Stalled": (FALSE, "NotStalled")}
    assert conditions[0].message == "2/2 running"


def test_a_workload_without_containers_is_not_ready_and_says_how_to_find_out_why() -> None:
    condition = ready(facts())
    assert (condition.status, condition.reason) == (FALSE, "NoContainers")
    assert 'no container of host "vps1"' in condition.message
    assert "tinyforge explain" in condition.message


def test_what_does_not_run_is_named_by_its_state() -> None:
    condition = ready(facts(*counted(web="running", worker="missing", mail="stopped", db="stopped", cron="created")))
    assert (condition.status, condition.reason) == (FALSE, "NotRunning")
    assert condition.message == "1/5 running; created: cron; missing: worker; stopped: db, mail"


def test_containers_of_one_role_are_named_by_their_rows() -> None:
    rows = (
        CountedContainer(row=f"shop/web:app{suffix}", role="app", state=state) for suffix, state in (("", "running"), (":2", "stopped"))
    )
    assert ready(facts(*rows)).message == "1/2 running; stopped: shop/web:app:2"


def test_a_container_without_a_role_is_named_by_its_row() -> None:
    assert ready(facts(CountedContainer(row="blog:site", role="", state="paused"))).message == "0/1 running; paused: blog:site"


def test_eight_containers_are_named_and_the_rest_is_counted() -> None:
    many = {f"r{number:02}": "stopped" for number in range(15)}
    assert ready(facts(*counted(**many))).message == "0/15 running; stopped: r00, r01, r02, r03, r04, r05, r06, r07; and 7 more"
    eight = {f"r{number}": "stopped" for number in range(8)}
    assert ready(facts(*counted(**eight))).message.endswith("r6, r7")


def test_a_state_that_docker_does_not_name_is_told_all_the_same() -> None:
    assert ready(facts(*counted(web=""))).message == "0/1 running; in no state: web"


@quick
@given(st.permutations(counted(web="running", db="stopped", app="missing", cron="stopped")))
def test_the_order_of_the_containers_makes_no_difference(containers: list[CountedContainer]) -> None:
    assert ready(facts(*containers)).message == "1/4 running; missing: app; stopped: cron, db"


@pytest.mark.parametrize("why", WhyUnknown)
def test_t1_while_nobody_can_vouch_for_its_host_a_workload_is_unknown_for_the_hosts_reason(why: WhyUnknown) -> None:
    condition = ready(facts(*counted(web="unknown"), about=host(why)))
    assert (condition.status, condition.reason) == (UNKNOWN, why)


def test_t1_unknown_says_which_host_and_why_and_since_when() -> None:
    unreachable = host("HostUnreachable", "no connection to the engine: Connection refused")
    assert ready(facts(about=unreachable)).message == (
        'host "vps1" does not answer (last complete pass: 2026-11-24 08:12:03 UTC): no connection to the engine: Connection refused'
    )
    assert ready(facts(about=host("NeverSeen", as_of=None))).message == 'host "vps1" was never seen (last complete pass: none yet)'


def test_t1_the_time_since_when_nothing_is_known_is_told_in_utc_and_never_cut_off() -> None:
    elsewhere: datetime = SEEN.astimezone(timezone(timedelta(hours=5, minutes=30)))
    message = ready(facts(about=host("Stale", "x" * 5000, elsewhere))).message
    assert "2026-11-24 08:12:03 UTC" in message
    assert len(message) == 1024


def test_t1_a_word_of_a_newer_index_is_passed_on() -> None:
    condition = ready(facts(about=host("HostPaused")))
    assert (condition.status, condition.reason) == (UNKNOWN, "HostPaused")
    assert condition.message.startswith('host "vps1" cannot be vouched for')


def test_d1_a_failed_dispatch_makes_a_running_workload_not_ready_and_it_is_tried_again() -> None:
    conditions = workload_conditions(facts(*counted(web="running"), dispatch=DRIFT))
    assert by_type(conditions) == {"Ready": (FALSE, "Drift"), "Reconciling": (TRUE, "Retrying"), "Stalled": (FALSE, "NotStalled")}
    assert conditions[0].message == DRIFT.message
    assert DRIFT.message in conditions[1].message


def test_d2_a_dispatch_that_only_a_change_can_help_stalls_the_workload() -> None:
    conditions = workload_conditions(facts(*counted(web="running"), dispatch=BAD_CONFIG))
    assert by_type(conditions) == {
        "Ready": (FALSE, "InvalidConfig"),
        "Reconciling": (FALSE, "Idle"),
        "Stalled": (TRUE, "InvalidConfig"),
    }
    assert conditions[0].message == conditions[2].message == BAD_CONFIG.message


def test_a_stalled_workload_on_an_unknown_host_still_says_what_stalls_it() -> None:
    conditions = workload_conditions(facts(about=host("HostUnreachable"), dispatch=BAD_CONFIG))
    assert by_type(conditions) == {
        "Ready": (UNKNOWN, "HostUnreachable"),
        "Reconciling": (FALSE, "Idle"),
        "Stalled": (TRUE, "InvalidConfig"),
    }


@pytest.mark.parametrize("outcome", [DispatchOutcome.UNCHANGED, DispatchOutcome.CHANGED, DispatchOutcome.SKIPPED])
def test_a_dispatch_that_did_not_fail_hinders_nothing(outcome: DispatchOutcome) -> None:
    dispatch = DispatchReport(outcome=outcome, reason="ExternallyManaged", message="somebody else deploys it")
    containers = counted(web="running")
    assert workload_conditions(facts(*containers, dispatch=dispatch)) == workload_conditions(facts(*containers))


@pytest.mark.parametrize("dispatch", [None, DRIFT, BAD_CONFIG])
def test_a_suspended_workload_is_judged_by_its_containers_alone(dispatch: DispatchReport | None) -> None:
    suspended = by_type(workload_conditions(facts(*counted(web="running"), suspended=True, dispatch=dispatch)))
    assert suspended == {"Ready": (TRUE, "Running"), "Reconciling": (FALSE, "Suspended"), "Stalled": (FALSE, "NotStalled")}
    assert ready(facts(*counted(web="stopped"), suspended=True, dispatch=dispatch)).reason == "NotRunning"


@pytest.mark.parametrize(
    ("reason", "shown"), [("", "DispatchFailed"), ("\x1b[0m", "m"), ("?!", "DispatchFailed"), ("disk full", "diskfull")]
)
def test_a_plugins_reason_is_made_one_word_or_replaced(reason: str, shown: str) -> None:
    failed = DispatchReport(outcome=DispatchOutcome.FAILED, reason=reason)
    assert ready(facts(*counted(web="running"), dispatch=failed)).reason == shown == dispatch_reason(failed)


@pytest.mark.parametrize("outcome", [DispatchOutcome.UNCHANGED, DispatchOutcome.CHANGED, DispatchOutcome.SKIPPED])
def test_a_dispatch_that_did_not_fail_needs_no_reason(outcome: DispatchOutcome) -> None:
    assert dispatch_reason(DispatchReport(outcome=outcome, reason="?!")) == ""
    assert dispatch_reason(DispatchReport(outcome=outcome, reason="ExternallyManaged")) == "ExternallyManaged"


def test_a_failure_without_a_message_is_still_a_sentence() -> None:
    assert ready(facts(dispatch=DispatchReport(outcome=DispatchOutcome.FAILED))).message == "the last dispatch failed"


@pytest.mark.parametrize("reason", [*RefusalReason, "InvalidSpec"])
def test_a_refused_workload_is_stalled_for_the_reason_it_is_refused_for(reason: str) -> None:
    conditions = refused_conditions(reason, "spec.host", 'no DockerHost "vps9" is declared')
    assert by_type(conditions) == {"Ready": (FALSE, reason), "Reconciling": (FALSE, "Idle"), "Stalled": (TRUE, reason)}
    assert conditions[0].message == conditions[2].message == 'spec.host: no DockerHost "vps9" is declared'


def test_a_refusal_that_no_single_field_is_at_fault_for_names_none() -> None:
    assert refused_conditions("InvalidSpec", "", "the object is no map")[0].message == "the object is no map"


@thorough
@given(workload_facts())
def test_every_condition_is_there_once_and_one_that_kubernetes_takes(about: WorkloadFacts) -> None:
    assert_wellformed(workload_conditions(about))


@quick
@given(texts(), texts(), texts())
def test_every_refusal_is_one_that_kubernetes_takes(reason: str, field: str, message: str) -> None:
    assert_wellformed(refused_conditions(reason, field, message))


def assert_wellformed(conditions: tuple[Condition, ...]) -> None:
    assert [condition.type for condition in conditions] == ["Ready", "Reconciling", "Stalled"]
    for condition in conditions:
        assert re.fullmatch(REASON, condition.reason)
        assert len(condition.reason) <= 128
        assert len(condition.message) <= 1024
        assert condition.message.isprintable()


@thorough
@given(workload_facts())
def test_ready_means_that_there_are_containers_and_that_all_of_them_run(about: WorkloadFacts) -> None:
    all_run = bool(about.containers) and all(container.state == "running" for container in about.containers)
    hindered = about.dispatch is not None and about.dispatch.failed and not about.suspended
    assert (ready(about).status is TRUE) == (all_run and not hindered and not about.host.why_unknown)


@quick
@given(workload_facts())
def test_t1_unknown_means_that_nobody_can_vouch_for_the_host_and_nothing_else(about: WorkloadFacts) -> None:
    assert (ready(about).status is UNKNOWN) == (about.host.why_unknown != "")


@thorough
@given(workload_facts(), dispatches())
def test_a_failed_dispatch_is_either_tried_again_or_stalls_the_workload(about: WorkloadFacts, dispatch: DispatchReport) -> None:
    _, reconciling, stalled = workload_conditions(replace(about, dispatch=dispatch, suspended=False))
    assert UNKNOWN not in (reconciling.status, stalled.status)
    assert (reconciling.status is TRUE) == (dispatch.failed and dispatch.retry_after is not None)
    assert (stalled.status is TRUE) == (dispatch.failed and dispatch.retry_after is None)
