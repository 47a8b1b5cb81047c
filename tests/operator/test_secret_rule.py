"""The secret rule (fault 44), in a cluster: of all the secrets that the operator is given, none is in anything that it says.

They are planted in every input of a real run at its most talkative; then its spans, metrics, log lines, Kubernetes Events, the statuses of
both kinds of objects and the index are looked through. What stands in a spec is what was declared, and not looked at.
"""

import json
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e import secretive_plugin
from tests.e2e.canaries import Canaries
from tests.e2e.collecting import Collector, collecting
from tests.e2e.index import Index
from tests.e2e.secretive_containers import start_secretive_containers
from tests.objects.documents import docker_host, workload
from tests.operator.installation import NAMESPACE, Installation
from tests.operator.replicas import Replica, Replicas, installation, replicas
from tests.plugins.site import site_packages
from tests.servers.cluster import Cluster, condition_is
from tests.servers.docker_engine import DockerEngine

__all__ = ["installation", "replicas"]

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
TRACEPARENT = "tracing.k8s.io/traceparent"


@pytest.fixture
def canaries() -> Canaries:
    return Canaries()


@pytest.fixture
def collector() -> Iterator[Collector]:
    with collecting(refusals=1) as collector:
        yield collector


@pytest.fixture
def declared(cluster: Cluster, installation: Installation, docker_engine: DockerEngine, canaries: Canaries) -> Cluster:
    """The cluster with the operator's manifests, and all that is looked after in it."""
    (user,) = json.loads(installation.kubeconfig.read_text())["users"]
    canaries.hold("token of KUBECONFIG", user["user"]["token"])
    declare(cluster, docker_engine.endpoint, canaries)
    start_secretive_containers(docker_engine, canaries)
    return cluster


@pytest.fixture
def replica(
    declared: Cluster, replicas: Replicas, canaries: Canaries, collector: Collector, index: Index, tmp_path: Path
) -> Iterator[Replica]:
    """One that leads and has come to know it: what works, what is refused and what fails."""
    with site_packages(tmp_path / "site-packages") as site:
        replica = replicas.leading(
            PYTHONPATH=secretive_plugin.install(site),
            TINYFORGE_DATABASE_URL=f"{index.url}&password={canaries.plant('password of TINYFORGE_DATABASE_URL')}",
            TINYFORGE_LOG_LEVEL="debug",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://me:{canaries.plant('password of OTEL_EXPORTER_OTLP_ENDPOINT')}@{collector.place}",
            OTEL_EXPORTER_OTLP_HEADERS=f"x-api-key={canaries.plant('OTEL_EXPORTER_OTLP_HEADERS')}",
            OTEL_BSP_SCHEDULE_DELAY="100",
            REGISTRY_TOKEN=canaries.plant("REGISTRY_TOKEN"),
        )
        wait_until_known(declared)
        yield replica


def declare(cluster: Cluster, endpoint: str, canaries: Canaries) -> None:
    """Apply objects with secrets where somebody may put one, by mistake or since a plugin asks for it."""
    data = {key: canaries.plant(f"Secret, {key}") for key in ("ca.crt", "tls.crt", "tls.key")}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "tls", "namespace": NAMESPACE}, "stringData": data})
    cluster.apply(noted(docker_host(endpoint=endpoint, allowedNamespaces=["*"]), canaries))
    cluster.apply(docker_host("tls", endpoint="tcp://127.0.0.1:1", tls={"secretRef": {"name": "tls"}}))
    configured = {
        "raising": ("theirs", canaries.plant("config that a plugin puts into errors")),
        "unread": ("theirs", [canaries.plant("config of the wrong type")]),
        "unknown": ("external", canaries.plant("field of a config that is none")),
        "nobodys": ("nobodys", canaries.plant("config of no plugin")),
    }
    triggered: dict[str, Any] = {"trigger": {"kind": "manual"}}
    for name, (kind, token) in configured.items():
        cluster.apply(noted(workload(name, kind="site", source={"kind": kind, "config": {"token": token}}, **triggered), canaries))
    manual = {"kind": "manual", "config": {"token": canaries.plant("config of a trigger")}}
    cluster.apply(workload("triggered", kind="site", source={"kind": "external"}, trigger=manual))
    cluster.apply(workload("hello", kind="site"))
    cluster.apply(noted(workload("shop", kind="stack", source={"kind": "external"}, **triggered), canaries))


def noted(document: dict[str, Any], canaries: Canaries) -> dict[str, Any]:
    """Put secrets into what anybody may write on an object: annotations, one of which we read, and labels."""
    name = document["metadata"]["name"]
    notes = {TRACEPARENT: f"00-{canaries.plant(f'traceparent of {name}')}-x", "example.com/token": canaries.plant(f"annotation of {name}")}
    labels = {"example.com/token": canaries.plant(f"label of object {name}")}
    return {**document, "metadata": {**document["metadata"], "annotations": notes, "labels": labels}}


def wait_until_known(cluster: Cluster) -> None:
    """Wait until the statuses say of each how it is."""
    reasons = {"raising": "PluginRaised", "unread": "ConfigInvalid", "unknown": "ConfigInvalid", "nobodys": "SourceNotFound"}
    for name, reason in {**reasons, "triggered": "ConfigInvalid"}.items():
        cluster.wait("Workload", name, lambda found, reason=reason: condition_is(found, type_="Ready", status="False", reason=reason))  # type: ignore[misc]  # a loop's own value
    cluster.wait("Workload", "shop", lambda found: condition_is(found, type_="Ready"))
    cluster.wait("DockerHost", "tls", lambda found: condition_is(found, type_="Ready", status="False", reason="SecretUnusable"))


def test_fault_44_no_secret_of_any_input_is_in_spans_metrics_log_lines_events_or_statuses(
    replica: Replica, cluster: Cluster, canaries: Canaries, collector: Collector, replicas: Replicas, index: Index
) -> None:
    collector.says("workload.dispatch", "default/raising", "PluginRaised", "index.pass", "docker.containers.list", "SecretUnusable")
    assert canaries.heard_in(collector.headers), "the collector is not spoken to with what was planted"
    metrics = {form: asked(replica, form) for form in ("", OPENMETRICS)}
    replica.process.kill()
    canaries.assert_silent(
        {
            "log": "\n".join(map(json.dumps, replica.process.lines)),
            "spans": collector.text,
            "metrics": metrics[""],
            "metrics with exemplars": metrics[OPENMETRICS],
            "events": json.dumps(cluster.list("Event")),
            "statuses of hosts": json.dumps([found["status"] for found in cluster.list("DockerHost")]),
            "statuses of workloads": json.dumps([found["status"] for found in cluster.list("Workload")]),
            "Lease": json.dumps(replicas.lease),
            "index": json.dumps(index.sql("SELECT id, status::text FROM tinyforge.workloads")),
            "hosts of the index": json.dumps(index.sql("SELECT to_jsonb(hosts)::text FROM tinyforge.hosts")),
        }
    )


def asked(replica: Replica, form: str) -> str:
    """What /metrics answers."""
    place = replica.process.says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]
    with urllib.request.urlopen(urllib.request.Request(f"http://{place}/metrics", headers={"Accept": form} if form else {})) as answer:
        return str(answer.read().decode())
