"""What the tests of the operator's Secrets share: what a Secret holds, the way there, and a clock."""

from base64 import b64encode
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from tests.cluster.connections import connection, controller
from tests.servers.api_proxy import ApiProxy
from tests.servers.certificates import Authority, Certificate
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.operator.secrets import FRESH_SECONDS, ClusterSecrets

READING = "GET /api/v1/namespaces/default/secrets/vps1"


class Clock:
    """A clock that goes on when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float = FRESH_SECONDS) -> None:
        self.now += seconds


def hold(cluster: RealCluster, content: Mapping[str, bytes]) -> None:
    """Make the Secret hold this and nothing else."""
    data = {key: b64encode(value).decode() for key, value in content.items()}
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vps1"}, "data": data})


def hold_credentials(cluster: RealCluster, authority: Authority, client: Certificate) -> None:
    hold(cluster, {"ca.crt": authority.root.pem, "tls.crt": client.pem, "tls.key": client.key_pem()})


def readings(api_proxy: ApiProxy) -> int:
    """How often the Secret was asked for."""
    return api_proxy.requests.count(READING)


@asynccontextmanager
async def controllers_secrets(cluster: RealCluster, api_proxy: ApiProxy, clock: Clock) -> AsyncIterator[ClusterSecrets]:
    """The Secrets as the controller has them, through the proxy."""
    async with connection(api_proxy.kubeconfig(controller(cluster))) as connected:
        secrets = ClusterSecrets(connected, clock=clock)
        yield secrets
        await secrets.close()
