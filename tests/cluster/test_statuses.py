"""A status is written over what was seen of one object, or not at all."""

from typing import Any

import pytest

from tests.objects.documents import docker_host, workload
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import Cluster, ClusterRefused, ClusterUnavailable, ObjectMoved, ObjectState


def ready(message: str = "all run", **changed: object) -> dict[str, Any]:
    return {
        "type": "Ready",
        "status": "True",
        "reason": "Running",
        "message": message,
        "lastTransitionTime": "2026-11-24T12:00:00Z",
        "observedGeneration": 1,
        **changed,
    }


@pytest.fixture
def web(cluster: RealCluster) -> ObjectState:
    return ObjectState.of(cluster.apply(workload())[0])


async def write(connected: Cluster, seen: ObjectState, *conditions: dict[str, Any], **fields: object) -> ObjectState:
    return await connected.apply_status(seen.ref, resource_version=seen.resource_version, status={"conditions": list(conditions), **fields})


async def test_a_status_is_written_and_the_object_is_as_it_was_returned(connected: Cluster, cluster: RealCluster, web: ObjectState):
    written = await write(connected, web, ready(), observedGeneration=1)
    assert cluster.get("Workload", "web")["status"] == written.status == {"conditions": [ready()], "observedGeneration": 1}
    assert await connected.read_object(web.ref) == written


async def test_the_same_status_twice_changes_nothing(connected: Cluster, web: ObjectState):
    once = await write(connected, web, ready())
    assert await write(connected, once, ready()) == once


async def test_a_host_has_a_status_too(connected: Cluster, cluster: RealCluster):
    seen = ObjectState.of(cluster.apply(docker_host())[0])
    await write(connected, seen, ready(), engine={"id": "AAAA"})
    assert cluster.get("DockerHost", "local")["status"]["engine"] == {"id": "AAAA"}


async def test_what_is_no_longer_said_goes_and_what_others_say_stays(connected: Cluster, cluster: RealCluster, web: ObjectState):
    await write(connected, web, ready(), ready(type="Stalled"), observedGeneration=1)
    path = "/apis/tinyforge.dev/v1alpha1/namespaces/default/workloads/web/status"
    body = {"apiVersion": "tinyforge.dev/v1alpha1", "kind": "Workload", "status": {"conditions": [ready(type="Theirs")]}}
    theirs = ObjectState.of(cluster.api.patch(path, body, "apply", fieldManager="somebody"))
    await write(connected, theirs, ready())
    status = cluster.get("Workload", "web")["status"]
    assert {it["type"] for it in status["conditions"]} == {"Ready", "Theirs"}
    assert "observedGeneration" not in status


async def test_an_object_that_changed_meanwhile_is_not_written_to(connected: Cluster, cluster: RealCluster, web: ObjectState):
    cluster.patch("Workload", "web", {"spec": {"group": "shop"}})
    with pytest.raises(ObjectMoved, match="the object has been modified"):
        await write(connected, web, ready())
    assert "status" not in cluster.get("Workload", "web")


async def test_a_successor_of_the_same_name_is_not_written_to(connected: Cluster, cluster: RealCluster, web: ObjectState):
    cluster.delete("Workload", "web")
    cluster.apply(workload())
    with pytest.raises(ObjectMoved):
        await write(connected, web, ready())
    found = await connected.read_object(web.ref)
    assert found is not None
    assert found.ref != web.ref


async def test_an_object_that_is_gone_is_not_found(connected: Cluster, cluster: RealCluster, web: ObjectState):
    cluster.delete("Workload", "web")
    with pytest.raises(ClusterRefused) as refused:
        await write(connected, web, ready())
    assert refused.value.status == 404
    assert await connected.read_object(web.ref) is None


async def test_what_is_too_long_is_refused_with_the_servers_own_words(connected: Cluster, web: ObjectState):
    with pytest.raises(ClusterRefused, match=r"status\.conditions\[0\]\.message: Too long") as refused:
        await write(connected, web, ready("m" * 1025))
    assert refused.value.status == 422


async def test_the_server_counts_characters(connected: Cluster, web: ObjectState):
    written = await write(connected, web, ready("\N{GRINNING FACE}" * 1024))
    assert written.status["conditions"][0]["message"] == "\N{GRINNING FACE}" * 1024


async def test_what_no_schema_knows_is_the_servers_own_failure(connected: Cluster, web: ObjectState):
    with pytest.raises(ClusterUnavailable, match="field not declared in schema") as failed:
        await write(connected, web, ready(), invented=1)
    assert failed.value.status == 500


async def test_any_text_arrives_as_it_is(connected: Cluster, web: ObjectState):
    for text in ("a \u2028 b", "\x85 \x9f\x7f", "\x00\x1b[31m", "\ufeff\ufffe\uffff", "\N{GRINNING FACE}", '"\\ud83d', "- {a: b} # c", " "):
        web = await write(connected, web, ready(text))
        assert web.status["conditions"][0]["message"] == text
