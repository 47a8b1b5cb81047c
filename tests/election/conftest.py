"""A namespace with the right to elect in it, and replicas."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.election.honest_database import HonestDatabase
from tests.election.replicas import Replicas, standing
from tests.election.the_lease import TheLease
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster
from tests.servers.kubernetes_users import elector_in


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    return cluster.new_namespace()


@pytest.fixture
def kubeconfig(cluster: Cluster, namespace: str) -> Path:
    """That of an account that may elect."""
    return elector_in(cluster, namespace)


@pytest.fixture
def proxied(kubeconfig: Path, api_proxy: ApiProxy) -> Path:
    """The same, but through the proxy."""
    return api_proxy.kubeconfig(kubeconfig)


@pytest.fixture
def lease(cluster: Cluster, namespace: str) -> TheLease:
    """The Lease, as somebody with kubectl sees it."""
    return TheLease(cluster, namespace)


@pytest.fixture
def database() -> HonestDatabase:
    return HonestDatabase()


@pytest.fixture
async def replicas(database: HonestDatabase, kubeconfig: Path, namespace: str, api_proxy: ApiProxy) -> AsyncIterator[Replicas]:
    """Replicas, all of which end before the proxy does."""
    async with standing(database, kubeconfig, namespace) as replicas:
        yield replicas
