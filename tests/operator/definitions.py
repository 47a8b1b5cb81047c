"""Our definitions in another state than our own: as a younger or an older release would have left them."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.cluster import Cluster
from tests.servers.kubernetes_api import Refused

SECONDS = 30
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
HOSTS = "dockerhosts.tinyforge.dev"
WORKLOADS = "workloads.tinyforge.dev"


@contextmanager
def laxer_definition(cluster: Cluster, sample: dict[str, Any], *, name: str = HOSTS) -> Iterator[None]:
    """Let the API server take any spec, for the length of a block; `sample` is an object that it refuses before and after."""
    path = f"{DEFINITIONS}/{name}"
    ours = cluster.api.request("GET", path)["spec"]["versions"]
    (version,) = ours
    schema = version["schema"]["openAPIV3Schema"]
    spec = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    lax = {**version, "schema": {"openAPIV3Schema": {**schema, "properties": {**schema["properties"], "spec": spec}}}}
    cluster.api.patch(path, {"spec": {"versions": [lax]}})
    try:
        until(lambda: is_taken(cluster, sample))
        yield
    finally:
        cluster.api.patch(path, {"spec": {"versions": ours}})
        until(lambda: not is_taken(cluster, sample))


@contextmanager
def deleted(cluster: Cluster) -> Iterator[None]:
    """Delete our definitions, and with them all objects; apply them again at the end of a block."""
    for name in (HOSTS, WORKLOADS):
        cluster.api.request("DELETE", f"{DEFINITIONS}/{name}")
    until(lambda: not cluster.api.request("GET", DEFINITIONS)["items"])
    try:
        yield
    finally:
        until(lambda: are_applied(cluster))


def are_applied(cluster: Cluster) -> bool:
    """Apply our definitions, and tell whether they are served yet; a moment after they were gone the API server answers in no JSON."""
    try:
        Cluster(cluster.control_plane)
    except (AssertionError, ValueError):
        return False
    return True


def is_taken(cluster: Cluster, sample: dict[str, Any]) -> bool:
    """Whether the API server would take an object."""
    path = f"{cluster.api.resource(sample['kind']).path()}?dryRun=All"
    try:
        cluster.api.request("POST", path, {**sample, "metadata": {"generateName": "sample-"}})
    except Refused:
        return False
    return True


def until(look: Callable[[], bool]) -> None:
    """Wait: a definition is in force some moments after it was taken."""
    deadline = time.monotonic() + SECONDS
    while not look():
        assert time.monotonic() < deadline, "the definition does not come into force"
        time.sleep(0.05)
