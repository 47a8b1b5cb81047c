"""What strangers can do to the port, and what they cannot: whoever asks properly is answered all the same."""

import asyncio
import logging
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager, suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Gauge

from tests.http.asking import LOOPBACK, ask, connected, parse, send, until_closed, until_reset
from tests.http.conftest import Port
from tinyforge.http.address import ListenAddress
from tinyforge.http.bounds import Bounds
from tinyforge.http.metrics import Metrics
from tinyforge.http.server import serving

GET = b"GET /healthz HTTP/1.1\r\nHost: tinyforge\r\n"

SLOW = {
    "says nothing": b"",
    "half a first line": b"GET /heal",
    "half a header": GET + b"X-Slow: a",
    "all headers and no end": GET,
}
LONG = {
    "a first line": b"GET /" + b"a" * 2048 + b" HTTP/1.1\r\nHost: tinyforge\r\n\r\n",
    "a first line without an end": b"GET /" + b"a" * 100_000,
    "a header": GET + b"X-Long: " + b"a" * 4097 + b"\r\n\r\n",
    "a header's name": GET + b"X" * 4097 + b": 1\r\n\r\n",
    "a header without an end": GET + b"X-Long: " + b"a" * 100_000,
    "too many headers": GET + b"".join(b"X-%d: 1\r\n" % number for number in range(32)) + b"\r\n",
    "headers without an end": GET + b"X: 1\r\n" * 10_000,
}
BODIES = {
    "a body that never comes": GET + b"Content-Length: 1000000000\r\n\r\n",
    "a body in chunks without an end": GET + b"Transfer-Encoding: chunked\r\n\r\n" + b"4\r\nbody\r\n" * 1000,
    "a body in an encoding that nobody knows": GET + b"Content-Encoding: br\r\nContent-Length: 5\r\n\r\nhello",
    "a bomb": GET + b"Content-Encoding: gzip\r\nContent-Length: 1000000000\r\n\r\n" + b"\x1f\x8b" + b"\0" * 1000,
}


@asynccontextmanager
async def opened(bounds: Bounds, metrics: Metrics | None = None) -> AsyncIterator[ListenAddress]:
    metrics = metrics or Metrics(sources=[])
    async with asyncio.timeout(10), serving(LOOPBACK, health=list, readiness=list, metrics=metrics, bounds=bounds) as at:
        yield at


async def is_answered(at: ListenAddress) -> bool:
    return (await ask(at, "/healthz")).status == 200


@contextmanager
def unread(at: ListenAddress) -> Iterator[socket.socket]:
    """A client that has room for next to nothing, and reads nothing."""
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect((at.host, at.port))
        yield client


@pytest.mark.parametrize("sent", SLOW.values(), ids=SLOW)
async def test_a_client_that_takes_its_time_is_let_go_in_the_end(sent: bytes) -> None:
    async with opened(Bounds(seconds=0.2)) as at, connected(at, sent) as streams:
        assert await is_answered(at)
        await until_closed(streams)


async def test_a_client_that_drips_is_let_go_as_well() -> None:
    async with opened(Bounds(seconds=0.3)) as at, connected(at, GET) as (reader, writer):
        while reader.exception() is None and not reader.at_eof():
            writer.write(b"X-Drip: 1\r\n")
            await asyncio.sleep(0.05)
        assert await is_answered(at)


async def test_a_client_that_does_not_read_its_answer_is_let_go_and_the_kernel_keeps_nothing_of_it() -> None:
    metrics = Metrics(sources=[])
    Gauge("long", "x" * 8_000_000, registry=metrics.registry)  # more than two kernels' buffers hold
    async with opened(Bounds(seconds=0.3), metrics) as at:
        with unread(at) as client:
            client.sendall(b"GET /metrics HTTP/1.1\r\nHost: tinyforge\r\n\r\n")
            await until_reset(client)
        assert await is_answered(at)


async def test_who_holds_every_connection_keeps_nobody_out() -> None:
    async with opened(Bounds(connections=16)) as at, AsyncExitStack() as held:
        clients = [await held.enter_async_context(connected(at, GET)) for _ in range(100)]
        assert await is_answered(at)
        await asyncio.gather(*(until_closed(each) for each in clients[: 100 - 16]))
        assert not clients[-1][0].at_eof()


async def test_500_clients_that_come_at_once_keep_nobody_out(port: Port) -> None:
    async with asyncio.timeout(30), AsyncExitStack() as held:
        flood = [asyncio.create_task(held.enter_async_context(connected(port.at, GET))) for _ in range(500)]
        answers = await asyncio.gather(*(port.ask("/healthz") for _ in range(5)))
        await asyncio.gather(*flood)
    assert [answer.status for answer in answers] == [200] * 5


async def test_100_clients_wait_while_the_event_loop_is_busy(port: Port) -> None:
    def come() -> int:
        with ExitStack() as held:
            return len([held.enter_context(socket.create_connection((port.at.host, port.at.port), timeout=0.5)) for _ in range(100)])

    coming = asyncio.get_running_loop().run_in_executor(None, come)
    time.sleep(0.3)  # noqa: ASYNC251 - this is how it is busy
    assert await coming == 100


async def test_the_kernel_keeps_little_of_what_nobody_has_read_yet(port: Port) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        client.connect((port.at.host, port.at.port))
        client.setblocking(False)
        sent = 0
        with suppress(BlockingIOError):
            while sent < 1 << 20:
                sent += client.send(b"x" * 1024)
    assert sent <= 32 << 10


@pytest.mark.parametrize("sent", LONG.values(), ids=LONG)
async def test_a_head_that_is_too_long_is_refused(sent: bytes, port: Port, caplog: pytest.LogCaptureFixture) -> None:
    assert (await send(port.at, sent)).startswith(b"HTTP/1.0 400 ")
    assert await is_answered(port.at)
    assert not errors(caplog)


async def test_a_head_of_a_browser_with_many_cookies_is_not_too_long(port: Port) -> None:
    cookies = {f"X-{number}": "1" for number in range(25)}
    assert (await port.ask("/healthz?" + "x" * 2000, Cookie="c" * 4000, **cookies)).status == 200


@pytest.mark.parametrize("sent", BODIES.values(), ids=BODIES)
async def test_nobody_waits_for_a_body(sent: bytes, port: Port) -> None:
    async with asyncio.timeout(5):
        assert (await send(port.at, sent)).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_is_good_for_one_request(port: Port) -> None:
    answer = await send(port.at, (GET + b"\r\n") * 1000)
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize("target", ["http://xn--/healthz", "http://[/healthz", "http://h:99999/healthz", "http://tinyforge/healthz"])
async def test_a_target_with_a_host_is_an_unknown_path_or_none_at_all(target: str, port: Port) -> None:
    async with asyncio.timeout(5):
        assert (await port.ask(target)).status in (400, 404)


METHODS = st.sampled_from(["GET", "HEAD", "POST", "CONNECT", "OPTIONS", "get", "G T", ""])
TARGETS = st.one_of(
    st.sampled_from(["/healthz", "/metrics", "*", "/healthz?a=%zz", "//", "#", "http://a@b:1/healthz", "http://xn--a.xn--/"]),
    st.text(max_size=50),
    st.text(max_size=50).map(lambda rest: f"http://{rest}"),
)
VERSIONS = st.sampled_from(["HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/", ""])
FIELDS = st.lists(
    st.one_of(
        st.sampled_from(
            [
                "Host: a",
                "Expect: 100-continue",
                "Upgrade: websocket\r\nConnection: Upgrade",
                "Transfer-Encoding: chunked",
                "Content-Length: -1",
                "Content-Length: 5\r\nContent-Encoding: gzip",
                "Accept: application/openmetrics-text;version=abc",
            ]
        ),
        st.text(max_size=50),
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(method=METHODS, target=TARGETS, version=VERSIONS, fields=FIELDS)
async def test_whatever_is_sent_the_port_goes_on_and_nothing_is_logged(method: str, target: str, version: str, fields: list[str]) -> None:
    failed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failed.append(context))
    head = "\r\n".join([f"{method} {target} {version}", "Host: tinyforge", *fields, "", ""])
    async with opened(Bounds(seconds=0.05)) as at:
        answer = await send(at, head.encode("utf-8", "surrogatepass"))
        assert not answer or parse(answer).status in (200, 400, 404, 405)
        assert await is_answered(at)
    assert not failed


def errors(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.levelno >= logging.WARNING]
