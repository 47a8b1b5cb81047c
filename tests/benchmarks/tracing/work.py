"""What is measured, by the names that a worker is told; and the worker as the benchmark speaks to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.servers.kubernetes import ROOT

STEADY, FORCED, DISPATCH = "steady", "forced", "dispatch"
WORKLOAD = "default/stack-0"


class Worker:
    """A process of `tests.benchmarks.tracing.worker`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        assert self._hear() == "ready\n", "a worker of the benchmark did not start"

    def seconds(self, what: str, times: int) -> list[float]:
        """Let it do something so often, and return what each took."""
        assert self._process.stdin
        print(what, times, file=self._process.stdin, flush=True)
        told: list[float] = json.loads(self._hear())
        return told

    def _hear(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@contextmanager
def worker(url: str, manifests: Path, environment: Mapping[str, str]) -> Iterator[Worker]:
    """Run one for the length of the block, with these variables beside what everybody has."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TINYFORGE_", "OTEL_"))}
    command = [sys.executable, "-m", "tests.benchmarks.tracing.worker", url, str(manifests)]
    with subprocess.Popen(
        command, cwd=ROOT, env={**inherited, **environment}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Worker(process)
        finally:
            assert process.stdin
            process.stdin.close()
