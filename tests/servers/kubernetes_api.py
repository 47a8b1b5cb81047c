"""The API server as the tests ask it: JSON over connections that are kept, and kinds by the names that kubectl takes.

Used by `tests.servers.kubernetes` and `tests.servers.cluster`. It never retries: an outage shows as the OSError that it is.
"""

import http.client
import json
import select
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

Object = dict[str, Any]
DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
PATCH_TYPES = {"apply": "application/apply-patch+yaml", "merge": "application/merge-patch+json", "json": "application/json-patch+json"}
SECONDS = 30


class Refused(AssertionError):
    """The API server answered with an error; `status` is its HTTP code, `reason` Kubernetes' own word for it."""

    def __init__(self, status: int, answer: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {answer.get('reason', '')}: {answer.get('message', answer)}")
        self.status = status
        self.reason = str(answer.get("reason", ""))
        self.message = str(answer.get("message", ""))


@dataclass(frozen=True)
class Resource:
    """A kind of objects, and where they are."""

    kind: str
    plural: str
    group_version: str
    namespaced: bool

    def path(self, name: str = "", *, namespace: str = "", subresource: str = "") -> str:
        """The path of one object, of all of a namespace, or of all."""
        root = f"/apis/{self.group_version}" if "/" in self.group_version else f"/api/{self.group_version}"
        within = f"namespaces/{namespace}" if self.namespaced and namespace else ""
        return "/".join(filter(None, (root, within, self.plural, quote(name), subresource)))


class KubernetesApi:
    """An API server at `url`, asked as whoever the TLS context's certificate says."""

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._place = urlsplit(url).netloc
        self._tls = tls
        self._idle: list[http.client.HTTPSConnection] = []
        self._resources: dict[str, Resource] = {}

    def request(self, method: str, path: str, body: object = None, *, content_type: str = "application/json") -> Any:
        """Return the answer's JSON.

        Raises:
            Refused: It was an error.
            OSError: Nobody answered.
        """
        with self._kept_connection() as connection:
            connection.request(method, path, None if body is None else json.dumps(body), {"Content-Type": content_type})
            answer = connection.getresponse()
            content = json.loads(answer.read() or b"{}")
        if answer.status >= 400:
            raise Refused(answer.status, content)
        return content

    def patch(self, path: str, body: object, kind: str = "merge", **parameters: str) -> Object:
        """Patch an object: `apply` (on the server, by a field manager), `merge` or `json`."""
        query = "&".join(f"{name}={quote(value)}" for name, value in parameters.items())
        result: Object = self.request("PATCH", f"{path}?{query}", body, content_type=PATCH_TYPES[kind])
        return result

    def watch(self, path: str, query: str, seconds: float) -> Iterator[Object]:
        """Yield the events of a watch, until the server or `seconds` end it."""
        with closing(self._connection()) as connection:
            connection.request("GET", f"{path}?watch=true&{query}&timeoutSeconds={max(1, round(seconds))}")
            answer = connection.getresponse()
            if answer.status >= 400:
                raise Refused(answer.status, json.loads(answer.read()))
            while line := answer.readline():
                yield json.loads(line)

    def is_ready(self) -> bool:
        """Whether it answers, and says that it is ready."""
        try:
            with closing(self._connection()) as connection:
                connection.request("GET", "/readyz")
                return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def resource(self, name: str) -> Resource:
        """A kind of objects by its name as kubectl takes it: `Workload`, `workloads`, `wl`."""
        if name.lower() not in self._resources:
            self._resources = self._discover()
        assert name.lower() in self._resources, f"the API server knows no {name}"
        return self._resources[name.lower()]

    def close(self) -> None:
        """Close what connections are kept."""
        while self._idle:
            self._idle.pop().close()

    def _discover(self) -> dict[str, Resource]:
        found: dict[str, Resource] = {}
        for root in ("/api", "/apis"):
            with closing(self._connection()) as connection:
                connection.request("GET", root, headers={"Accept": DISCOVERY})
                groups = json.loads(connection.getresponse().read())["items"]
            for names, resource in _resources(groups):
                for name in names:
                    found.setdefault(name, resource)
        return found

    @contextmanager
    def _kept_connection(self) -> Iterator[http.client.HTTPSConnection]:
        """A connection that is there already, if the server has not closed it; it is kept again if all went well."""
        try:
            connection = self._idle.pop()
        except IndexError:  # asked for and taken in one, since threads share them
            connection = self._connection()
        if connection.sock and select.select([connection.sock], [], [], 0)[0]:
            connection.close()  # http.client connects again by itself
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)

    def _connection(self) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._place, context=self._tls, timeout=SECONDS)


def _resources(groups: list[Object]) -> Iterator[tuple[set[str], Resource]]:
    for group in groups:
        group_name = group["metadata"].get("name", "")
        for version in group["versions"]:
            for entry in version["resources"]:
                resource = Resource(
                    kind=entry["responseKind"]["kind"],
                    plural=entry["resource"],
                    group_version=f"{group_name}/{version['version']}" if group_name else version["version"],
                    namespaced=entry["scope"] == "Namespaced",
                )
                yield {resource.kind.lower(), resource.plural, *entry.get("shortNames", [])}, resource
