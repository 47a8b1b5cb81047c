"""Connections for the tests of the adapter."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.cluster.connections import connection, controller
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster


@pytest.fixture
def kubeconfig(cluster: RealCluster) -> Path:
    """The controller's."""
    return controller(cluster)


@pytest.fixture
async def connected(kubeconfig: Path) -> AsyncIterator[Cluster]:
    """A connection as the controller."""
    async with connection(kubeconfig) as connected:
        yield connected


@pytest.fixture
async def proxied(kubeconfig: Path, api_proxy: ApiProxy) -> AsyncIterator[Cluster]:
    """A connection as the controller that goes through the proxy and has little patience."""
    async with connection(api_proxy.kubeconfig(kubeconfig), seconds=1.0) as connected:
        yield connected
