"""`kubectl apply -k manifests/install`: it installs everything, and the operator works with the rights that it gives and with no others."""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from tests.e2e.controllers import Controller
from tests.objects.documents import docker_host, workload
from tests.operator.installation import FOLDER, NAMESPACE, Installation, confined
from tests.operator.rights import right_for, rights_of
from tests.servers.api_proxy import ApiProxy, refuse
from tests.servers.certificates import Authority
from tests.servers.cluster import Cluster, condition_is
from tests.servers.docker_engine import DockerEngine
from tinyforge.objects.crd import custom_resource_definitions
from tinyforge.settings import Settings

Start = Callable[..., Controller]

FINALIZER = "tinyforge.dev/finalizer"
OURS = "/apis/tinyforge.dev/v1alpha1"
SECONDS = 30
RESTRICTED = {
    "runAsNonRoot": lambda pod: pod["securityContext"],
    "seccompProfile": lambda pod: pod["securityContext"],
    "allowPrivilegeEscalation": lambda pod: pod["containers"][0]["securityContext"],
    "capabilities": lambda pod: pod["initContainers"][0]["securityContext"],
}
IN_ITS_OWN_NAMESPACE = {
    "get secrets",
    "get namespaces",
    *(f"{verb} leases.coordination.k8s.io" for verb in ("get", "watch", "create", "update")),
}
MAY_NOT = {
    "list the Secrets of its own namespace": ["get", "secrets"],
    "watch them": ["get", "--raw", "/api/v1/namespaces/tinyforge/secrets?watch=1&timeoutSeconds=1"],
    "read a Secret of another namespace": ["get", "secret", "theirs", "--namespace=default"],
    "list the Secrets of all": ["get", "secrets", "--all-namespaces"],
    "change a Secret": ["label", "secret", "ours", "changed=yes"],
    "read a ConfigMap": ["get", "configmap", "kube-root-ca.crt"],
    "make a host": ["create", "--filename=-"],
    "replace a workload": ["replace", "--filename=-"],
    "delete a host": ["delete", "dockerhost", "local"],
    "delete a workload": ["delete", "workload", "web", "--namespace=default"],
    "run a pod": ["run", "anything", "--image=anything"],
    "change its Deployment": ["scale", "deployment", "tinyforge", "--replicas=9"],
    "give itself more rights": ["create", "clusterrolebinding", "more", "--clusterrole=cluster-admin", "--user=anybody"],
    "become somebody else": ["get", "workloads", "--as=admin"],
    "read events": ["get", "events"],
    "take another Lease": ["get", "lease", "theirs"],
    "list the Leases of its own namespace": ["get", "leases"],
    "delete its own Lease": ["delete", "lease", "tinyforge"],
    "look at another namespace": ["get", "namespace", "default"],
    "change a definition": ["label", "crd", "workloads.tinyforge.dev", "changed=yes"],
}


@pytest.fixture
def installation(cluster: Cluster) -> Iterator[Installation]:
    installation = Installation(cluster)
    yield installation
    installation.remove()


@pytest.fixture
def start(database_url: str) -> Iterator[Start]:
    with ExitStack() as started:

        def start(installation: Installation, **options: Any) -> Controller:
            controller = installation.start(database_url, **options)
            started.callback(controller.kill)
            return controller

        yield start


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority.make("hosts")


@pytest.fixture(scope="module")
def web_1_engine(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerEngine]:
    """An engine that is reached over TCP, by those who have a certificate."""
    with closing(DockerEngine(tls=authority.server(tmp_path_factory.mktemp("tls") / "web-1"))) as engine:
        yield engine


@pytest.fixture
def web_1(web_1_engine: DockerEngine) -> Iterator[DockerEngine]:
    yield web_1_engine
    web_1_engine.remove_all()


@pytest.fixture
def credentials(authority: Authority) -> dict[str, bytes]:
    client = authority.client()
    return {"ca.crt": authority.root.pem, "tls.crt": client.pem, "tls.key": client.key_pem()}


def test_one_apply_installs_everything_and_another_one_changes_nothing(installation: Installation):
    assert {name.partition("/")[0] for name in installation.applied} == {
        "namespace",
        "customresourcedefinition.apiextensions.k8s.io",
        "serviceaccount",
        "clusterrole.rbac.authorization.k8s.io",
        "clusterrolebinding.rbac.authorization.k8s.io",
        "role.rbac.authorization.k8s.io",
        "rolebinding.rbac.authorization.k8s.io",
        "deployment.apps",
    }
    assert set(installation.apply().values()) == {"unchanged"}
    assert set(installation.apply("--dry-run=server").values()) == {"unchanged (server dry run)"}


def test_it_installs_the_definitions_that_tinyforge_crds_prints(cluster: Cluster):
    rendered = yaml.safe_load_all(cluster.kubectl("kustomize", FOLDER).stdout)
    assert [it for it in rendered if it["kind"] == "CustomResourceDefinition"] == custom_resource_definitions()


def test_the_folder_of_definitions_can_be_applied_by_itself_too(cluster: Cluster):
    assert cluster.kubectl("apply", "--dry-run=server", "--filename=manifests/crds").stdout.count("dry run") == 2


def test_the_examples_are_objects_that_a_cluster_takes(cluster: Cluster):
    printed = cluster.kubectl("apply", "--dry-run=server", "--filename=manifests/examples").stdout
    assert "dockerhost.tinyforge.dev/local created" in printed


def test_the_pod_is_one_that_the_restricted_level_lets_in(installation: Installation):
    assert installation.cluster.get("Namespace", NAMESPACE)["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert installation.pod()["spec"]["securityContext"]["runAsUser"] == 10001
    assert try_out(installation, installation.pod()) == ""
    for container in (*installation.pod()["spec"]["initContainers"], *installation.pod()["spec"]["containers"]):
        assert container["securityContext"]["readOnlyRootFilesystem"]
        assert container["resources"] == {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "256Mi"}}
        assert container["image"].partition(":")[2] not in ("", "latest")


@pytest.mark.parametrize("field", RESTRICTED)
def test_the_restricted_level_refuses_the_pod_without(field: str, installation: Installation):
    pod = installation.pod()
    del RESTRICTED[field](pod["spec"])[field]
    assert field in try_out(installation, pod)


def try_out(installation: Installation, pod: dict[str, Any]) -> str:
    """What the API server would say to a pod, empty if it would take it."""
    return installation.cluster.kubectl("create", "--dry-run=server", "--filename=-", text=json.dumps(pod), check=False).stderr


def test_a_second_pod_stands_by_and_an_update_never_leaves_less_than_one(installation: Installation):
    spec = installation.cluster.get("Deployment", "tinyforge", NAMESPACE)["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (2, "RollingUpdate")


def test_a_pod_is_given_the_time_that_its_end_may_take(installation: Installation):
    settings = Settings()
    given = installation.pod()["spec"]["terminationGracePeriodSeconds"]
    assert given > settings.drain + settings.lease_request_timeout + 5 + 3, "the rest of its work, and the last traces"


def test_the_pod_needs_no_name_for_its_user_and_writes_nowhere_but_to_its_temporary_folder(
    installation: Installation, start: Start, web_1: DockerEngine, credentials: dict[str, bytes], tmp_path: Path
):
    installation.hold("web-1", credentials)
    controller = start(installation, front=confined(tmp_path / "tmp"))
    come(installation.cluster, web_1)
    assert {line.get("level") for line in controller.lines} == {"INFO"}


@pytest.mark.parametrize("probe", ["livenessProbe", "readinessProbe"])
def test_the_pod_answers_its_probes(probe: str, installation: Installation, start: Start):
    (container,) = installation.pod()["spec"]["containers"]
    address = start(installation).says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]
    with urlopen(f"http://{address}{container[probe]['httpGet']['path']}", timeout=SECONDS) as answer:
        assert answer.status == 200
    assert container[probe]["httpGet"]["port"] == container["ports"][0]["name"]
    assert container["ports"][0]["containerPort"] == 8080, "which is what the program listens on if nobody says otherwise"


def test_a_workload_becomes_ready_and_goes_again(
    installation: Installation, start: Start, web_1: DockerEngine, credentials: dict[str, bytes]
):
    cluster = installation.cluster
    installation.hold("web-1", credentials)
    controller = start(installation)
    come(cluster, web_1)
    web_1.create("hello", {"tinyforge.workload.id": "default/hello"}, start=True)
    found = cluster.wait("Workload", "hello", lambda found: condition_is(found, type_="Ready", reason="Running"))
    assert (found["metadata"]["generation"], found["metadata"]["finalizers"]) == (1, [FINALIZER])
    go(cluster)
    assert {event["reason"] for event in cluster.list("Event", "default")} >= {"PassComplete", "NoContainers", "Running"}
    assert {line.get("level") for line in controller.lines} == {"INFO"}


def test_it_uses_all_rights_that_it_has_and_asks_for_no_others(
    installation: Installation, start: Start, api_proxy: ApiProxy, web_1: DockerEngine, credentials: dict[str, bytes]
):
    installation.hold("web-1", credentials)
    start(installation, kubeconfig=api_proxy.kubeconfig(installation.kubeconfig))
    come(installation.cluster, web_1)
    unanswered(api_proxy, "dockerhosts/web-1").result(SECONDS)
    looked_at = unanswered(api_proxy, "namespaces/default/workloads/hello")
    installation.cluster.patch("Workload", "hello", {"status": {"observedGeneration": 9}}, subresource="status")  # which is put right
    looked_at.result(SECONDS)
    go(installation.cluster)
    used = {right_for(request) for request in api_proxy.requests} - {""}
    assert used == rights_of(installation.cluster, installation.kubeconfig, namespace=NAMESPACE)
    assert used - IN_ITS_OWN_NAMESPACE == rights_of(installation.cluster, installation.kubeconfig, namespace="default")


def test_definitions_that_are_deleted_go_with_their_objects_and_are_served_again_when_they_are_applied(own_cluster: Cluster, start: Start):
    installation = Installation(own_cluster)
    controller = start(installation)
    for objects in (docker_host(), workload()):
        own_cluster.apply(objects)
        own_cluster.wait(objects["kind"], objects["metadata"]["name"], is_looked_after)
    own_cluster.kubectl("delete", "crd", "dockerhosts.tinyforge.dev", "workloads.tinyforge.dev")
    controller.says("kopf ended")
    installation.apply()
    own_cluster.apply(docker_host())
    own_cluster.wait("DockerHost", "local", is_looked_after)


def is_looked_after(found: Mapping[str, Any]) -> bool:
    """Whether the operator has said how an object is, and goes when it goes only."""
    return "conditions" in found.get("status", {}) and FINALIZER in found["metadata"].get("finalizers", ())


def unanswered(api_proxy: ApiProxy, path: str) -> "Future[str]":
    """Spoil the next write of a status, which may have been done all the same; return the request by which that is found out."""
    api_proxy.spoil(f"PATCH {OURS}/{path}/status", refuse(504), times=1)
    return api_proxy.next_request(f"GET {OURS}/{path}$")


def come(cluster: Cluster, engine: DockerEngine) -> None:
    """Declare a host and a workload, and wait until it is known of both how they are."""
    endpoint = f"tcp://127.0.0.1:{engine.tcp_port}"
    cluster.apply(docker_host("web-1", endpoint=endpoint, tls={"secretRef": {"name": "web-1"}}, allowedNamespaces=["default"]))
    cluster.apply(workload("hello", kind="site", host="web-1"))
    cluster.wait("DockerHost", "web-1", lambda found: condition_is(found, type_="Ready"))
    cluster.wait("Workload", "hello", lambda found: condition_is(found, type_="Ready", status="False", reason="NoContainers"))


def go(cluster: Cluster) -> None:
    """Delete both, and wait until the operator has let them go."""
    for kind, name in (("Workload", "hello"), ("DockerHost", "web-1")):
        cluster.delete(kind, name)
        cluster.wait_until_gone(kind, name)


def test_it_may_read_a_secret_of_its_own_namespace_by_name_and_do_nothing_else_that_harms(installation: Installation):
    cluster = installation.cluster
    installation.hold("ours", {"key": b"kept"})
    installation.hold("theirs", {"key": b"theirs"}, "default")
    cluster.apply(docker_host())
    cluster.apply(workload())
    as_operator = ("--kubeconfig", installation.kubeconfig)
    assert cluster.kubectl(*as_operator, "get", "secret", "ours", "--output=jsonpath={.data.key}").stdout == "a2VwdA=="
    written = json.dumps(workload(suspend=True))
    answers = {what: cluster.kubectl(*as_operator, *ask, text=written, check=False).stderr for what, ask in MAY_NOT.items()}
    assert {what: answer for what, answer in answers.items() if "forbidden" not in answer.lower()} == {}
