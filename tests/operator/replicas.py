"""Several replicas of the operator as manifests/install runs them, each a process of its own with a pod's environment.

Fixtures:

* `installation`: the manifests, applied;
* `replicas`: starts replicas on the database of the test, and ends them with it.
"""

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.e2e.controllers import Controller
from tests.operator.installation import NAMESPACE, Installation
from tests.servers.cluster import Cluster

QUICK = {
    "TINYFORGE_LEASE_DURATION": "5s",
    "TINYFORGE_LEASE_RENEW_DEADLINE": "2s",
    "TINYFORGE_LEASE_RETRY_PERIOD": "500ms",
    "TINYFORGE_LEASE_REQUEST_TIMEOUT": "1s",
}
"""A Lease that is soon over."""


class Replica:
    """One of them."""

    def __init__(self, process: Controller) -> None:
        self.process = process
        self._address = process.says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]

    def ask(self, path: str) -> tuple[int, list[str]]:
        """Ask its HTTP port; the status and the lines of the answer."""
        try:
            with urllib.request.urlopen(f"http://{self._address}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode().splitlines()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode().splitlines()

    def metric(self, name: str) -> float:
        """What one of its metrics without labels is."""
        (line,) = [line for line in self.ask("/metrics")[1] if line.startswith(f"{name} ")]
        return float(line.rpartition(" ")[2])

    def elected(self, epoch: int) -> None:
        """Wait until it leads with this epoch."""
        self.process.says(f"leads with epoch {epoch} on")


class Replicas:
    """Those of one installation, on one database."""

    def __init__(self, installation: Installation, stack: ExitStack) -> None:
        self._installation = installation
        self._stack = stack

    def start(self, *options: str, **settings: str) -> Replica:
        """Start one, and return it when it can be asked."""
        process = self._installation.run(*options, settings=settings)
        self._stack.callback(process.kill)
        return Replica(process)

    def standing_by(self, **settings: str) -> Replica:
        """Start one, and return it when it stands by."""
        replica = self.start(**settings)
        replica.process.says("stands by for the Lease")
        return replica

    def leading(self, **settings: str) -> Replica:
        """Start the first one, and return it when it leads."""
        replica = self.start(**settings)
        replica.elected(1)
        return replica

    @property
    def lease(self) -> dict[str, Any]:
        """What the Lease says."""
        spec: dict[str, Any] = self._installation.cluster.get("Lease", "tinyforge", NAMESPACE)["spec"]
        return spec


@pytest.fixture
def installation(cluster: Cluster) -> Iterator[Installation]:
    installation = Installation(cluster)
    yield installation
    installation.remove()


@pytest.fixture
def replicas(installation: Installation, database_url: str) -> Iterator[Replicas]:
    installation.initialise(database_url)
    with ExitStack() as stack:
        yield Replicas(installation, stack)
