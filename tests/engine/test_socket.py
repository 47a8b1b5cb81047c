"""What a person reads when the socket of an engine is not what it should be."""

import asyncio
import grp
import os
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engine.conftest import Open
from tests.engine.fake_engine import FakeEngine, containers, entry, says
from tinyforge.ports import Engine, EngineError, EngineReason


@pytest.fixture
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="socket-") as name:
        Path(name).chmod(0o755)  # others may enter it, so that it is the socket that refuses them
        yield Path(name)


@contextmanager
def listening(path: Path, backlog: int = 5) -> Iterator[socket.socket]:
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(path))
        server.listen(backlog)
        yield server


@contextmanager
def as_somebody_else() -> Iterator[None]:
    """Give up root's rights over files, if this is root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@contextmanager
def full_backlog(path: Path) -> Iterator[socket.socket]:
    """Listen on `path` and fill the queue of connections that nobody accepts."""
    with listening(path, backlog=0) as server:
        queued = []
        with suppress(BlockingIOError):
            while True:
                queued.append(socket.socket(socket.AF_UNIX))
                queued[-1].setblocking(False)
                queued[-1].connect(str(path))
        try:
            yield server
        finally:
            for connection in queued:
                connection.close()


async def failure(engine: Engine) -> EngineError:
    async with asyncio.timeout(5):
        with pytest.raises(EngineError) as caught:
            await engine.containers()
    return caught.value


async def test_a_missing_socket_says_what_to_check(folder: Path, opened: Open):
    error = await failure(opened(f"unix://{folder}/docker.sock"))
    assert error.reason is EngineReason.CONNECT_FAILED
    assert str(error) == f"{folder}/docker.sock: there is no such socket; is the Docker Engine running, and is this its path?"


async def test_a_socket_left_by_a_dead_engine_says_that_nobody_listens(folder: Path, opened: Open):
    with listening(folder / "docker.sock"):
        pass
    error = await failure(opened(f"unix://{folder}/docker.sock"))
    assert error.reason is EngineReason.CONNECT_FAILED
    assert "nobody listens on this socket" in str(error)


async def test_a_path_that_is_no_socket_is_a_failed_connection(folder: Path, opened: Open):
    (folder / "docker.sock").write_text("")
    assert (await failure(opened(f"unix://{folder}/docker.sock"))).reason is EngineReason.CONNECT_FAILED


async def test_a_socket_that_refuses_permission_names_its_group(folder: Path, opened: Open):
    with listening(folder / "docker.sock"):
        (folder / "docker.sock").chmod(0o600)
        group = grp.getgrgid((folder / "docker.sock").stat().st_gid).gr_name
        with as_somebody_else():
            error = await failure(opened(f"unix://{folder}/docker.sock"))
    assert error.reason is EngineReason.PERMISSION_DENIED
    assert f"its group is '{group}'" in str(error)


async def test_a_socket_in_a_forbidden_folder_says_so(folder: Path, opened: Open):
    inner = folder / "inner"
    inner.mkdir()
    with listening(inner / "docker.sock"):
        inner.chmod(0o000)
        with as_somebody_else():
            error = await failure(opened(f"unix://{inner}/docker.sock"))
        inner.chmod(0o700)
    assert error.reason is EngineReason.PERMISSION_DENIED
    assert "may not even enter its folder" in str(error)


async def test_an_engine_whose_queue_stays_full_fails_within_the_connect_timeout(folder: Path, opened: Open):
    with full_backlog(folder / "docker.sock"):
        error = await failure(opened(f"unix://{folder}/docker.sock", connect_timeout=0.2))
    assert error.reason is EngineReason.CONNECT_FAILED
    assert "queue of connections stayed full for 0.2 s" in str(error)


async def test_an_engine_whose_queue_was_full_is_listed_as_soon_as_it_accepts(folder: Path, opened: Open):
    engine = FakeEngine(folder / "docker.sock", says(containers(entry())))
    with full_backlog(engine.path) as listener:
        listing = asyncio.create_task(opened(engine.endpoint).containers())
        done, _ = await asyncio.wait({listing}, timeout=0.1)
        assert not done
        async with await asyncio.start_unix_server(engine.serve, sock=listener):
            assert len((await listing).containers) == 1
            await engine.stop()


async def test_p5_a_list_that_waits_for_a_full_queue_is_cancelled_within_a_second(folder: Path, opened: Open):
    with full_backlog(folder / "docker.sock"):
        listing = asyncio.create_task(opened(f"unix://{folder}/docker.sock").containers())
        await asyncio.wait({listing}, timeout=0.1)
        listing.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await listing


async def test_closing_twice_is_as_good_as_once(folder: Path, opened: Open):
    engine = opened(f"unix://{folder}/docker.sock")
    await engine.close()
    await failure(engine)
    await engine.close()
    await engine.close()
