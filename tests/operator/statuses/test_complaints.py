"""What goes wrong with statuses is said once."""

import logging

import pytest

from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectKind, ObjectRef
from tinyforge.operator.status_complaints import StatusComplaints

WEB, MAIL = (ObjectRef(kind=ObjectKind.WORKLOAD, namespace="default", name=name, uid=name) for name in ("web", "mail"))
TOO_LONG = ClusterRefused(422, "status.conditions[0].message: Too long")
FORBIDDEN = ClusterRefused(403, "you may not")


@pytest.fixture(autouse=True)
def everything_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "tinyforge")


def test_the_same_refusal_is_said_again_only_after_it_ended(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    for _ in range(3):
        complaints.refused(WEB, TOO_LONG)
    complaints.taken(WEB)
    complaints.taken(WEB)
    complaints.refused(WEB, TOO_LONG)
    assert [it.levelname for it in caplog.records] == ["WARNING", "INFO", "WARNING"]
    assert caplog.records[1].__dict__["failures"] == 3


def test_another_reason_is_news(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    complaints.refused(WEB, TOO_LONG)
    complaints.refused(WEB, ClusterUnavailable("field not declared in schema", status=500))
    assert len(caplog.records) == 2


def test_a_missing_permission_is_said_once_for_a_kind_in_a_namespace(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    complaints.refused(WEB, FORBIDDEN)
    complaints.refused(MAIL, FORBIDDEN)
    complaints.refused(ObjectRef(kind=ObjectKind.WORKLOAD, namespace="other", name="web", uid="3"), FORBIDDEN)
    assert [it.getMessage().split(":")[0] for it in caplog.records] == ["Workload default/web", "Workload other/web"]


def test_a_permission_that_one_object_lacks_is_not_said_anew_whenever_another_is_written(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    for _ in range(3):
        complaints.refused(WEB, FORBIDDEN)
        complaints.taken(MAIL)
    assert len(caplog.records) == 1


def test_what_is_gone_is_forgotten(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    complaints.refused(WEB, FORBIDDEN)
    complaints.left_out(WEB, ("invented",))
    complaints.forget(WEB)
    complaints.refused(MAIL, FORBIDDEN)
    complaints.left_out(WEB, ("invented",))
    assert len(caplog.records) == 4


def test_a_line_holds_no_more_than_some_of_a_foreign_text_and_no_escape_sequence(caplog: pytest.LogCaptureFixture):
    StatusComplaints().refused(WEB, ClusterRefused(422, "\x1b[31m" + "m" * 5000))
    assert len(caplog.records[0].getMessage()) < 700
    assert caplog.records[0].getMessage().isprintable()


def test_a_line_names_the_workload_or_the_host_that_it_is_about(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    complaints.refused(WEB, TOO_LONG)
    complaints.refused(ObjectRef(kind=ObjectKind.DOCKER_HOST, name="web-1", uid="h"), TOO_LONG)
    assert [(it.__dict__.get("workload"), it.__dict__.get("host")) for it in caplog.records] == [("default/web", None), (None, "web-1")]


def test_an_outage_is_said_once_in_whichever_words_and_counted(caplog: pytest.LogCaptureFixture):
    complaints = StatusComplaints()
    for text in ("refused", "timed out", "refused"):
        complaints.away(ClusterUnavailable(text))
    complaints.answers()
    complaints.answers()
    assert [it.__dict__["action"] for it in caplog.records] == ["statuses_wait", "statuses_written"]
    assert caplog.records[1].__dict__["failures"] == 3
