"""A real replica's term in a real Jaeger, and what its log says meanwhile."""

import signal
from typing import Any

from tests.e2e.controllers import SOON
from tests.e2e.terms import steps, terms
from tests.operator.installation import NAMESPACE
from tests.operator.looking import host
from tests.operator.replicas import QUICK, Replica, Replicas, installation, replicas
from tests.servers.cluster import Cluster
from tests.servers.jaeger import Jaeger

__all__ = ["installation", "replicas"]

LEASE = {"tinyforge.epoch": 1, "tinyforge.lease.name": "tinyforge", "k8s.namespace.name": NAMESPACE}


def said(replica: Replica) -> list[dict[str, Any]]:
    """The lines of its log."""
    return [line for line in replica.process.lines if "action" in line]


def test_how_a_term_was_won_and_given_back_is_in_jaeger_though_the_process_ends_at_once(
    replicas: Replicas, cluster: Cluster, jaeger: Jaeger
) -> None:
    at_the_end = {"OTEL_BSP_SCHEDULE_DELAY": "60000"}
    leading = replicas.leading(**jaeger.settings("terms-given-back") | at_the_end)
    waiting = replicas.standing_by()
    cluster.apply(host("unix:///nowhere/docker.sock"))
    leading.process.says("declared: host")
    leading.process.signal(signal.SIGTERM)
    assert leading.process.ends(within=SOON) == 0
    won, ended = terms(jaeger, "terms-given-back", "won", "released")
    assert (won.parent, steps(jaeger, won)) == ("", ["lease.take", "index.claim"])
    assert won.attributes.items() >= {**LEASE, "tinyforge.term.phase": "campaign"}.items()
    assert (ended.parent, steps(jaeger, ended)) == ("", ["drain", "lease.release"])
    assert ended.attributes.items() >= {**LEASE, "tinyforge.term.reason": "this process was asked to end"}.items()
    assert {span.status for span in (won, ended)} == {"unset"}

    lines = {line["action"]: line for line in said(leading)}
    assert lines["elected"]["trace_id"] == won.trace_id
    assert lines["lease_given_back"]["trace_id"] == ended.trace_id
    assert lines["host_declared"]["epoch"] == 1
    epochs = [line.get("epoch") for line in said(leading)]
    assert epochs == sorted(epochs, key=bool), "once it leads it says so in every line"
    waiting.elected(2)
    standing = [line for line in said(waiting) if line["action"] in {"http_listening", "standing_by"}]
    assert [line.get("epoch") for line in standing] == [None, None]


def test_a_replica_that_is_deposed_leaves_the_end_of_its_term_and_why(replicas: Replicas, cluster: Cluster, jaeger: Jaeger) -> None:
    deposed = replicas.leading(**jaeger.settings("terms-deposed"), **QUICK)
    cluster.patch("Lease", "tinyforge", {"spec": {"holderIdentity": "somebody"}}, NAMESPACE)
    assert deposed.process.ends(within=SOON) == 1
    _, ended = terms(jaeger, "terms-deposed", "won", "deposed")
    assert steps(jaeger, ended) == []
    assert ended.attributes["tinyforge.term.reason"] == "somebody holds the Lease with epoch 1, and this term has 1"
    assert (ended.status, ended.attributes["error.type"]) == ("error", "LeaseLost")
