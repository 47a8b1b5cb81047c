"""What may never be is refused by the API server itself, with a sentence that names the field and the way out."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.crds.asking import taken
from tests.objects.documents import Document, docker_host, workload
from tests.servers.cluster import Cluster
from tests.servers.kubernetes_api import Refused

SECRET = {"secretRef": {"name": "keys"}}
ENDPOINTS = "spec.endpoint: Invalid value: *: allowed are unix:///path, tcp://host:port and ssh://user@host[:port][/path/to/docker.sock]"
NAME = "allowed: lower-case letters, digits and '-', with a letter or digit at both ends"


def face(**fields: Any) -> Document:
    return workload(faces=[{"domain": "app.example.com", **fields}])


def told(cluster: Cluster, document: Document) -> str:
    """What the API server says of an object that it refuses."""
    with pytest.raises(Refused) as caught:
        taken(cluster, document)
    return caught.value.message


def says(pattern: str, message: str) -> bool:
    """Whether a message holds a sentence, in which * stands for anything."""
    return bool(re.search(re.escape(pattern).replace(r"\*", ".*"), message))


@pytest.mark.parametrize(
    ("document", "sentence"),
    [
        (workload(kind="sitee"), 'spec.kind: Unsupported value: "sitee": supported values: "project", "site", "stack"'),
        (workload(kind="stack", ref="x"), "spec.ref: Forbidden: ref is for kind site only"),
        (workload(kind="site", composeProject="tinyforge-x"), "spec.composeProject: Forbidden: composeProject is for kind stack only"),
        (workload(kind="stack", composeProject="shop"), "spec.composeProject: Invalid value: *: composeProject begins with tinyforge-"),
        (
            workload(kind="stack", composeProject="tinyforge-A"),
            "spec.composeProject: Invalid value: *: allowed: tinyforge- and then lower-case letters, digits, '-' and '_'",
        ),
        (workload(host="Local"), f"spec.host: Invalid value: *: {NAME}"),
        (workload(host=None), "spec.host: Required value"),
        (workload(group=""), f"spec.group: Invalid value: *: {NAME}"),
        (workload(ref="a b", kind="site"), "spec.ref: Invalid value: *: allowed: letters, digits and punctuation of ASCII, without blanks"),
        (workload(source={"config": {}}), "spec.source.kind: Required value"),
        (workload(source={"kind": "x", "config": [1]}), "spec.source.config in body must be of type object"),
        (workload(suspend="yes"), "spec.suspend in body must be of type boolean"),
        (face(domain="App.example.com"), "spec.faces[0].domain: Invalid value: *: allowed: a domain in lower case, as app.example.com"),
        (face(path="cart"), "spec.faces[0].path: Invalid value: *: allowed: a path that begins with '/'"),
        (workload(faces=[{"path": "/"}]), "spec.faces[0].domain: Required value"),
        (
            workload(faces=[{"domain": "a.b"}, {"domain": "a.b", "path": "/", "port": 80}]),
            "spec.faces: Invalid value: *: every face has a domain and a path that no other has",
        ),
        (docker_host("a.b"), f"metadata.name: Invalid value: *: {NAME}"),
        (docker_host(tls={"secretRef": {"name": "../keys"}}), "spec.tls.secretRef.name: Invalid value: *: allowed: lower-case letters"),
        (docker_host(allowedNamespaces=["Shop"]), "spec.allowedNamespaces[0]: *: allowed: the name of a namespace, or '*' for all"),
        (docker_host(allowedNamespaces=["shop", "shop"]), 'spec.allowedNamespaces[1]: Duplicate value: "shop"'),
        (docker_host(acknowledgedEngineID="a b"), "spec.acknowledgedEngineID: Invalid value: *: allowed: letters, digits and punctuation"),
        (
            docker_host(endpoint="tcp://10.0.0.7:2376"),
            "spec.tls: Required value: tcp:// needs tls.secretRef.name, the Secret with ca.crt, tls.crt and tls.key",
        ),
        (
            docker_host(endpoint="ssh://me@h"),
            "spec.ssh: Required value: ssh:// needs ssh.secretRef.name, the Secret with ssh-privatekey and known_hosts",
        ),
    ],
)
def test_a_mistake_is_refused_with_its_field_and_what_is_allowed(document: Document, sentence: str, cluster: Cluster):
    message = told(cluster, document)
    assert says(sentence, message), message


@pytest.mark.parametrize(
    "endpoint",
    [
        *("", "docker", "http://h", "/var/run/docker.sock", "unix://relative", "unix:///", "unix:///run/", f"unix:///{'a' * 107}"),
        *("tcp://h", "tcp://h:0", "tcp://h:65536", "tcp://-h:1", "tcp://h:1/path", "ssh://h", "ssh://me@h:0", "ssh://me@h/$x"),
    ],
)
def test_an_endpoint_of_none_of_the_three_forms_is_refused_and_they_are_named(endpoint: str, cluster: Cluster):
    message = told(cluster, docker_host(endpoint=endpoint, tls=SECRET, ssh=SECRET))
    assert says(ENDPOINTS, message), message


def test_a_password_in_an_endpoint_is_not_repeated(cluster: Cluster):
    message = told(cluster, docker_host(endpoint="ssh://me:hunter2@h", ssh=SECRET))
    assert "spec.endpoint" in message
    assert "hunter2" not in message


@pytest.mark.parametrize(
    ("port", "sentence"),
    [
        (0, "greater than or equal to 1"),
        (-1, "greater than or equal to 1"),
        (65536, "less than or equal to 65535"),
        (10**30, "less than or equal to 65535"),
        (80.5, "must be of type integer"),
        ("80", "must be of type integer"),
        (True, "must be of type integer"),
    ],
)
def test_fault_39_a_port_that_is_none_is_refused(port: object, sentence: str, cluster: Cluster):
    message = told(cluster, face(port=port))
    assert says(f"spec.faces[0].port in body *{sentence}", message), message


def test_fault_39_a_port_written_as_80_0_is_stored_as_80(cluster: Cluster):
    (stored,) = taken(cluster, face(port=80.0))["spec"]["faces"]
    assert json.dumps(stored["port"]) == "80"


def test_fault_39_the_kind_of_a_workload_never_changes(cluster: Cluster):
    cluster.apply(workload(kind="site"))
    with pytest.raises(Refused, match=r"spec\.kind: Forbidden: a workload's kind never changes: delete it and write it anew"):
        cluster.apply(workload(kind="stack"))


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (workload("a" * 64), "metadata.name: Too long: may not be more than 63"),
        (docker_host("a" * 64), "metadata.name: Too long: may not be more than 63"),
        (workload(host="a" * 64), "spec.host: Too long: may not be more than 63"),
        (workload(kind="site", ref="a" * 256), "spec.ref: Too long: may not be more than 255"),
        (workload(kind="stack", composeProject=f"tinyforge-{'a' * 128}"), "spec.composeProject: Too long: may not be more than 137"),
        (face(path="/" + "a" * 1024), "spec.faces[0].path: Too long: may not be more than 1024"),
        (workload(faces=[{"domain": f"a{number}.b"} for number in range(65)]), "spec.faces: Too many: 65: must have at most 64 items"),
        (workload(source={"kind": "x", "config": {f"a{n}": 1 for n in range(1025)}}), "spec.source.config: Too many: 1025"),
        (docker_host(endpoint="unix:///" + "a" * 600), "spec.endpoint: Too long: may not be more than 512"),
        (docker_host(allowedNamespaces=[f"a{n}" for n in range(257)]), "spec.allowedNamespaces: Too many: 257: must have at most 256"),
    ],
)
def test_fault_39_everything_has_a_maximum(document: Document, field: str, cluster: Cluster):
    message = told(cluster, document)
    assert field in message, message


@pytest.fixture
def misspelt(tmp_path: Path) -> Path:
    file = tmp_path / "host.yaml"
    file.write_text(json.dumps(docker_host(sspend=True)))
    return file


def test_fault_39_kubectl_apply_refuses_a_field_that_is_not_known(misspelt: Path, cluster: Cluster):
    done = cluster.kubectl("apply", f"--filename={misspelt}", check=False)
    assert done.returncode == 1
    assert 'strict decoding error: unknown field "spec.sspend"' in done.stderr
    assert cluster.list("DockerHost") == []


def test_fault_39_a_field_that_is_not_known_is_never_stored_even_where_kubectl_only_warns(misspelt: Path, cluster: Cluster):
    done = cluster.kubectl("apply", f"--filename={misspelt}", "--validate=warn")
    assert 'Warning: unknown field "spec.sspend"' in done.stderr
    assert set(cluster.get("DockerHost", "local")["spec"]) == {"endpoint"}
