"""What `tinyforge leader` and `tinyforge doctor` say of replicas, from wherever the database can be reached, and the cluster or not."""

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Tinyforge
from tests.e2e.index import Index, until
from tests.operator.installation import NAMESPACE
from tests.operator.replicas import QUICK, Replicas, installation, replicas
from tests.servers import kubeconfigs
from tests.servers.cluster import Cluster

__all__ = ["installation", "replicas"]


@pytest.fixture
def reached(cluster: Cluster) -> dict[str, Any]:
    """The settings of somebody who reaches the cluster, as its admin."""
    return {"KUBECONFIG": str(cluster.control_plane.admin), "TINYFORGE_LEASE_NAMESPACE": NAMESPACE}


def sessions(index: Index) -> int:
    ((number,),) = index.sql("SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE application_name LIKE 'tinyforge/%'")
    return int(number)


def lines(text: str) -> dict[str, str]:
    return {name: rest.strip() for name, _, rest in (line.partition(" ") for line in text.splitlines())}


def test_it_says_who_leads_since_when_by_which_lease_who_stands_by_and_what_is_survived(
    replicas: Replicas, tinyforge: Tinyforge, reached: dict[str, Any], cluster: Cluster, index: Index
) -> None:
    replicas.leading()
    replicas.standing_by()
    replicas.standing_by()
    until(lambda: sessions(index), 3)
    ended = tinyforge("leader", **reached)
    assert ended.exit_code == 0, ended
    said = lines(ended.stdout)
    ((holder, lease),) = index.sql("SELECT holder, lease FROM tinyforge.leaders")
    assert said["leader"] == holder
    assert (said["epoch"], said["driver"], said["lease"]) == ("1", "operator", lease)
    assert lease == f"{cluster.get('Namespace', NAMESPACE)['metadata']['uid']}/tinyforge"
    assert said["since"].startswith("20")
    assert said["standbys"].count("s)") == 2
    assert f"by {holder} with epoch 1, Lease tinyforge/tinyforge" in said["renewed"]
    assert said["survives"].startswith("5s without the API server")
    document = tinyforge("leader", "--json", TINYFORGE_LEASE_RENEW_DEADLINE="9s", **reached).json
    assert (document["leads"], document["holder"], document["epoch"], document["lease"]) == (True, holder, 1, lease)
    assert (document["leaseObject"]["holder"], document["leaseObject"]["epoch"]) == (holder, 1)
    assert (document["leaseUnknown"], document["survivedOutageSeconds"]) == ("", 4)
    assert len(document["standbys"]) == 2
    assert document["leaseObject"]["renewed_at"] > document["since"]


def test_without_the_cluster_it_says_what_the_database_says_and_why_no_more(
    replicas: Replicas, tinyforge: Tinyforge, cluster: Cluster, tmp_path: Path
) -> None:
    replicas.leading()
    ended = tinyforge("leader", KUBECONFIG=None)
    assert ended.exit_code == 0
    assert lines(ended.stdout)["renewed"].startswith("unknown: no cluster: set KUBECONFIG")
    dead = kubeconfigs.elsewhere(cluster.control_plane.admin, server="https://127.0.0.1:1", file=tmp_path / "dead")
    ended = tinyforge("leader", "--json", KUBECONFIG=str(dead))
    assert (ended.exit_code, ended.json["leads"], ended.json["leaseObject"]) == (0, True, None)
    assert ended.json["leaseUnknown"]


def test_a_lease_that_is_not_where_the_settings_say_is_said(replicas: Replicas, tinyforge: Tinyforge, reached: dict[str, Any]) -> None:
    replicas.leading()
    ended = tinyforge("leader", **reached | {"TINYFORGE_LEASE_NAME": "other"})
    assert lines(ended.stdout)["renewed"] == "unknown: there is no Lease tinyforge/other"


def test_doctor_counts_the_standbys_and_looks_at_the_lease(
    replicas: Replicas, tinyforge: Tinyforge, reached: dict[str, Any], index: Index
) -> None:
    replicas.leading()
    replicas.standing_by()
    until(lambda: sessions(index), 2)
    checks = {check["subject"]: check for check in tinyforge("doctor", "--json", **reached).json}
    assert (checks["leader"]["verdict"], checks["lease"]["verdict"]) == ("ok", "ok")
    assert "/tinyforge, standbys: 1)" in checks["leader"]["finding"]
    assert checks["lease"]["finding"].startswith("tinyforge/tinyforge, renewed 0s ago") or "renewed " in checks["lease"]["finding"]
    unreached = {check["subject"]: check for check in tinyforge("doctor", "--json", KUBECONFIG=None).json}
    assert unreached["lease"]["verdict"] == "warn"


def test_doctor_says_when_the_lease_and_the_database_name_different_leaders(
    replicas: Replicas, tinyforge: Tinyforge, reached: dict[str, Any], cluster: Cluster, index: Index
) -> None:
    only = replicas.leading(**QUICK)
    only.process.kill()
    cluster.patch("Lease", "tinyforge", {"spec": {"holderIdentity": "somebody", "leaseTransitions": 7}}, NAMESPACE)
    index.sql("UPDATE tinyforge.leaders SET session = 'pretender'")
    checks = {check["subject"]: check for check in tinyforge("doctor", "--json", **reached).json}
    assert checks["lease"]["verdict"] == "fail"
    assert "names somebody with epoch 7, and the database" in checks["lease"]["finding"]
