"""What the tests of the engine adapter share: engines opened by the adapter and closed again, and a fake one to open."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import pytest

from tests.engine.fake_engine import Behaviour, FakeEngine, fake_engine
from tinyforge.domain.hosts import Host
from tinyforge.engine import Intake, open_engine
from tinyforge.ports import Engine


class Open(Protocol):
    def __call__(self, endpoint: str, **changes: Any) -> Engine: ...


class Fake(Protocol):
    async def __call__(self, behaviour: Behaviour) -> FakeEngine: ...


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    """Open engines by their endpoint; anything else about the host or the limits by keyword."""
    async with AsyncExitStack() as stack:

        def open_one(endpoint: str, *, tls_secret: str = "", ssh_secret: str = "", **changes: Any) -> Engine:
            limits = {"connect_timeout": 5, "list_timeout": 20, "list_limit": 32 << 20, "secrets": None} | changes
            host = Host(name="host", endpoint=endpoint, tls_secret=tls_secret, ssh_secret=ssh_secret)
            engine = open_engine(host, **{"intake": Intake(), **limits})
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
