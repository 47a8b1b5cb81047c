"""Secrets of the operator's own namespace, and of no other."""

import pytest

from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, ClusterRefused
from tinyforge.cluster.answers import Secret


@pytest.fixture
def vps1(cluster: RealCluster) -> str:
    cluster.apply(
        {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vps1"}, "stringData": {"ca.crt": "-----é"}, "data": {"raw": "AP8="}}
    )
    return "vps1"


async def test_a_secret_is_read_as_bytes(connected: Cluster, vps1: str):
    assert await connected.read_secret(vps1) == {"ca.crt": "-----é".encode(), "raw": b"\x00\xff"}


async def test_a_secret_that_changed_is_read_anew(connected: Cluster, cluster: RealCluster, vps1: str):
    cluster.patch("Secret", vps1, {"data": {"raw": "AQ=="}})
    found = await connected.read_secret(vps1)
    assert found is not None
    assert found["raw"] == b"\x01"


async def test_a_secret_that_is_not_there_is_none(connected: Cluster):
    assert await connected.read_secret("absent") is None


async def test_a_secret_without_anything_is_empty(connected: Cluster, cluster: RealCluster):
    cluster.apply({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "vps1"}})
    assert await connected.read_secret("vps1") == {}


async def test_no_other_secret_is_read(connected: Cluster, vps1: str):
    for name in ("other", "../../kube-system/secrets/vps1", "vps1/", "..", "."):
        with pytest.raises(ClusterRefused, match=r'cannot get resource "secrets"|is no name of anything'):
            await connected.read_secret(name)


def test_a_secret_does_not_show_what_it_holds():
    assert "canary" not in repr(Secret(data={"key": b"canary"}))
