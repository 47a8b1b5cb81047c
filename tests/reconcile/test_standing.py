"""What a pass says of a whole host concerns each of its workloads when it is news, and only then."""

from typing import Any

from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.reconcile.standing import Standing

FINE = {"outcome": PassOutcome.UNCHANGED}
AWAY = {"outcome": PassOutcome.FAILED, "reason": "Timeout", "message": "no answer"}
SUSPENDED = {"outcome": PassOutcome.SKIPPED, "reason": "HostSuspended"}


def test_the_first_pass_is_news_whatever_it_found() -> None:
    for found in (FINE, AWAY, SUSPENDED):
        standing = Standing()
        assert [changed(standing, found) for _ in range(3)] == [True, False, False]


def test_that_a_host_answers_or_not_and_why_not_is_news() -> None:
    standing = Standing()
    standing.changed("a", report(FINE))
    assert not changed(standing, FINE | {"outcome": PassOutcome.CHANGED}), "which rows changed is another matter"
    assert changed(standing, AWAY)
    assert changed(standing, AWAY | {"reason": "ConnectFailed"})
    assert changed(standing, AWAY)
    assert changed(standing, SUSPENDED)
    assert changed(standing, FINE)


def test_hosts_are_told_apart_and_what_is_forgotten_counts_as_never_seen() -> None:
    standing = Standing()
    assert [standing.changed(host, report(FINE)) for host in ("a", "b", "a")] == [True, True, False]
    standing.forget(["a", "never seen"])
    assert standing.known == {"b"}
    assert [standing.changed(host, report(FINE)) for host in ("a", "b")] == [True, False]


def changed(standing: Standing, found: dict[str, Any]) -> bool:
    return standing.changed("a", report(found))


def report(found: dict[str, Any]) -> PassReport:
    return PassReport(host="a", **found)
