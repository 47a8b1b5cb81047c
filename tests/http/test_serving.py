"""Opening and closing the port."""

import asyncio
import socket
from contextlib import AbstractAsyncContextManager, AsyncExitStack

import pytest
from prometheus_client import Gauge

from tests.http.asking import LOOPBACK, ask, connected, parse, until_closed, until_reset
from tinyforge.http.address import ListenAddress
from tinyforge.http.listening import AddressUnusable
from tinyforge.http.metrics import Metrics
from tinyforge.http.server import serving

GET = b"GET /healthz HTTP/1.1\r\nHost: tinyforge\r\n"


def opened(address: ListenAddress, metrics: Metrics | None = None) -> AbstractAsyncContextManager[ListenAddress]:
    return serving(address, health=list, readiness=list, metrics=metrics or Metrics(sources=[]))


async def test_any_free_port_is_taken_and_named(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    async with opened(LOOPBACK) as at:
        assert at.port > 0
        assert f"/healthz, /readyz and /metrics are on 127.0.0.1:{at.port}" in caplog.messages


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_address_without_a_host_is_every_address(host: str) -> None:
    async with opened(ListenAddress("", 0)) as at:
        assert (await ask(ListenAddress(host, at.port), "/healthz")).status == 200


async def test_one_address_is_no_other() -> None:
    async with opened(ListenAddress("::1", 0)) as at:
        assert (await ask(at, "/healthz")).status == 200
        with pytest.raises(ConnectionRefusedError):
            await ask(ListenAddress("127.0.0.1", at.port), "/healthz")


async def test_a_port_in_use_ends_the_start_and_names_setting_address_and_way_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = ListenAddress("127.0.0.1", other.getsockname()[1])
        with pytest.raises(AddressUnusable) as refused:
            async with opened(taken):
                pass
    assert (
        str(refused.value)
        == f"TINYFORGE_HTTP_ADDRESS: cannot listen on {taken}: another process listens there; end it, or set another port"
    )
    assert isinstance(refused.value.__cause__, OSError)


async def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(AddressUnusable, match=r"cannot listen on 192\.0\.2\.1:8080: this machine has no such address"):
        async with opened(ListenAddress("192.0.2.1", 8080)):
            pass


async def test_the_port_is_free_again_at_once() -> None:
    async with opened(LOOPBACK) as at:
        assert (await ask(at, "/healthz")).status == 200
    async with opened(at) as again:
        assert (await ask(again, "/healthz")).status == 200


@pytest.mark.parametrize("sent", [b"", GET, GET + b"\r\n" + GET], ids=["says nothing", "asks by half", "goes on asking"])
async def test_an_open_connection_does_not_hold_the_stop_up(sent: bytes) -> None:
    async with AsyncExitStack() as held:
        async with asyncio.timeout(None) as limit, opened(LOOPBACK) as at:
            streams = await held.enter_async_context(connected(at, sent))
            assert (await ask(at, "/healthz")).status == 200
            limit.reschedule(asyncio.get_running_loop().time() + 1)
        await until_closed(streams)


async def test_a_client_that_does_not_read_its_answer_does_not_hold_the_stop_up() -> None:
    metrics = Metrics(sources=[])
    Gauge("long", "x" * 8_000_000, registry=metrics.registry)  # more than two kernels' buffers hold
    with socket.socket() as client:
        async with asyncio.timeout(None) as limit, opened(LOOPBACK, metrics) as at:
            client.connect((at.host, at.port))
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: tinyforge\r\n\r\n")
            assert (await ask(at, "/healthz")).status == 200
            limit.reschedule(asyncio.get_running_loop().time() + 1)
        async with asyncio.timeout(1):
            await until_reset(client)


@pytest.mark.parametrize("turns", range(8))
async def test_who_asked_before_the_stop_gets_a_whole_answer_or_none(turns: int) -> None:
    async with AsyncExitStack() as held:
        async with opened(LOOPBACK) as at:
            reader, _ = await held.enter_async_context(connected(at, GET + b"\r\n"))
            for _ in range(turns):  # of the event loop
                await asyncio.sleep(0)
        answer = await reader.read()
        assert not answer or parse(answer).body == "ok\n"


async def test_the_port_closes_when_what_it_is_open_for_fails() -> None:
    with pytest.raises(ZeroDivisionError):
        async with opened(LOOPBACK) as at:
            raise ZeroDivisionError
    with pytest.raises(ConnectionRefusedError):
        await ask(at, "/healthz")
