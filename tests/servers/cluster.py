"""The tests' control plane with the CRDs of manifests/crds in it, and nothing left from an earlier test.

Fixtures (a plugin of tests/conftest.py):

* `cluster`: on the control plane that all tests of this process share. What runs on it has to be stopped before the test ends: then its
  objects are deleted, whatever their finalizers say;
* `own_cluster`: the same on a control plane for this test alone, `own_cluster.control_plane`, to be broken.

A test with an event loop waits in a thread: `await asyncio.to_thread(cluster.wait, ...)`. The very first object of ours takes 2 s: for so
long after a CRD is new the API server holds creations back.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.servers.kubernetes import ROOT, ControlPlane
from tests.servers.kubernetes_api import KubernetesApi, Object, Refused

SECONDS = 30
OURS = ("Workload", "DockerHost")
# What may be left in a namespace; there are no controllers to look after it.
IN_NAMESPACES = ("Event", "Lease", "Secret", "ConfigMap", "ServiceAccount", "Role", "RoleBinding", "Deployment", "Service", "Pod")
SYSTEM = frozenset({"default", "kube-node-lease", "kube-public", "kube-system"})


class Cluster:
    """Objects of the API server, by the names that kubectl takes for their kinds. A namespace that is not given is `default`."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self.control_plane = control_plane
        self.kubeconfig: Path = control_plane.admin
        self.kubectl = control_plane.kubectl
        self.api: KubernetesApi = control_plane.api
        self._applied: list[str] = []
        for file in sorted((ROOT / "manifests/crds").glob("*.yaml")):
            self.apply(file.read_text())
        self._applied.clear()
        self._wait_until_served()

    def apply(self, written: str | Object) -> list[Object]:
        """Apply objects, given as one or as YAML, as `kubectl apply --server-side --force-conflicts` does; unknown fields are refused."""
        documents = yaml.load_all(written, Loader=yaml.CSafeLoader) if isinstance(written, str) else [written]
        return [self._apply(document) for document in documents if document]

    def get(self, kind: str, name: str, namespace: str = "default") -> Object:
        """Return an object; absent, it is Refused with the reason NotFound."""
        found: Object = self.api.request("GET", self._path(kind, name, namespace))
        return found

    def list(self, kind: str, namespace: str = "") -> list[Object]:
        """Return the objects of a namespace, or of all."""
        found: list[Object] = self.api.request("GET", self._path(kind, "", namespace))["items"]
        return found

    def patch(self, kind: str, name: str, change: Mapping[str, Any], namespace: str = "default", *, subresource: str = "") -> Object:
        """Change an object, or its subresource, by a merge patch."""
        return self.api.patch(self._path(kind, name, namespace, subresource), change)

    def delete(self, kind: str, name: str, namespace: str = "default") -> None:
        """Ask for an object's deletion; finalizers may keep it."""
        self.api.request("DELETE", self._path(kind, name, namespace))

    def wait(
        self, kind: str, name: str, until: Callable[[Object], object], namespace: str = "default", *, seconds: float = SECONDS
    ) -> Object:
        """Watch an object until something is true of it, through outages and before there is one; return it as it is then."""
        return self._wait(kind, name, namespace, seconds, lambda found: found is not None and until(found)) or {}

    def wait_until_gone(self, kind: str, name: str, namespace: str = "default", *, seconds: float = SECONDS) -> None:
        """Watch an object until it is no more."""
        self._wait(kind, name, namespace, seconds, lambda found: found is None)

    def new_namespace(self) -> str:
        """Make a namespace for this test, and return its name."""
        name = f"test-{uuid.uuid4().hex[:8]}"
        self.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        return name

    def clean(self) -> None:
        """Delete what tests leave: our objects, what was applied, and other namespaces with what is in them."""
        for kind in OURS:
            self._delete_all(kind)
        for path in reversed(self._applied):
            with suppress(Refused):  # it is gone already
                self.api.request("DELETE", path)
        self._empty("default")
        for namespace in self.list("Namespace"):
            if namespace["metadata"]["name"] not in SYSTEM:
                self._remove(namespace)

    def _wait_until_served(self) -> None:
        """Wait longer than for the condition Established, after which it may still answer 404, and then 429 for a moment."""
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                for kind in OURS:
                    self.list(kind)
            except AssertionError:
                assert time.monotonic() < deadline, "the API server does not serve our kinds"
                time.sleep(0.01)
            else:
                return

    def _apply(self, document: Object) -> Object:
        metadata = document["metadata"]
        path = self._path(document["kind"], metadata["name"], metadata.get("namespace", "default"))
        self._applied.append(path)
        return self.api.patch(path, document, "apply", fieldManager="tests", force="true", fieldValidation="Strict")

    def _path(self, kind: str, name: str, namespace: str, subresource: str = "") -> str:
        return self.api.resource(kind).path(name, namespace=namespace, subresource=subresource)

    def _wait(self, kind: str, name: str, namespace: str, seconds: float, until: Callable[[Object | None], object]) -> Object | None:
        deadline = time.monotonic() + seconds
        seen: Object | None = None
        while (left := deadline - time.monotonic()) > 0:
            try:
                for seen in self._states(kind, name, namespace, left):
                    if until(seen):
                        return seen
            except (OSError, Refused):
                time.sleep(0.05)  # nobody answers, or not yet
        raise AssertionError(f"after {seconds} s {kind} {name} in {namespace} is: {seen}")

    def _states(self, kind: str, name: str, namespace: str, seconds: float) -> Iterator[Object | None]:
        """Yield an object as it is now, and whenever it changes."""
        path, only = self._path(kind, "", namespace), f"fieldSelector=metadata.name%3D{name}"
        listed = self.api.request("GET", f"{path}?{only}")
        yield next(iter(listed["items"]), None)
        for event in self.api.watch(path, f"{only}&resourceVersion={listed['metadata']['resourceVersion']}", seconds):
            if event["type"] == "ERROR":
                return
            yield None if event["type"] == "DELETED" else event["object"]

    def _delete_all(self, kind: str) -> None:
        for found in self.list(kind):
            metadata = found["metadata"]
            path = self._path(kind, metadata["name"], metadata.get("namespace", ""))
            with suppress(Refused):  # it went by itself, for its deletion was asked for before
                if metadata.get("finalizers"):
                    self.api.patch(path, {"metadata": {"finalizers": None}})
                self.api.request("DELETE", path)

    def _empty(self, namespace: str) -> None:
        for kind in IN_NAMESPACES:
            self.api.request("DELETE", self._path(kind, "", namespace))

    def _remove(self, namespace: Object) -> None:
        """Do what the namespace controller takes 5 seconds for."""
        name = namespace["metadata"]["name"]
        self._empty(name)
        with suppress(Refused):  # the controller runs, and was quicker
            ending = self.api.request("DELETE", f"/api/v1/namespaces/{name}")
            self.api.request("PUT", f"/api/v1/namespaces/{name}/finalize", {**ending, "spec": {"finalizers": []}})


def condition_is(found: Object, *, type_: str, status: str = "True", reason: str = "") -> bool:
    """Whether an object has a condition of a type with a status, and with a reason if one is given."""
    conditions: Sequence[Object] = found.get("status", {}).get("conditions", [])
    wanted = {"type": type_, "status": status} | ({"reason": reason} if reason else {})
    return any(wanted.items() <= condition.items() for condition in conditions)


@pytest.fixture
def cluster(control_plane: ControlPlane) -> Iterator[Cluster]:
    cluster = Cluster(control_plane)
    yield cluster
    cluster.clean()


@pytest.fixture
def own_cluster(own_control_plane: ControlPlane) -> Cluster:
    return Cluster(own_control_plane)
