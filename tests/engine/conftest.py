"""What the tests of the engine adapter share: engines opened by the adapter and closed again, a fake one, and a real one behind TLS."""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, closing
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pytest

from tests.engine.fake_engine import Behaviour, FakeEngine, fake_engine
from tests.engine.opening import open_at
from tests.servers.certificates import Authority, write_secret
from tests.servers.docker_engine import DockerEngine
from tinyforge.ports import Engine


class Open(Protocol):
    def __call__(self, endpoint: str, **changes: Any) -> Engine: ...


class Fake(Protocol):
    async def __call__(self, behaviour: Behaviour) -> FakeEngine: ...


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Open engines as `open_at` does, and close them in the end."""
    async with AsyncExitStack() as stack:

        def open_one(endpoint: str, **changes: Any) -> Engine:
            engine = open_at(endpoint, **changes)
            stack.push_async_callback(engine.close)
            return engine

        yield open_one


@pytest.fixture
async def fake() -> AsyncIterator[Fake]:
    """Start fake engines, each on a socket of its own; in a folder with a short name, as a socket's path must be short."""
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="fake-")))
        numbers = count()

        async def start(behaviour: Behaviour) -> FakeEngine:
            return await stack.enter_async_context(fake_engine(folder / f"{next(numbers)}.sock", behaviour))

        yield start


@pytest.fixture(scope="session")
def ours() -> Authority:
    """The authority of our engines and of ourselves."""
    return Authority.make("ours")


@pytest.fixture(scope="session")
def theirs() -> Authority:
    """Somebody else's."""
    return Authority.make("theirs")


@pytest.fixture(scope="session")
def tls_engine(ours: Authority) -> Iterator[DockerEngine]:
    """An engine that listens on TCP, to be left as it is."""
    with TemporaryDirectory(prefix="tls-") as folder, closing(DockerEngine(tls=ours.server(Path(folder) / "server"))) as engine:
        yield engine


@pytest.fixture
def tls_secrets(tmp_path: Path, ours: Authority) -> Path:
    """A folder of Secrets, with the right one in it."""
    write_secret(tmp_path / "right", ours, ours.client())
    return tmp_path
