"""Where the cluster is looked for, and what is said when it is not there."""

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tests.servers.certificates import Authority
from tinyforge.cluster import NoCluster, connect, find_access
from tinyforge.cluster.kubeconfig import read_kubeconfig

TOKEN = "a-token-that-nobody-may-see"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch):
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT", "POD_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a pod has."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    folder = tmp_path / "serviceaccount"
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    (folder / "namespace").write_text("forge\n")
    (folder / "ca.crt").write_bytes(Authority.make("cluster").root.pem)
    return folder


def config(name: str = "one", *, server: str = "https://127.0.0.1:6443", **user: str) -> dict[str, Any]:
    return {
        "clusters": [{"name": name, "cluster": {"server": server}}],
        "users": [{"name": name, "user": user or {"token": TOKEN}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": f"ns-{name}"}}],
        "current-context": name,
    }


def written(file: Path, content: object) -> str:
    file.parent.mkdir(exist_ok=True)
    file.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
    return str(file)


def test_kubeconfig_and_its_current_context_come_first(service_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "config", config()))
    access = find_access(service_account=service_account)
    assert (access.server, access.namespace) == ("https://127.0.0.1:6443", "ns-one")
    assert access.found_by.startswith("KUBECONFIG=")


def test_a_pod_uses_its_service_account_and_its_namespace(service_account: Path):
    access = find_access(service_account=service_account)
    assert (access.server, access.namespace) == ("https://10.96.0.1:443", "forge")
    assert connect(access, instance="controller-0").namespace == "forge"


def test_our_own_namespace_is_what_the_pod_was_told(service_account: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("POD_NAMESPACE", "told")
    assert find_access(service_account=service_account).namespace == "told"


def test_a_context_without_a_namespace_means_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = config()
    del content["contexts"][0]["context"]["namespace"]
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "config", content))
    assert find_access().namespace == "default"


def test_without_any_cluster_it_says_what_to_set():
    with pytest.raises(NoCluster, match="no cluster: set KUBECONFIG"):
        find_access()


def test_a_pod_without_a_token_says_what_is_missing(service_account: Path):
    (service_account / "token").unlink()
    with pytest.raises(NoCluster, match=r"service account is unusable .*token.*: have its token mounted"):
        find_access(service_account=service_account)


def test_of_several_files_the_first_to_say_something_wins(tmp_path: Path):
    one = written(tmp_path / "1", config(server="https://one") | {"current-context": None})
    two = written(tmp_path / "2", config("two", server="https://two"))
    three = written(tmp_path / "3", config("two", server="https://three") | {"current-context": "one"})
    found = read_kubeconfig(os.pathsep.join((one, two, three)))
    assert (found.context_name, found.cluster.server) == ("two", "https://two")


def test_files_are_found_beside_the_kubeconfig_that_names_them(tmp_path: Path):
    content = config(tokenFile="my/token", **{"client-certificate": "c.crt", "client-key": "/elsewhere/c.key"})
    content["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    found = read_kubeconfig(written(tmp_path / "kube/config", content))
    assert found.cluster.certificate_auth == str(tmp_path / "kube/ca.crt")
    assert found.user is not None
    assert (found.user.token_file, found.user.client_cert, found.user.client_key) == (
        str(tmp_path / "kube/my/token"),
        str(tmp_path / "kube/c.crt"),
        "/elsewhere/c.key",
    )


def test_a_context_may_do_without_a_user_as_kubectl_proxy_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    content = config(server="http://127.0.0.1:8001")
    del content["contexts"][0]["context"]["user"]
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "config", content))
    connect(find_access(), instance="controller-0")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "is no kubeconfig"),
        ("{", "is no YAML"),
        ("- a", "is no kubeconfig"),
        (config() | {"current-context": None}, "No current context set"),
        (config() | {"current-context": "gone"}, "Context 'gone' not found"),
        (config() | {"clusters": []}, "'one' is missing or unknown"),
        (config() | {"users": []}, "'one' is missing or unknown"),
    ],
)
def test_a_kubeconfig_that_is_none_is_named_with_what_is_wrong(content: object, complaint: str, tmp_path: Path):
    file = written(tmp_path / "config", content)
    with pytest.raises(NoCluster) as refused:
        read_kubeconfig(file)
    assert file in str(refused.value)
    assert complaint in str(refused.value)


def test_a_kubeconfig_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(NoCluster, match=r"KUBECONFIG names '.*nowhere', which cannot be read: No such file"):
        read_kubeconfig(str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    "user",
    [
        {"client-certificate-data": "bm90aGluZw==", "client-key-data": "bm90aGluZw=="},
        {"client-certificate-data": "?", "client-key-data": "?"},
        {"client-certificate": "nowhere.crt", "client-key": "nowhere.key"},
    ],
)
def test_a_certificate_that_is_none_is_said_at_the_start(user: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "config", config(**user)))
    with pytest.raises(NoCluster, match=r"KUBECONFIG=.*: a certificate, a key or the way of logging in cannot be used"):
        connect(find_access(), instance="controller-0")


def test_a_token_is_never_shown(service_account: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert TOKEN not in repr(find_access(service_account=service_account))
    monkeypatch.setenv("KUBECONFIG", written(tmp_path / "config", config()))
    assert TOKEN not in repr(find_access())


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda of: st.lists(of) | st.dictionaries(st.text(), of))
ENTRIES = st.lists(st.fixed_dictionaries({}, optional={"name": JSON, "cluster": JSON, "user": JSON, "context": JSON}) | JSON)
KUBECONFIGS = st.fixed_dictionaries(
    {"clusters": ENTRIES | JSON, "users": ENTRIES | JSON, "contexts": ENTRIES | JSON, "current-context": JSON}
)


@given(KUBECONFIGS | JSON)
@example(config() | {"users": [{"name": "one", "user": {"token": 7}}]})
@example(config() | {"contexts": [{"name": "one", "context": {"cluster": ["one"]}}]})
@example(config() | {"contexts": [{"name": "one", "context": {"\U00010000": "a pair of surrogates, as json writes it and yaml reads it"}}]})
@quick
def test_whatever_a_kubeconfig_holds_it_is_used_or_refused(content: object):
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump(content, file)
        file.flush()
        with suppress(NoCluster):
            assert read_kubeconfig(file.name).cluster.server
