"""An open HTTP port, what its checks find, and its metrics."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from tests.http.asking import LOOPBACK, Answer, ask
from tests.http.series import NOW
from tinyforge.http.address import ListenAddress
from tinyforge.http.metrics import Metrics
from tinyforge.http.server import serving


@dataclass
class Port:
    """An HTTP port that finds wrong what a test says is wrong."""

    sick: list[str] = field(default_factory=list)
    unready: list[str] = field(default_factory=list)
    standing: str = ""
    metrics: Metrics = field(default_factory=lambda: Metrics(sources=["external"]))
    at: ListenAddress = LOOPBACK

    async def ask(self, path: str, *, method: str = "GET", **headers: str) -> Answer:
        return await ask(self.at, path, method=method, **headers)


@pytest.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    async with serving(
        LOOPBACK, health=lambda: port.sick, readiness=lambda: port.unready, metrics=port.metrics, standing=lambda: port.standing
    ) as port.at:
        yield port


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(sources=["external", "image"], now=lambda: NOW)
