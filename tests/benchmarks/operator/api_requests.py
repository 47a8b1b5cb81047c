"""What an API server was asked, by its own count. A watch is counted at its end."""

from collections import Counter
from collections.abc import Callable, Collection
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from tests.servers.kubernetes import ControlPlane

WRITES = frozenset({"APPLY", "PATCH", "POST", "PUT", "DELETE", "DELETECOLLECTION"})
OURS = frozenset({"dockerhosts", "workloads"})
STATUSES = frozenset(f"{plural}/status" for plural in OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One sort of requests; `resource` is `workloads/status` for a subresource."""

    verb: str
    resource: str
    code: str

    @property
    def is_write(self) -> bool:
        """Whether it changes something, or tries to."""
        return self.verb in WRITES

    @property
    def is_taken_write(self) -> bool:
        """Whether it did change something."""
        return self.is_write and self.code.startswith("2")


class Requests:
    """How often what was asked since some moment."""

    def __init__(self, counts: Counter[Asked]) -> None:
        self._counts = counts

    @classmethod
    def until_now(cls, control_plane: ControlPlane) -> "Requests":
        """Read the API server's count. Its own requests to itself are in there too, about its leases and its accounts."""
        lines = control_plane.kubectl("get", "--raw", "/metrics").stdout.splitlines(keepends=True)
        text = "".join(line for line in lines if line.startswith("apiserver_request_total{"))
        counts = Counter[Asked]()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                labels = sample.labels
                resource = "/".join(filter(None, (labels["resource"], labels["subresource"])))
                counts[Asked(verb=labels["verb"], resource=resource, code=labels["code"])] += int(sample.value)
        return cls(counts)

    def since(self, before: "Requests") -> "Requests":
        """Return what was asked since an earlier count."""
        return Requests(self._counts - before._counts)

    def count(self, only: Callable[[Asked], bool]) -> int:
        """Count some of them."""
        return sum(number for asked, number in self._counts.items() if only(asked))

    def statuses(self, plural: str) -> int:
        """Count the statuses written, or tried to, of objects of a kind."""
        return self.count(lambda asked: asked.is_write and asked.resource == f"{plural}/status")

    def of(self, verbs: Collection[str], resources: Collection[str]) -> int:
        """Count what was asked of some resources by some verbs."""
        return self.count(lambda asked: asked.verb in verbs and asked.resource in resources)

    def __repr__(self) -> str:
        return "\n".join(
            f"{number:6} {asked.verb} {asked.resource} {asked.code}" for asked, number in sorted(self._counts.items(), key=str)
        )
