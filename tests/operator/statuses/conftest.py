"""A writer on the real API server, through a proxy that passes everything unless told otherwise, and counts what is really sent."""

from collections.abc import AsyncIterator

import pytest

from tests.cluster.connections import connection, controller
from tests.operator.statuses.objects import watching, writing
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster
from tinyforge.operator.status_writer import StatusWriter


@pytest.fixture
async def connected(cluster: RealCluster, api_proxy: ApiProxy) -> AsyncIterator[Cluster]:
    """The writer's own connection."""
    async with connection(api_proxy.kubeconfig(controller(cluster))) as connected:
        yield connected


@pytest.fixture
async def writer(connected: Cluster) -> AsyncIterator[StatusWriter]:
    async with writing(connected) as writer:
        yield writer


@pytest.fixture
async def watched(cluster: RealCluster, writer: StatusWriter) -> AsyncIterator[None]:
    """Somebody watches all objects for the writer, beside the proxy."""
    async with connection(cluster.kubeconfig) as beside, watching(beside, writer):
        yield
