"""A real Jaeger, all in one process and in memory, for the tests that ask it what traces say.

Fixtures (a plugin of tests/conftest.py):

* `jaeger`: the one that all tests of this process share; each sends under a service name of its own (`Jaeger.settings`);
* `own_jaeger`: one for this test alone, which does not run yet, so that its ports refuse connections; it may be frozen and stopped.

A start takes 0.1 s.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from random import SystemRandom

import pytest

from tests.servers.jaeger_api import JaegerApi, Span
from tests.servers.kubernetes import ROOT
from tests.servers.server_process import ServerProcess

DEADLINE = 40.0
LOOK_SECONDS = 0.05
BATCH_MILLISECONDS = 100
"""How long a test's program gathers spans before it sends them; by default it is 5 s."""
PORTS = {
    "collector.otlp.http.host-port": 4318,
    "collector.otlp.grpc.host-port": 4317,
    "collector.grpc-server.host-port": 14250,
    "collector.http-server.host-port": 14268,
    "query.http-server.host-port": 16686,
    "query.grpc-server.host-port": 16685,
    "admin.http.host-port": 14269,
    "http-server.host-port": 5778,
    "processor.zipkin-compact.server-host-port": 5775,
    "processor.jaeger-compact.server-host-port": 6831,
    "processor.jaeger-binary.server-host-port": 6832,
}
"""All that Jaeger 1.62 listens on, and where it does by default."""


class Jaeger:
    """Jaeger on its own address of the loopback network, with its usual ports: they are free, and its own before it runs and after.

    `process` runs it; `api` asks it.
    """

    def __init__(self, program: str) -> None:
        self.address = loopback_address()
        self.folder = Path(tempfile.mkdtemp(prefix="tinyforge-jaeger-"))
        place = f"{self.address}:{PORTS['query.http-server.host-port']}"
        self.url = f"http://{place}"
        """Where it is asked."""
        self.otlp_http = f"http://{self.address}:{PORTS['collector.otlp.http.host-port']}"
        self.otlp_grpc = f"http://{self.address}:{PORTS['collector.otlp.grpc.host-port']}"
        self.api = JaegerApi(place)
        options = ["--collector.otlp.enabled=true", *(f"--{option}={self.address}:{port}" for option, port in PORTS.items())]
        command = ["env", "OTEL_TRACES_SAMPLER=always_off", program, *options]  # or it traces itself, into port 4317 of localhost
        self.process = ServerProcess(command, folder=self.folder, answers=self.api.answers)

    def settings(self, service: str = "", *, grpc: bool = False) -> dict[str, str]:
        """The variables with which a program sends its traces here, soon after they end; as `tinyforge` unless it has another name."""
        settings = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.otlp_grpc if grpc else self.otlp_http,
            "OTEL_BSP_SCHEDULE_DELAY": str(BATCH_MILLISECONDS),
        }
        if grpc:
            settings |= {"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
        return settings | ({"OTEL_SERVICE_NAME": service} if service else {})

    def trace(self, trace_id: str) -> list[Span]:
        """Wait until a trace is here with its root, which comes last, and return its spans."""
        return self.until(lambda: self.api.trace(trace_id), lambda spans: any(not span.parent for span in spans))

    def until(self, look: Callable[[], Sequence[Span]], wanted: Callable[[Sequence[Span]], object]) -> list[Span]:
        """Look until something is true of the spans that are seen, and return them."""
        deadline = time.monotonic() + DEADLINE
        while not wanted(seen := look()):
            assert time.monotonic() < deadline, f"Jaeger has only: {[(span.trace_id, span.name, span.attributes) for span in seen]}"
            time.sleep(LOOK_SECONDS)
        return list(seen)

    def close(self) -> None:
        """End it, and remove its traces; idempotent."""
        self.process.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def loopback_address() -> str:
    """An address of 127.0.0.0/8 that nobody else uses: of 16 million, any."""
    return f"127.{'.'.join(str(SystemRandom().randrange(1, 255)) for _ in range(3))}"


@pytest.fixture(scope="session")
def jaeger_program() -> str:
    """Jaeger's program."""
    environment = {**os.environ, "TINYFORGE_SETUP": "never"}  # a build takes longer than any test may
    found = subprocess.run([ROOT / "scripts/jaeger"], env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"{found.stderr.strip()}\nTo do it: make tools"
    return found.stdout.strip()


@pytest.fixture(scope="session")
def jaeger(jaeger_program: str) -> Iterator[Jaeger]:
    with closing(Jaeger(jaeger_program)) as jaeger:
        jaeger.process.start()
        yield jaeger


@pytest.fixture
def own_jaeger(jaeger_program: str) -> Iterator[Jaeger]:
    with closing(Jaeger(jaeger_program)) as jaeger:
        yield jaeger
