"""The traces of an operator in a real Jaeger, and the Lease that is given back though nobody takes the last ones (faults 49, rule D3)."""

import json
import re
import signal
import time
from typing import Any

from tests.cli.conftest import Tinyforge
from tests.e2e.containers import belonging_to
from tests.e2e.controllers import SOON
from tests.e2e.index import until
from tests.e2e.test_collector import EXIT_SECONDS, ONE_BY_ONE
from tests.e2e.traces import DISPATCH, OUTCOME, PASS, TERM, WORKLOAD, Traces, children, orphans, roots, traces, unresolved
from tests.operator.looking import host, stack, workload_becomes
from tests.operator.replicas import Replicas, installation, replicas
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.jaeger import Jaeger
from tests.servers.jaeger_api import Place, Span

__all__ = ["installation", "replicas", "traces"]

EXTERNAL: dict[str, Any] = {"source": {"kind": "external", "config": {"roles": {"web": {"replicas": 1}}}}, "trigger": {"kind": "manual"}}
THEIRS = Place(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7")
SHOP = "default/shop"
TRACE_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")


def declare(cluster: Cluster, engine: DockerEngine) -> None:
    """Declare a host, and a stack on it that somebody else traces, and of which a container runs."""
    engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(engine.endpoint))
    declared = stack(**EXTERNAL)
    declared["metadata"]["annotations"] = {"tracing.k8s.io/traceparent": f"00-{THEIRS.trace_id}-{THEIRS.span_id}-01"}
    cluster.apply(declared)


def last_dispatch(cluster: Cluster, outcome: str) -> str:
    """Wait until a workload's last dispatch ended so, and return the id of its trace."""
    found = cluster.wait("Workload", "shop", lambda it: it.get("status", {}).get("lastDispatch", {}).get("outcome") == outcome)
    return str(found["status"]["lastDispatch"]["traceID"])


def events_of(cluster: Cluster, name: str, reason: str) -> list[str]:
    """What the Kubernetes Events of an object say, those with this reason."""
    found = [it for it in cluster.list("Event", "default") if (it["involvedObject"]["name"], it["reason"]) == (name, reason)]
    return [f"{it['message']} {it['metadata'].get('annotations', '')}" for it in found]


def forced_pass(cluster: Cluster, tinyforge: Tinyforge) -> str:
    """Ask for a pass, wait until the host's status is of that, and return the id of its trace."""
    (found,) = json.loads(tinyforge("sync", "--json").stdout)
    cluster.wait("DockerHost", "local", lambda it: it["status"]["lastPass"]["traceID"] == found["traceID"])
    return str(found["traceID"])


def test_d3_the_ids_in_the_statuses_are_in_jaeger_and_so_is_all_that_they_are_linked_to(
    traces: Traces, replicas: Replicas, cluster: Cluster, docker_engine: DockerEngine, tinyforge: Tinyforge
) -> None:
    replicas.leading(**traces.settings, TINYFORGE_INTERVAL="5m")
    declare(cluster, docker_engine)
    workload_becomes(cluster, "True", "Running")
    first = traces.root(last_dispatch(cluster, "unchanged"))
    assert (first.name, first.attributes[WORKLOAD], first.attributes[OUTCOME], first.status) == (DISPATCH, SHOP, "unchanged", "unset")
    assert THEIRS in first.links
    docker_engine.client.kill("web")
    passed = traces.root(forced_pass(cluster, tinyforge))
    assert (passed.name, passed.attributes["tinyforge.host"]) == (PASS, "local")
    workload_becomes(cluster, "False", "Drift")
    trace_id = last_dispatch(cluster, "failed")
    failed = traces.root(trace_id)
    assert (failed.status, failed.attributes["error.type"], failed.attributes[OUTCOME]) == ("error", "Drift", "failed")
    assert set(failed.links) == {passed.place, latest_before(failed, traces).place, THEIRS}
    assert unresolved(traces.all(), THEIRS) == []
    assert trace_id in cluster.kubectl("get", "workload", "shop", "-o", "wide").stdout


def latest_before(root: Span, traces: Traces) -> Span:
    """The dispatch before one."""
    return max((it for it in roots(traces.all(), DISPATCH) if it.began < root.began), key=lambda it: it.began)


def test_d3_the_id_in_the_event_of_an_outcome_is_that_of_the_dispatch_in_jaeger(
    traces: Traces, replicas: Replicas, cluster: Cluster, docker_engine: DockerEngine
) -> None:
    replicas.leading(**traces.settings)
    declare(cluster, docker_engine)
    workload_becomes(cluster, "True", "Running")
    docker_engine.client.kill("web")
    workload_becomes(cluster, "False", "Drift")
    until(lambda: len(events_of(cluster, "shop", "Drift")), 1)
    (event,) = events_of(cluster, "shop", "Drift")
    (trace_id,) = TRACE_ID.findall(event)
    assert trace_id == last_dispatch(cluster, "failed")
    assert traces.root(trace_id).attributes[OUTCOME] == "failed"


def test_a_term_is_told_from_the_lease_to_its_end_and_no_span_is_lost_on_the_way(
    traces: Traces, replicas: Replicas, cluster: Cluster, docker_engine: DockerEngine
) -> None:
    leading, waiting = replicas.leading(**traces.settings), replicas.standing_by(**traces.settings)
    declare(cluster, docker_engine)
    workload_becomes(cluster, "True", "Running")
    leading.process.signal(signal.SIGTERM)
    waiting.elected(2)
    assert leading.process.ends(within=SOON) == 0
    spans = traces.until(lambda spans: len(roots(spans, TERM)) == 3)
    terms = {
        (it.attributes["tinyforge.epoch"], it.attributes["tinyforge.term.phase"]): it.attributes["tinyforge.term.outcome"]
        for it in roots(spans, TERM)
    }
    assert terms == {(1, "campaign"): "won", (1, "step_down"): "released", (2, "campaign"): "won"}
    won = roots(spans, TERM)[0]
    assert [it.name for it in children(spans, won)] == ["lease.take", "index.claim"]
    assert orphans(spans) == []
    assert len({it.resource["service.instance.id"] for it in spans}) == 2


def test_fault_49_with_a_silent_collector_the_lease_is_given_back_before_anybody_waits_for_the_last_traces(
    own_jaeger: Jaeger, replicas: Replicas, cluster: Cluster, docker_engine: DockerEngine
) -> None:
    own_jaeger.process.start()
    own_jaeger.process.freeze()
    settings = own_jaeger.settings() | ONE_BY_ONE
    leading, waiting = replicas.leading(**settings), replicas.standing_by(**settings)
    declare(cluster, docker_engine)
    workload_becomes(cluster, "True", "Running")
    docker_engine.client.kill("web")
    workload_becomes(cluster, "False", "Drift")
    leading.process.signal(signal.SIGTERM)
    began = time.monotonic()
    waiting.elected(2)
    assert leading.process.runs, "it has still to give up on its traces"
    assert leading.process.ends(within=EXIT_SECONDS - (time.monotonic() - began)) == 0
    assert leading.process.said("takes no traces") + leading.process.said("were not sent") > 0
    docker_engine.client.start("web")
    workload_becomes(cluster, "True", "Running")
    assert waiting.metric("tinyforge_trace_spans_dropped_total") > 0
