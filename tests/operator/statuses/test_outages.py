"""The API server is away: nobody waits for it, and it is told the newest when it is back."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest

from tests.cluster.connections import connection, controller
from tests.operator.statuses.objects import message, new_host, new_workload, settled, status, watching, writing
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.cluster import ObjectRef
from tinyforge.operator.status_writer import PLACES, StatusWriter


@pytest.fixture
def proxy(own_cluster: RealCluster) -> Iterator[ApiProxy]:
    with closing(ApiProxy(own_cluster.control_plane)) as proxy:
        yield proxy


@pytest.fixture
async def writer(own_cluster: RealCluster, proxy: ApiProxy) -> AsyncIterator[StatusWriter]:
    """A writer behind the proxy, and somebody who watches for it beside that."""
    async with (
        connection(proxy.kubeconfig(controller(own_cluster))) as connected,
        writing(connected) as writer,
        connection(own_cluster.kubeconfig) as beside,
        watching(beside, writer),
    ):
        yield writer


async def test_fault_28_what_was_put_while_the_server_was_away_arrives_once_it_is_back(
    own_cluster: RealCluster, writer: StatusWriter, proxy: ApiProxy, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "tinyforge")
    server = own_cluster.control_plane.api_server
    refs = [new_host(own_cluster).ref, *(new_workload(own_cluster, f"web-{number}").ref for number in range(30))]
    put_all(writer, refs, "before")
    await settled(writer)
    proxy.requests.clear()

    server.freeze()
    await put_for(writer, refs, seconds=6, said="frozen")
    server.thaw()
    await settled(writer)
    assert {message(own_cluster, ref) for ref in refs} == {"frozen 11"}
    assert_sent_once(refs, proxy)

    server.kill()
    proxy.requests.clear()
    await put_for(writer, refs, seconds=4, said="killed")
    assert len(proxy.requests) <= PLACES + 6  # one after another, with pauses, and not all of them again and again
    server.start()
    await settled(writer)
    assert {message(own_cluster, ref) for ref in refs} == {"killed 7"}
    assert_sent_once(refs, proxy)

    said = [it.getMessage().split(":")[0] for it in caplog.records if getattr(it, "action", "") in {"statuses_wait", "statuses_written"}]
    assert said[:4] == ["no status is written until the API server answers", "the API server answers"] * 2
    assert len(said) <= 6  # a server that starts may answer that it knows no roles, and then nothing once more


def put_all(writer: StatusWriter, refs: list[ObjectRef], said: str) -> None:
    for ref in refs:
        writer.put(ref, status(said))


async def put_for(writer: StatusWriter, refs: list[ObjectRef], *, seconds: int, said: str) -> None:
    """Put a new value for every object twice a second."""
    for number in range(2 * seconds):
        put_all(writer, refs, f"{said} {number}")
        await asyncio.sleep(0.5)


def assert_sent_once(refs: list[ObjectRef], proxy: ApiProxy) -> None:
    """What was under way when the server went, and what tried whether it is back, was sent for nothing; the rest was sent once."""
    sent = Counter(request.split("?")[0] for request in proxy.requests if request.startswith("PATCH"))
    assert len(sent) == len(refs)
    assert sum(sent.values()) <= len(refs) + PLACES + 6
