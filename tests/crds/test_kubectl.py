"""What kubectl shows of our objects reads well, and the status is written only where it belongs."""

import json

import pytest

from tests.objects.documents import Document, docker_host, workload
from tests.servers.cluster import Cluster
from tests.servers.kubernetes_api import Refused

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOW = "2026-11-24T09:00:00Z"
READY = {
    "type": "Ready",
    "status": "False",
    "reason": "NotRunning",
    "message": "1 of 3 containers does not run: db",
    "lastTransitionTime": NOW,
    "observedGeneration": 1,
}
LAST_PASS = {
    "at": NOW,
    "durationSeconds": 0.25,
    "outcome": "changed",
    "listed": 7,
    "matched": 3,
    "ignored": 4,
    "written": 1,
    "missing": 0,
    "traceID": TRACE,
}
HOST_STATUS = {
    "conditions": [READY],
    "engine": {"id": "ABCD", "version": "28.1.0", "apiVersion": "1.49"},
    "lastPass": LAST_PASS,
    "observedGeneration": 1,
}
COUNTS = {"total": 3, "running": 2, "stopped": 1, "missing": 0, "unknown": 0, "other": 0, "summary": "2/3 running"}
WORKLOAD_STATUS = {
    "conditions": [READY],
    "containers": COUNTS,
    "lastDispatch": {"at": NOW, "outcome": "failed", "reason": "Drift", "traceID": TRACE},
    "observedGeneration": 1,
}


@pytest.fixture
def shown(cluster: Cluster) -> Cluster:
    """A cluster with a host and a workload, which have a status."""
    cluster.apply(docker_host("web-1"))
    cluster.apply(workload("shop", host="web-1", kind="stack"))
    cluster.patch("DockerHost", "web-1", {"status": HOST_STATUS}, subresource="status")
    cluster.patch("Workload", "shop", {"status": WORKLOAD_STATUS}, subresource="status")
    return cluster


def table(printed: str) -> dict[str, str]:
    """The first row that kubectl printed, by its titles; two blanks divide what is next to each other."""
    titles, row = printed.splitlines()[:2]
    starts = [index for index in range(len(titles)) if titles[index] != " " and (index == 0 or titles[index - 2 : index] == "  ")]
    ends = [*starts[1:], max(len(titles), len(row))]
    return {titles[start:end].strip(): row[start:end].strip() for start, end in zip(starts, ends, strict=True)}


def test_kubectl_get_tells_of_a_host_what_a_person_looks_for(shown: Cluster):
    row = table(shown.kubectl("get", "dh").stdout)
    assert row.pop("LAST PASS")
    assert row == {
        "NAME": "web-1",
        "ENDPOINT": "unix:///var/run/docker.sock",
        "ENGINE": "28.1.0",
        "READY": "False",
        "REASON": "NotRunning",
        "CONTAINERS": "7",
    }


def test_kubectl_get_tells_of_a_workload_what_a_person_looks_for(shown: Cluster):
    row = table(shown.kubectl("get", "wl").stdout)
    assert row.pop("AGE").endswith("s")
    assert row == {"NAME": "shop", "KIND": "stack", "HOST": "web-1", "CONTAINERS": "2/3 running", "READY": "False", "REASON": "NotRunning"}


@pytest.mark.parametrize("kind", ["dh", "wl"])
def test_kubectl_get_wide_names_the_trace_that_tells_more(kind: str, shown: Cluster):
    assert table(shown.kubectl("get", kind, "--output=wide").stdout)["TRACE"] == TRACE


def test_kubectl_get_lists_both_kinds_by_their_short_names_and_by_their_category(shown: Cluster):
    both = ["dockerhost.tinyforge.dev/web-1", "workload.tinyforge.dev/shop"]
    for names in ("dh,wl", "dockerhosts,workloads", "tinyforge"):
        assert shown.kubectl("get", names, "--output=name").stdout.split() == both


def test_kubectl_wait_waits_for_ready(shown: Cluster):
    in_vain = shown.kubectl("wait", "--for=condition=Ready", "--timeout=100ms", "wl/shop", check=False)
    assert "timed out" in in_vain.stderr
    shown.patch("Workload", "shop", {"status": {"conditions": [READY | {"status": "True"}]}}, subresource="status")
    assert "condition met" in shown.kubectl("wait", "--for=condition=Ready", "--timeout=10s", "wl/shop").stdout


@pytest.mark.parametrize(
    ("field", "lines"),
    [
        ("workload", ["What a person deploys on one Docker host: a project, a site or a stack. Its", "What somebody wants of a workload."]),
        (
            "workload.spec",
            ["kind\t<string> -required-", "enum: project, site, stack", "host\t<string> -required-", "The DockerHost it runs on."],
        ),
        (
            "workload.spec.faces",
            [
                *("FIELD: faces <[]Object>", "The addresses under which the public reaches it.", "domain\t<string> -required-"),
                *("The domain, in lower case, as app.example.com.", "port\t<integer>", "The container's port; by default its lowest."),
            ],
        ),
        ("workload.spec.source", ["The plugin's own settings, at most 64 KiB and 20 levels deep. Never a"]),
        ("workload.status.containers", ["summary\t<string> -required-", "The counts in short, as 2/3 running."]),
        (
            "dockerhost.spec",
            ["endpoint\t<string> -required-", "The namespaces whose workloads may use this host; '*' means all. By default"],
        ),
        ("dockerhost.status.lastPass", ["listed\t<integer> -required-", "Containers the engine has, running and stopped."]),
    ],
)
def test_kubectl_explain_reads_like_documentation(field: str, lines: list[str], cluster: Cluster):
    printed = [line.strip() for line in cluster.kubectl("explain", field).stdout.splitlines()]
    assert [line for line in lines if line not in printed] == []


@pytest.mark.parametrize("field", ["workload", "dockerhost"])
def test_kubectl_explain_has_a_sentence_for_every_field(field: str, cluster: Cluster):
    for part in (field, f"{field}.spec", f"{field}.status"):
        assert "<no description>" not in cluster.kubectl("explain", part).stdout


@pytest.mark.parametrize("document", [docker_host("web-1"), workload("web-1")], ids=lambda document: document["kind"])
def test_a_status_is_written_through_the_subresource_only(document: Document, cluster: Cluster):
    kind, status = document["kind"], {"observedGeneration": 7}
    cluster.apply({**document, "status": status})
    assert "status" not in cluster.get(kind, "web-1")
    cluster.patch(kind, "web-1", {"status": status})
    assert "status" not in cluster.get(kind, "web-1")
    cluster.patch(kind, "web-1", {"status": status, "spec": {"suspend": True}}, subresource="status")
    stored = cluster.get(kind, "web-1")
    assert stored["status"] == status
    assert "suspend" not in stored["spec"]
    assert stored["metadata"]["generation"] == 1


def test_what_is_too_long_for_a_status_is_refused_with_its_field(shown: Cluster):
    too_long = {"status": {"conditions": [READY | {"message": "a" * 1025}]}}
    with pytest.raises(Refused, match=r"422 Invalid: .*status\.conditions\[0\]\.message: Too long: may not be more than 1024"):
        shown.patch("Workload", "shop", too_long, subresource="status")


def test_a_status_holds_one_condition_of_a_type(shown: Cluster):
    with pytest.raises(Refused, match=r"status\.conditions\[1\]: Duplicate value"):
        shown.patch("Workload", "shop", {"status": {"conditions": [READY, READY]}}, subresource="status")


def test_the_crds_that_kubectl_stores_are_those_of_the_folder(cluster: Cluster):
    for name in ("dockerhosts", "workloads"):
        stored = cluster.get("CustomResourceDefinition", f"{name}.tinyforge.dev")
        conditions = {condition["type"]: condition["status"] for condition in stored["status"]["conditions"]}
        assert conditions == {"NamesAccepted": "True", "Established": "True"}, json.dumps(stored["status"])  # not NonStructuralSchema
