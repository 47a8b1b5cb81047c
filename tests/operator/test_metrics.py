"""The metrics of a running `tinyforge controller`: those that docs/metrics.md tells of, and all that alerts and dashboard ask for."""

from pathlib import Path

from tests.alerts.rules import metrics_asked_for
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.e2e.metrics_page import shown, told
from tests.e2e.scraping import place_of, samples, scrape, value
from tests.operator.looking import host, stack
from tests.operator.replicas import Replicas, installation, replicas
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine

__all__ = ["installation", "replicas"]

OF_THE_LEADER = {
    "tinyforge_fenced_writes_total",
    "tinyforge_kopf_restarts_total",
    "tinyforge_silent_timers",
    "tinyforge_stale_after_seconds",
    "tinyforge_unwritten_statuses",
}
NOBODY_LISTENS = "http://127.0.0.1:9"


def test_a_leader_shows_what_the_page_tells_of_and_all_that_alerts_and_dashboard_ask_for(
    replicas: Replicas, cluster: Cluster, index: Index, docker_engine: DockerEngine, tmp_path: Path
) -> None:
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(docker_engine.endpoint))
    cluster.apply(host(f"unix://{tmp_path}/nobody.sock", name="away"))
    cluster.apply(stack("shop", source={"kind": "external"}, trigger={"kind": "manual"}))
    leader = replicas.leading(OTEL_EXPORTER_OTLP_ENDPOINT=NOBODY_LISTENS)
    until(lambda: index.sql("SELECT state FROM tinyforge.hosts ORDER BY name"), [("unreachable",), ("reachable",)])
    until(lambda: index.sql("SELECT count(*) FROM tinyforge.workloads WHERE status #> '{lastDispatch,at}' IS NOT NULL"), [(1,)])
    families = scrape(place_of(leader.process))
    assert shown(families) == told(driver="controller", traced=True)
    assert metrics_asked_for() <= {sample.name for sample in samples(families)}
    assert value(families, "tinyforge_workloads", ready="true") == 1


def test_a_standby_shows_nothing_of_hosts_and_workloads_and_that_it_does_not_lead(replicas: Replicas) -> None:
    replicas.leading()
    families = scrape(place_of(replicas.standing_by().process))
    assert value(families, "tinyforge_leader") == 0
    assert not OF_THE_LEADER & {sample.name for sample in samples(families)}
    assert not {label for sample in samples(families) for label in sample.labels} & {"host", "source"}
