"""Whether a cluster knows our objects."""

import asyncio

import pytest

from tests.cluster.connections import connection, controller
from tests.servers.api_proxy import ApiProxy, refuse
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, ClusterRefused, ClusterUnavailable

GROUP = "GET /apis/tinyforge.dev/v1alpha1$"
SECONDS = 30


async def test_a_cluster_with_the_definitions_knows_them(connected: Cluster):
    await connected.require_definitions()


async def test_one_without_says_which_is_missing_and_what_to_apply(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(GROUP, refuse(404), times=1)
    with pytest.raises(ClusterRefused, match="the cluster knows no DockerHost: apply what `tinyforge crds` prints"):
        await proxied.require_definitions()
    await proxied.require_definitions()


async def test_one_that_has_lost_a_definition_names_it(own_cluster: RealCluster):
    async with connection(controller(own_cluster)) as connected:
        await connected.require_definitions()
        await asyncio.to_thread(own_cluster.kubectl, "delete", "crd", "workloads.tinyforge.dev")
        with pytest.raises(ClusterRefused, match="knows no Workload"):
            await required_for_a_while(connected)


async def required_for_a_while(connected: Cluster) -> None:
    """Ask again and again: what a cluster says that it knows follows the definitions after a moment."""
    async with asyncio.timeout(SECONDS):
        while True:
            await connected.require_definitions()
            await asyncio.sleep(0.05)


async def test_an_api_server_that_is_away_is_not_taken_for_one_that_does_not_know_them(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(GROUP, refuse(503))
    with pytest.raises(ClusterUnavailable):
        await proxied.require_definitions()
