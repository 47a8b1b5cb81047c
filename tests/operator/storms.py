"""Many edits, one straight after the other over one connection: as quick as the API server takes them."""

import http.client
import itertools
import json
import ssl
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

from tests.servers.cluster import Cluster

SECONDS = 30


class Editor:
    """Somebody who edits workloads of the namespace default."""

    def __init__(self, connection: http.client.HTTPSConnection) -> None:
        self._connection = connection

    def create(self, objects: Iterable[dict[str, Any]]) -> None:
        """Create workloads."""
        for written in objects:
            self._ask("POST", "", written, "application/json")

    def regroup(self, name: str, group: str) -> None:
        """Give a workload another group, which changes nothing but its generation."""
        self._ask("PATCH", f"/{name}", {"spec": {"group": group}}, "application/merge-patch+json")

    def regroup_all(self, names: Sequence[str], enough: threading.Event) -> int:
        """Do that to some workloads in turn until it is enough, and return how often it was done."""
        for number in itertools.count():
            if enough.is_set():
                return number
            self.regroup(names[number % len(names)], f"g{number}")
        raise AssertionError

    def _ask(self, method: str, name: str, body: object, content_type: str) -> None:
        path = f"/apis/tinyforge.dev/v1alpha1/namespaces/default/workloads{name}"
        self._connection.request(method, path, json.dumps(body), {"Content-Type": content_type})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status < 300, said


@contextmanager
def editor(cluster: Cluster) -> Iterator[Editor]:
    """An editor who is the cluster's admin."""
    folder = cluster.control_plane.folder
    tls = ssl.create_default_context(cafile=folder / "ca.crt")
    tls.load_cert_chain(folder / "admin.crt", folder / "admin.key")
    connection = http.client.HTTPSConnection(urlsplit(cluster.control_plane.url).netloc, context=tls, timeout=SECONDS)
    with closing(connection):
        yield Editor(connection)
