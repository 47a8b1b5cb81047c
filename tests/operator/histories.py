"""Everything that an object was while a test ran: its states as a watch tells of them, each one."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.servers.cluster import Cluster

SECONDS = 60
END = "histories"


@contextmanager
def history(cluster: Cluster, kind: str, namespace: str = "default") -> Iterator[list[dict[str, Any]]]:
    """Collect the states of all objects of a kind in a namespace; all of them are there when the block has ended."""
    resource = cluster.api.resource(kind)
    path = resource.path(namespace=namespace)
    since = cluster.api.request("GET", path)["metadata"]["resourceVersion"]
    states: list[dict[str, Any]] = []

    def watch() -> None:
        for event in cluster.api.watch(path, f"resourceVersion={since}", SECONDS):
            if event["object"]["metadata"]["name"] == END:
                return
            states.append(event["object"])

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield states
    finally:
        sample = {"Workload": {"kind": "project", "host": END}, "DockerHost": {"endpoint": "unix:///nowhere.sock", "suspend": True}}
        cluster.apply(
            {"apiVersion": resource.group_version, "kind": kind, "metadata": {"name": END, "namespace": namespace}, "spec": sample[kind]}
        )
        watching.join(SECONDS)
