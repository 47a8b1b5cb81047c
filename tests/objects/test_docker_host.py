import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objects.complaints import complaints
from tests.objects.documents import docker_host, read_host
from tinyforge.domain.endpoints import Endpoint
from tinyforge.domain.hosts import Host
from tinyforge.objects.endpoint_rule import ENDPOINT


def test_the_smallest_host_has_an_endpoint_and_lets_no_namespace_in():
    assert read_host(docker_host()).to_host() == Host(name="local", endpoint="unix:///var/run/docker.sock")


def test_every_field_reaches_the_domain():
    document = docker_host(
        "far",
        endpoint="tcp://engine.example.com:2376",
        tls={"secretRef": {"name": "far-tls"}},
        ssh={"secretRef": {"name": "far-ssh"}},
        suspend=True,
        acknowledgedEngineID="ABCD:EFGH",
        allowedNamespaces=["shop", "*"],
    )
    assert read_host(document).to_host() == Host(
        name="far",
        endpoint="tcp://engine.example.com:2376",
        tls_secret="far-tls",
        ssh_secret="far-ssh",
        suspended=True,
        acknowledged_engine_id="ABCD:EFGH",
        allowed_namespaces=("shop", "*"),
    )


@pytest.mark.parametrize("endpoint", ["unix:///run/docker.sock", "tcp://10.0.0.7:2376", "ssh://deploy@example.com"])
def test_the_three_kinds_of_endpoint_are_accepted(endpoint):
    secret = {"secretRef": {"name": "keys"}}
    assert read_host(docker_host(endpoint=endpoint, tls=secret, ssh=secret)).to_host().endpoint == endpoint


@pytest.mark.parametrize("endpoint", ["http://x", "unix://relative", "tcp://host", "ssh://host", "docker", ""])
def test_any_other_endpoint_is_refused_and_the_three_kinds_are_named(endpoint):
    (complaint,) = complaints(docker_host(endpoint=endpoint, tls={"secretRef": {"name": "keys"}}))
    assert complaint.startswith("spec.endpoint: ")
    assert "unix:///" in complaint


def is_endpoint(text: str) -> bool:
    try:
        Endpoint.parse(text)
    except ValueError:
        return False
    return True


@given(st.from_regex(ENDPOINT, fullmatch=True) | st.from_regex(r"(unix|tcp|ssh)://[a-z@]{0,3}(\[::1\])?(:[0-9]{1,6})?(/[a-z./]{0,3})?"))
def test_the_rule_of_the_crd_lets_pass_every_endpoint_that_python_takes(endpoint):
    if is_endpoint(endpoint):
        assert re.search(ENDPOINT, endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        *("unix:///", "unix:///var/run/", f"unix:///{'a' * 107}", "tcp://h:0", "tcp://h:65536", "tcp://h:123456", "tcp://-h:1"),
        *(
            "tcp://h:1/path",
            "ssh://me@h:0",
            "ssh://-me@h",
            "ssh://me@h/$x",
            "ssh://me@h/a/",
            "ssh://me:secret@h",
            " unix:///a",
            "unix:///a\n",
        ),
    ],
)
def test_the_rule_of_the_crd_refuses_what_python_refuses(endpoint):
    assert not is_endpoint(endpoint)
    assert not re.fullmatch(ENDPOINT, endpoint)


def test_a_namespace_is_allowed_once():
    assert complaints(docker_host(allowedNamespaces=["shop", "*", "shop"])) == [
        "spec.allowedNamespaces: shop is given twice; give every namespace once"
    ]


def test_tcp_needs_the_name_of_a_secret_for_tls():
    assert complaints(docker_host(endpoint="tcp://10.0.0.7:2376")) == [
        "spec.tls: tcp:// needs spec.tls.secretRef.name, the Secret with ca.crt, tls.crt and tls.key"
    ]


def test_ssh_needs_the_name_of_a_secret_for_ssh():
    assert complaints(docker_host(endpoint="ssh://deploy@example.com")) == [
        "spec.ssh: ssh:// needs spec.ssh.secretRef.name, the Secret with ssh-privatekey and known_hosts"
    ]


def test_the_name_of_a_secret_cannot_lead_out_of_its_folder():
    assert "allowed: lower-case letters" in complaints(docker_host(tls={"secretRef": {"name": "../../etc"}}))[0]


@pytest.mark.parametrize("name", ["Local", "a.b", "-a", "a-", "a_b", "a\n", "ä", "a" * 64, ""])
def test_a_name_that_is_no_rfc_1123_label_is_refused(name):
    assert complaints(docker_host(name))[0].startswith("metadata.name: ")


def test_a_name_of_63_characters_is_accepted():
    assert read_host(docker_host("a" * 63)).id == "a" * 63


def test_what_kubernetes_adds_to_metadata_and_status_is_ignored():
    document = docker_host()
    document["metadata"] |= {"uid": "1", "labels": {"a": "b"}, "managedFields": [{}], "creationTimestamp": "2026-01-01T00:00:00Z"}
    document["status"] = {"whatever": ["an older program", "wrote"]}
    assert read_host(document).to_host() == read_host(docker_host()).to_host()


def test_a_password_in_an_endpoint_is_never_repeated():
    told = complaints(docker_host(endpoint="ssh://deploy:hunter2@example.com")) + complaints(docker_host(endpoint="tcp://u:hunter2@h" * 99))
    assert told
    assert not any("hunter2" in complaint for complaint in told)
