"""What is said about a host's passes: everything once, nobody's containers never above debug, and no label's raw text."""

import logging

import pytest

from tests.domain.world import BLOG, MAIL, World, container, project
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.reconcile.findings import Findings

REFUSED = Labels(workload_id=MAIL.id, workload_kind="site")
CHANGED = PassReport(host="one", outcome=PassOutcome.CHANGED, listed=3, matched=2, ignored=1, written=2, missing=1)
UNCHANGED = PassReport(host="one", outcome=PassOutcome.UNCHANGED, listed=3, matched=2, ignored=1)


def failed(reason: str, message: str = "no answer") -> PassReport:
    return PassReport(host="one", outcome=PassOutcome.FAILED, reason=reason, message=message)


@pytest.fixture
def findings(caplog: pytest.LogCaptureFixture) -> Findings:
    caplog.set_level(logging.INFO, "tinyforge.reconcile.findings")
    return Findings("one")


def observe(findings: Findings, *containers: Container) -> None:
    world = World(containers=containers)
    findings.containers(world.view, world.plan())


def said(caplog: pytest.LogCaptureFixture, level: int = logging.INFO) -> list[str]:
    """What was logged since it was asked last, at this level or above."""
    messages = [record.getMessage() for record in caplog.records if record.levelno >= level]
    caplog.clear()
    return messages


def test_m4_a_refusal_is_warned_of_once(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    refused = container("c123456789abcdef", REFUSED)
    observe(findings, refused)
    (warning,) = said(caplog, logging.WARNING)
    assert warning == (
        "host one: container c123456789ab gets no row: "
        "its label tinyforge.workload.kind names another kind than the workload's, which is stack"
    )
    observe(findings, refused)
    assert said(caplog) == []


def test_a_warning_is_given_again_when_it_was_untrue_in_between(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    for containers in ([container("c1", REFUSED)], [], [container("c1", REFUSED)]):
        observe(findings, *containers)
    assert len(said(caplog, logging.WARNING)) == 2


def test_each_container_and_each_reason_has_its_own_warning(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    observe(findings, container("c1", REFUSED), container("c2", REFUSED))
    assert len(said(caplog, logging.WARNING)) == 2
    observe(findings, container("c1", Labels(workload_id=MAIL.id, role="\0")), container("c2", REFUSED))
    assert ["its role is not printable" in it for it in said(caplog, logging.WARNING)] == [True]


def test_m9_a_displaced_container_is_warned_of_once_whoever_displaces_it(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    twins = [container(id_, Labels(static_site="blog"), created=created) for created, id_ in enumerate(("c1", "c2", "c3"))]
    observe(findings, *twins[:2])
    assert said(caplog, logging.WARNING) == [
        "host one: container c1 gets no row: row default/blog:site is held by container c2, which is younger"
    ]
    observe(findings, twins[0], twins[2])
    assert said(caplog) == []


def test_m3_a_forged_label_is_a_debug_line_and_no_more(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    forged = [Labels(workload_id="default/forged"), Labels(static_site="x"), project("tinyforge-x"), Labels(installation="theirs")]
    for _ in range(2):
        observe(findings, *(container(f"c{number}", labels) for number, labels in enumerate(forged)))
    assert said(caplog) == []
    caplog.set_level(logging.DEBUG, "tinyforge.reconcile.findings")
    observe(findings, container("c1", forged[0]), container("c2"))
    assert said(caplog, logging.DEBUG) == [
        "host one: container c1 is ignored: its label tinyforge.workload.id names no workload that is declared for this host"
    ]


def test_m10_no_raw_label_reaches_the_log(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    hostile = "\x1b[2J\u202e\n" + "x" * 100_000
    labels = [
        Labels(workload_id=MAIL.id, workload_kind=hostile),
        Labels(workload_id=MAIL.id, role=hostile),
        Labels(workload_id=hostile),
        Labels(static_site=hostile),
        project("tinyforge-" + hostile),
    ]
    caplog.set_level(logging.DEBUG, "tinyforge.reconcile.findings")
    observe(findings, *(container(f"c{number}", it) for number, it in enumerate(labels)))
    messages = said(caplog, logging.DEBUG)
    assert len(messages) == len(labels)
    assert all(it.isprintable() and len(it) < 600 for it in messages)


def test_a_host_without_workloads_says_once_that_it_manages_nothing(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    world = World(workloads=(), containers=(container("c1"), container("c2")))
    for _ in range(2):
        findings.containers(world.view, world.plan())
        findings.ended(UNCHANGED)
    assert said(caplog)[0] == "host one: saw 2 containers and manages none, since no workload is declared for it"
    assert said(caplog) == []


def test_a_host_with_workloads_does_not_say_so(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    observe(findings, container("c1", Labels(workload_id=BLOG.id)))
    assert said(caplog) == []


def test_the_first_pass_and_every_one_that_changed_something_is_told(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    for report in (UNCHANGED, UNCHANGED, CHANGED, UNCHANGED):
        findings.ended(report)
    assert said(caplog) == [
        "host one: 3 containers listed, 2 matched, 0 rows written, 0 missing",
        "host one: 3 containers listed, 2 matched, 2 rows written, 1 missing",
    ]


def test_p4_a_failing_host_is_warned_of_once_a_reason_and_its_end_is_told(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    findings.ended(UNCHANGED)
    said(caplog)
    for report in (failed("Timeout"), failed("Timeout", "other words"), failed("ConnectFailed"), failed("ConnectFailed"), UNCHANGED):
        findings.ended(report)
    assert said(caplog) == [
        "host one: Timeout: no answer; its containers are unknown until it answers",
        "host one: ConnectFailed: no answer; its containers are unknown until it answers",
        "host one: answers again after 4 failed passes",
    ]


def test_a_host_that_fails_again_is_warned_of_again(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    for report in (failed("Timeout"), UNCHANGED, failed("Timeout")):
        findings.ended(report)
    assert len(said(caplog, logging.WARNING)) == 2


def test_a_skipped_pass_is_no_news(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    findings.ended(PassReport(host="one", outcome=PassOutcome.SKIPPED, reason="HostSuspended", message="spec.suspend is set"))
    assert said(caplog) == []


def test_log_lines_carry_a_stable_action(findings: Findings, caplog: pytest.LogCaptureFixture) -> None:
    observe(findings, container("c1", REFUSED))
    for report in (failed("Timeout"), CHANGED):
        findings.ended(report)
    assert [vars(record)["action"] for record in caplog.records] == ["container_refused", "pass_failed", "pass_recovered", "pass_ended"]
