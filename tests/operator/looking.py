"""Objects as somebody writes them who tries the operator out, and what their statuses are waited for to say."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from tests.objects.documents import docker_host, workload
from tests.servers.cluster import Cluster, condition_is

Object = dict[str, Any]

LIST = "/containers/json"
"""What an engine is asked for once a pass."""


def host(endpoint: str, name: str = "local", **spec: object) -> Object:
    """A host that namespace default may use."""
    return docker_host(name, **{"endpoint": endpoint, "allowedNamespaces": ["default"]} | spec)


def stack(name: str = "shop", **more: Any) -> Object:
    """A stack on host local."""
    return workload(name, **{"kind": "stack"} | more)


def becomes(
    cluster: Cluster,
    kind: str,
    name: str,
    status: str,
    reason: str,
    *,
    namespace: str = "default",
    type_: str = "Ready",
    unless: Callable[[Object], object] = lambda _: False,
) -> Object:
    """Wait until a condition of an object has a status and a reason, and return the object.

    It has to be said of the spec that the object has now; `unless` says what else is waited for to end.
    """

    def as_wanted(found: Object) -> bool:
        current = found["metadata"]["generation"] == found.get("status", {}).get("observedGeneration")
        return current and condition_is(found, type_=type_, status=status, reason=reason) and not unless(found)

    return cluster.wait(kind, name, as_wanted, namespace)


def held(cluster: Cluster, kind: str, name: str, namespace: str = "default") -> Object:
    """Wait until an operator has put its finalizer on an object, and return the object; that may be after its first status."""
    return cluster.wait(kind, name, lambda it: "finalizers" in it["metadata"], namespace)


def delete_by_hand(cluster: Cluster, kind: str, name: str, namespace: str = "default") -> None:
    """Delete an object and take its finalizer out, as somebody does whose operator does not."""
    cluster.delete(kind, name, namespace)
    cluster.patch(kind, name, {"metadata": {"finalizers": None}}, namespace)
    cluster.wait_until_gone(kind, name, namespace)


def workload_becomes(cluster: Cluster, status: str, reason: str, name: str = "shop", **more: Any) -> Object:
    """Wait for a workload's condition Ready."""
    return becomes(cluster, "Workload", name, status, reason, **more)


def host_becomes(cluster: Cluster, status: str, reason: str, name: str = "local", **more: Any) -> Object:
    """Wait for a host's condition Ready."""
    return becomes(cluster, "DockerHost", name, status, reason, **more)


def condition(found: Object, type_: str = "Ready") -> Object:
    """A condition of an object, which it has."""
    return next(it for it in found["status"]["conditions"] if it["type"] == type_)


def message(found: Object, type_: str = "Ready") -> str:
    """What a condition says to people."""
    return str(condition(found, type_)["message"])


def since(found: Object, type_: str = "Ready") -> datetime:
    """Since when a condition is as it is."""
    return datetime.fromisoformat(condition(found, type_)["lastTransitionTime"])


def counts(found: Object) -> dict[str, int]:
    """The counts of a workload that are not 0."""
    return {name: number for name, number in found["status"]["containers"].items() if name != "summary" and number}


def last_pass(found: Object) -> datetime:
    """When the last pass of a host was made."""
    return datetime.fromisoformat(found["status"]["lastPass"]["at"])
