"""A call to an API server that is away, slow or says no ends soon, in words of ours."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.cluster.connections import connection
from tests.servers import kubeconfigs
from tests.servers.api_proxy import ApiProxy, Fault, delay, empty, hang, refuse
from tests.servers.cluster import Cluster as RealCluster
from tests.servers.kubernetes import reserved_port
from tinyforge.cluster import Cluster, ClusterRefused, ClusterUnavailable, ObjectKind

WORKLOADS = "GET .*/workloads"


async def failure(cluster: Cluster) -> ClusterUnavailable:
    with pytest.raises(ClusterUnavailable) as failed:
        await cluster.list_objects(ObjectKind.WORKLOAD)
    return failed.value


async def test_a_server_that_is_not_there_is_said_at_once(kubeconfig: Path, tmp_path: Path):
    with reserved_port() as nobody:
        url = f"https://127.0.0.1:{nobody.getsockname()[1]}"
        async with connection(kubeconfigs.elsewhere(kubeconfig, server=url, file=tmp_path / "away")) as cluster:
            failed = await failure(cluster)
    assert str(failed).startswith("no connection to the API server: ")
    assert not failed.maybe_done


async def test_a_server_with_another_certificate_gets_no_token(kubeconfig: Path, api_proxy: ApiProxy, tmp_path: Path):
    stranger = kubeconfigs.elsewhere(kubeconfig, server=api_proxy.url.replace("127.0.0.1", "127.0.0.2"), file=tmp_path / "stranger")
    async with connection(stranger) as cluster:
        assert "no connection to the API server" in str(await failure(cluster))
    assert not api_proxy.requests


@pytest.mark.parametrize("fault", [hang(), delay(4)], ids=["never", "late"])
async def test_a_server_that_does_not_answer_in_time_is_given_up(fault: Fault, proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, fault)
    began = time.monotonic()
    failed = await failure(proxied)
    assert time.monotonic() - began < 2.5
    assert (str(failed), failed.maybe_done) == ("the API server did not answer in time", True)


async def test_an_answer_that_drips_does_not_take_longer_than_any_other(kubeconfig: Path, tmp_path: Path):
    """A plain server, for the proxy passes whole pieces: every byte begins httpx's own timeout anew."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        with suppress(ConnectionError):
            while True:
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.05)
        writer.close()
        hung_up.set()

    hung_up = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, connection(kubeconfigs.elsewhere(kubeconfig, server=url, file=tmp_path / "drip"), seconds=0.4) as cluster:
        assert str(await failure(cluster)) == "the API server did not answer in time"
        await asyncio.wait_for(hung_up.wait(), 5)


async def test_calls_that_were_given_up_leave_room_for_others(kubeconfig: Path, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, hang())
    async with connection(api_proxy.kubeconfig(kubeconfig), seconds=0.5) as cluster:
        for _ in range(6):  # 120 in all; the client has 100 connections
            failed = await asyncio.gather(*(failure(cluster) for _ in range(20)))
            assert {it.status for it in failed} == {None}
        api_proxy.heal()
        assert (await cluster.list_objects(ObjectKind.WORKLOAD)).objects == ()


async def test_a_call_is_cancelled_at_once(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, hang())
    arrived = api_proxy.next_request(WORKLOADS)
    call = asyncio.ensure_future(proxied.list_objects(ObjectKind.WORKLOAD))
    await asyncio.wrap_future(arrived)
    call.cancel()
    await asyncio.wait({call}, timeout=0.5)
    assert call.cancelled()


async def test_a_call_that_is_cancelled_while_its_connection_is_being_secured_hangs_up(kubeconfig: Path, tmp_path: Path):
    """A server that says nothing: httpcore leaves such a connection to the garbage collector."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        greeted.set()
        await reader.read()
        writer.close()
        hung_up.set()

    greeted, hung_up = asyncio.Event(), asyncio.Event()
    server = await asyncio.start_server(listen, "127.0.0.1", 0, limit=1 << 16)
    url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, connection(kubeconfigs.elsewhere(kubeconfig, server=url, file=tmp_path / "silent")) as cluster:
        call = asyncio.ensure_future(cluster.list_objects(ObjectKind.WORKLOAD))
        await greeted.wait()
        call.cancel()
        with pytest.raises(asyncio.CancelledError) as cancelled:
            await call
        await asyncio.wait_for(hung_up.wait(), 5)
    assert cancelled.value.__traceback__  # and so what it held has not been collected yet


async def test_fault_30_a_server_that_asks_to_be_left_alone_says_for_how_long(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, refuse(429, retry_after=7, message="too many requests"))
    failed = await failure(proxied)
    assert (str(failed), failed.status, failed.retry_after, failed.maybe_done) == ("too many requests", 429, 7.0, False)


async def test_a_server_in_trouble_may_have_done_what_it_was_asked(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, refuse(503, message="etcd is away"))
    failed = await failure(proxied)
    assert (str(failed), failed.status, failed.retry_after, failed.maybe_done) == ("etcd is away", 503, None, True)


async def test_an_answer_that_is_no_api_servers_is_none(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, empty())
    assert str(await failure(proxied)) == "what answered is no API server: its answer has another shape"


async def test_who_may_not_is_told_so_in_the_servers_words(connected: Cluster):
    with pytest.raises(ClusterRefused, match=r'cannot get resource "secrets" .* in the namespace "default"') as refused:
        await connected.read_secret("anybody-elses")
    assert refused.value.status == 403


async def test_a_cluster_without_our_kinds_says_how_to_make_them(proxied: Cluster, api_proxy: ApiProxy):
    api_proxy.spoil(WORKLOADS, refuse(404))
    with pytest.raises(ClusterRefused, match="the cluster knows no Workload: apply what `tinyforge crds` prints"):
        await proxied.list_objects(ObjectKind.WORKLOAD)


async def test_we_say_who_asks(cluster: RealCluster, kubeconfig: Path, tmp_path: Path):
    """A plain server, for nobody else shows what came."""
    came: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.set_result(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server, connection(kubeconfigs.elsewhere(kubeconfig, server=url, file=tmp_path / "plain")) as plain:
        await failure(plain)
    assert b"user-agent: tinyforge\r\n" in (await came).lower()
