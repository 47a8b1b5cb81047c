"""`tcp://`: a real engine behind `--tlsverify`, and what becomes of a connection to it."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.engine.conftest import Open
from tests.engine.opening import failure, over_tcp
from tests.servers.docker_engine import DockerEngine
from tinyforge.ports import EngineReason


async def test_an_engine_of_our_ca_is_listed(tls_engine: DockerEngine, opened: Open, tls_secrets: Path):
    engine = opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets)
    assert (await engine.containers()).containers == ()
    assert (await engine.identity()).engine_id == tls_engine.id


async def test_an_engine_over_tcp_without_a_secret_is_never_asked(tls_engine: DockerEngine, opened: Open, tls_secrets: Path):
    error = await failure(opened(over_tcp(tls_engine), secrets=tls_secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert "spec.tls.secretRef.name" in str(error)


async def test_what_speaks_no_tls_is_refused(opened: Open, tls_secrets: Path):
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(opened(f"tcp://127.0.0.1:{port}", tls_secret="right", secrets=tls_secrets))
    assert error.reason is EngineReason.TLS_FAILED


async def test_nobody_at_a_port_is_a_failed_connection(opened: Open, tls_secrets: Path, unused_tcp_port: int):
    error = await failure(opened(f"tcp://127.0.0.1:{unused_tcp_port}", tls_secret="right", secrets=tls_secrets))
    assert error.reason is EngineReason.CONNECT_FAILED


async def test_a_handshake_that_hangs_ends_with_the_connect_timeout_and_p5_is_cancelled_within_a_second(opened: Open, tls_secrets: Path):
    accepted = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(opened(f"tcp://127.0.0.1:{port}", tls_secret="right", secrets=tls_secrets, connect_timeout=0.3))
        assert error.reason is EngineReason.TIMEOUT
        accepted.clear()
        listing = asyncio.create_task(opened(f"tcp://127.0.0.1:{port}", tls_secret="right", secrets=tls_secrets).containers())
        await accepted.wait()
        listing.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await listing


async def test_p6_names_are_resolved_while_the_thread_pool_is_full(tls_engine: DockerEngine, opened: Open, tls_secrets: Path):
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
    may_end = threading.Event()
    hung = loop.run_in_executor(None, may_end.wait)
    try:
        assert (await opened(over_tcp(tls_engine, "localhost"), tls_secret="right", secrets=tls_secrets).containers()).containers == ()
    finally:
        may_end.set()
        await hung
