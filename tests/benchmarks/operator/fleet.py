"""What the operator is to look after: hosts that are one engine under many names, and workloads that are spread over them.

Every host has the same places for workloads. Those of one place claim the same Compose project, each on its own host; so a place's
containers are listed by every host, and have a row for each. Most of them are created and not started, which is a state like any other.
Every second place has a source and a trigger. One in twenty names a host that does not exist.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from tests.benchmarks.host import compose_labels
from tests.benchmarks.operator.scale import Scale
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes_api import KubernetesApi, Object
from tinyforge.objects.metadata import API_VERSION

SERVICES = 2  # containers a place
CREATORS = 8  # threads; more are no faster
NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a workload can be on any host; `number` counts from 0."""

    number: int

    @property
    def project(self) -> str:
        """The Compose project of its containers."""
        return f"tinyforge-bench-{self.number}"

    @property
    def runs(self) -> bool:
        """Whether its containers run."""
        return self.number % 10 == 0

    @property
    def is_dispatched(self) -> bool:
        """Whether its workloads have a source and a trigger."""
        return self.number % 2 == 0

    @property
    def has_host(self) -> bool:
        """Whether the host that its workloads name exists."""
        return self.number % 20 != 19

    def start_containers(self, engine: DockerEngine) -> None:
        """Create its containers, and start them if they are to run."""
        for service in range(SERVICES):
            engine.create(f"{self.project}-{service}", self._labels(service), ports=[8080], start=self.runs)

    def workload(self, host: int) -> Object:
        """Return its workload on a host."""
        spec: Object = {"kind": "stack", "host": host_name(host) if self.has_host else NOWHERE, "composeProject": self.project}
        if self.is_dispatched:
            roles = {f"service-{service}": {"image": "busybox"} for service in range(SERVICES)}
            spec |= {"source": {"kind": "external", "config": {"roles": roles}}, "trigger": {"kind": "manual"}}
        name = f"{host_name(host)}-{self.number}"
        return {"apiVersion": API_VERSION, "kind": "Workload", "metadata": {"name": name, "namespace": "default"}, "spec": spec}

    def _labels(self, service: int) -> dict[str, str]:
        of_place = {"com.docker.compose.project": self.project, "com.docker.compose.service": f"service-{service}"}
        return compose_labels(self.number * SERVICES + service) | of_place


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """The objects of a scale, on one engine."""

    scale: Scale
    engine: DockerEngine

    @property
    def places(self) -> list[Place]:
        """The places for workloads."""
        return [Place(number=number) for number in range(-(-self.scale.workloads // self.scale.hosts))]

    @property
    def mirrored(self) -> int:
        """How many of the workloads the index will have."""
        return sum(place.has_host for place, _ in self._spots())

    def workloads(self) -> list[Object]:
        """Return the workloads."""
        return [place.workload(host) for place, host in self._spots()]

    def hosts(self) -> list[Object]:
        """Return the hosts."""
        spec = {"endpoint": self.engine.endpoint, "allowedNamespaces": ["*"]}
        return [
            {"apiVersion": API_VERSION, "kind": "DockerHost", "metadata": {"name": host_name(number)}, "spec": spec}
            for number in range(self.scale.hosts)
        ]

    def create(self, api: KubernetesApi) -> None:
        """Create the containers and the objects."""
        with ThreadPoolExecutor(CREATORS) as creators:
            list(creators.map(lambda place: place.start_containers(self.engine), self.places))
            create_objects(api, creators, self.hosts() + self.workloads())

    def _spots(self) -> Iterator[tuple[Place, int]]:
        spots = [(place, host) for place in self.places for host in range(self.scale.hosts)]
        yield from spots[: self.scale.workloads]


def create_objects(api: KubernetesApi, creators: ThreadPoolExecutor, objects: Iterable[Object]) -> None:
    """Create objects, several at once."""

    def create(written: Object) -> None:
        metadata = written["metadata"]
        api.request("POST", api.resource(written["kind"]).path(namespace=metadata.get("namespace", "")), written)

    list(creators.map(create, objects))


def host_name(number: int) -> str:
    return f"engine-{number}"
