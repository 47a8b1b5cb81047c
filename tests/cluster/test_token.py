"""The token of a service account is rotated while we run."""

import json
from pathlib import Path

import pytest

from tests.cluster.connections import connection
from tinyforge.cluster import ClusterRefused, ClusterUnavailable, ObjectKind


@pytest.fixture
def token(kubeconfig: Path) -> str:
    token: str = json.loads(kubeconfig.read_text())["users"][0]["user"]["token"]
    return token


@pytest.fixture
def mounted(kubeconfig: Path, tmp_path: Path) -> Path:
    """A kubeconfig whose token is in the file `token`, as a pod's is."""
    config = json.loads(kubeconfig.read_text())
    config["users"][0]["user"] = {"tokenFile": "token"}
    file = tmp_path / "mounted"
    file.write_text(json.dumps(config))
    return file


async def test_fault_32_a_rotated_token_is_used_without_a_restart(mounted: Path, tmp_path: Path, token: str):
    (tmp_path / "token").write_text("expired")
    async with connection(mounted) as cluster:
        with pytest.raises(ClusterRefused, match="Unauthorized") as refused:
            await cluster.list_objects(ObjectKind.WORKLOAD)
        assert refused.value.status == 401
        (tmp_path / "token").write_text(token)
        assert (await cluster.list_objects(ObjectKind.WORKLOAD)).objects == ()


async def test_fault_32_a_token_that_is_gone_is_waited_for(mounted: Path, tmp_path: Path, token: str):
    async with connection(mounted) as cluster:
        with pytest.raises(ClusterUnavailable, match=r"logging in to the cluster failed: Token file .*token not found"):
            await cluster.list_objects(ObjectKind.WORKLOAD)
        (tmp_path / "token").write_text(token)
        assert (await cluster.list_objects(ObjectKind.WORKLOAD)).objects == ()
