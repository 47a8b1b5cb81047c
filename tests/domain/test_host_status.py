"""What a host's conditions say: Ready and Reachable (rules P4, T1)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.domain.status_facts import REASON, by_type, passes, texts
from tests.domain.strategies import quick, thorough
from tinyforge.domain.conditions import Condition, ConditionStatus
from tinyforge.domain.host_status import host_conditions, unusable_host_conditions
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.ports import EngineReason
from tinyforge.reconcile.index_pass import ENGINE_CHANGED

TRUE, FALSE, UNKNOWN = ConditionStatus.TRUE, ConditionStatus.FALSE, ConditionStatus.UNKNOWN


def report(outcome: PassOutcome, reason: str = "", message: str = "") -> PassReport:
    return PassReport(host="vps1", outcome=outcome, reason=reason, message=message)


@pytest.mark.parametrize("outcome", [PassOutcome.UNCHANGED, PassOutcome.CHANGED])
def test_a_host_whose_pass_was_complete_is_ready_and_reachable(outcome: PassOutcome) -> None:
    conditions = host_conditions(report(outcome), suspended=False)
    assert by_type(conditions) == {"Ready": (TRUE, "PassComplete"), "Reachable": (TRUE, "Answers")}


@pytest.mark.parametrize("reason", EngineReason)
def test_p4_a_host_that_gives_no_answer_is_neither_and_says_why(reason: EngineReason) -> None:
    conditions = host_conditions(report(PassOutcome.FAILED, reason, "it is like this"), suspended=False)
    assert by_type(conditions) == {"Ready": (FALSE, reason), "Reachable": (FALSE, reason)}
    assert {condition.message for condition in conditions} == {"it is like this"}


def test_p4_a_failure_without_a_reason_has_one_all_the_same() -> None:
    conditions = host_conditions(report(PassOutcome.FAILED), suspended=False)
    assert by_type(conditions) == {"Ready": (FALSE, "PassFailed"), "Reachable": (FALSE, "PassFailed")}
    assert conditions[0].message == "the last pass failed"


def test_fault_26_another_engine_answers_but_the_host_is_not_ready_and_tells_the_way_out() -> None:
    changed = report(PassOutcome.FAILED, ENGINE_CHANGED, "if it is meant to, set spec.acknowledgedEngineID to the new id")
    conditions = host_conditions(changed, suspended=False)
    assert by_type(conditions) == {"Ready": (FALSE, "EngineChanged"), "Reachable": (TRUE, "Answers")}
    assert "spec.acknowledgedEngineID" in conditions[0].message


@pytest.mark.parametrize("last", [None, report(PassOutcome.UNCHANGED), report(PassOutcome.FAILED, "Timeout")])
def test_t1_a_suspended_host_is_not_ready_and_nobody_knows_whether_it_answers(last: PassReport | None) -> None:
    conditions = host_conditions(last, suspended=True)
    assert by_type(conditions) == {"Ready": (FALSE, "HostSuspended"), "Reachable": (UNKNOWN, "HostSuspended")}


def test_t1_a_host_whose_last_pass_was_skipped_reads_as_suspended() -> None:
    conditions = host_conditions(report(PassOutcome.SKIPPED, "HostSuspended", "spec.suspend is set"), suspended=False)
    assert by_type(conditions) == {"Ready": (FALSE, "HostSuspended"), "Reachable": (UNKNOWN, "HostSuspended")}


def test_t1_before_the_first_pass_nothing_is_known_of_a_host() -> None:
    assert by_type(host_conditions(None, suspended=False)) == {"Ready": (UNKNOWN, "NeverSeen"), "Reachable": (UNKNOWN, "NeverSeen")}


def test_a_host_that_is_written_wrongly_says_so() -> None:
    conditions = unusable_host_conditions("spec.endpoint: allowed are unix:///path, tcp://host:port and ssh://user@host")
    assert by_type(conditions) == {"Ready": (FALSE, "InvalidSpec"), "Reachable": (UNKNOWN, "InvalidSpec")}
    assert conditions[0].message.startswith("spec.endpoint: allowed are")


def assert_wellformed(conditions: tuple[Condition, ...]) -> None:
    assert [condition.type for condition in conditions] == ["Ready", "Reachable"]
    for condition in conditions:
        assert re.fullmatch(REASON, condition.reason)
        assert len(condition.reason) <= 128
        assert len(condition.message) <= 1024
        assert condition.message.isprintable()


@thorough
@given(st.none() | passes(), st.booleans())
def test_every_condition_is_there_once_and_one_that_kubernetes_takes(last: PassReport | None, suspended: bool) -> None:
    assert_wellformed(host_conditions(last, suspended=suspended))


@quick
@given(texts())
def test_every_complaint_is_one_that_kubernetes_takes(message: str) -> None:
    assert_wellformed(unusable_host_conditions(message))


@quick
@given(st.none() | passes(), st.booleans())
def test_a_host_is_ready_only_after_a_complete_pass_and_then_it_is_reachable(last: PassReport | None, suspended: bool) -> None:
    ready, reachable = host_conditions(last, suspended=suspended)
    complete = last is not None and last.outcome in (PassOutcome.UNCHANGED, PassOutcome.CHANGED) and not suspended
    assert (ready.status is TRUE) == complete
    assert reachable.status is TRUE or not complete
