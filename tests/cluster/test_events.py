"""Events about our objects, as `kubectl get events` shows them."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.strategies import quick
from tests.objects.documents import docker_host, workload
from tests.servers.cluster import Cluster as RealCluster
from tests.servers.kubernetes_api import Object
from tinyforge.cluster import Cluster, Event, EventType, ObjectKind, ObjectRef, ObjectState
from tinyforge.cluster.events import event_object

FAILED = Event(type=EventType.WARNING, reason="DispatchFailed", action="Dispatch", note="web: image differs")


def events(cluster: RealCluster, namespace: str = "default") -> list[tuple[str, str, str, str]]:
    return [(it["type"], it["reason"], it["regarding"]["name"], it["note"]) for it in _list(cluster, namespace)]


def _list(cluster: RealCluster, namespace: str) -> list[Object]:
    found: list[Object] = cluster.api.request("GET", f"/apis/events.k8s.io/v1/namespaces/{namespace}/events")["items"]
    return found


async def test_an_event_about_a_workload_stands_beside_it(connected: Cluster, cluster: RealCluster):
    namespace = cluster.new_namespace()
    seen = ObjectState.of(cluster.apply(workload(namespace=namespace))[0])
    await connected.post_event(seen.ref, FAILED)
    assert events(cluster, namespace) == [("Warning", "DispatchFailed", "web", "web: image differs")]
    posted = _list(cluster, namespace)[0]
    assert posted["regarding"]["uid"] == seen.ref.uid
    assert (posted["reportingController"], posted["reportingInstance"]) == ("tinyforge.dev/controller", "controller-0")
    assert "DispatchFailed" in cluster.kubectl("get", "events", f"--namespace={namespace}").stdout


async def test_kubectl_describe_shows_a_workloads_events(connected: Cluster, cluster: RealCluster):
    seen = ObjectState.of(cluster.apply(workload())[0])
    await connected.post_event(seen.ref, FAILED)
    assert "web: image differs" in cluster.kubectl("describe", "workload", "web").stdout


async def test_an_event_about_a_host_stands_in_the_namespace_default(connected: Cluster, cluster: RealCluster):
    seen = ObjectState.of(cluster.apply(docker_host("vps1"))[0])
    await connected.post_event(seen.ref, FAILED)
    assert events(cluster) == [("Warning", "DispatchFailed", "vps1", "web: image differs")]


async def test_the_server_takes_an_event_however_long_its_texts_are(connected: Cluster, cluster: RealCluster):
    seen = ObjectState.of(cluster.apply(docker_host("a" * 63))[0])
    letters = ("a", "\N{GRINNING FACE}", "é", "\x00", "\ud800")
    for letter in letters:
        await connected.post_event(seen.ref, Event(type=EventType.NORMAL, reason="R" * 500, action="A" * 500, note=letter * 5000))
    assert [note[-1] for _, _, _, note in events(cluster)] == ["…"] * len(letters)


@given(st.text())
@quick
def test_a_note_is_cut_to_1024_bytes_and_no_more(note: str):
    ref = ObjectRef(kind=ObjectKind.WORKLOAD, namespace="default", name="web", uid="1")
    event = Event(type=EventType.NORMAL, reason="R", action="A", note=note * 20)
    told = event_object(ref, event, instance="i", at=datetime.now(UTC))["note"].encode()
    assert len(told) <= 1024
    assert len(told) > 1024 - 4 or told == (note * 20).encode(errors="replace")
