"""The most memory that `tinyforge run` takes, from an empty index on, beside what the controller takes that is only imported."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psycopg

from tests.benchmarks.figures import Figure, Section

PASSES = 5
PATIENCE = 120  # seconds for that many passes
BARE = "import tinyforge.standalone.controller; print(open('/proc/self/status').read())"
LAST_PASS = "SELECT last_complete_pass_at FROM tinyforge.hosts WHERE last_complete_pass_at > %s"


def memory_section(url: str, manifests: Path, log: Path) -> Section:
    """Let `tinyforge run` make some passes on the database at `url`; what it says goes to `log`."""
    running = peak_of_run(url, manifests, log)
    bare = peak(subprocess.run([sys.executable, "-c", BARE], check=True, capture_output=True, text=True).stdout)
    return Section(
        f"Peak memory (VmHWM) over the first {PASSES} passes",
        (
            Figure("tinyforge run", running, "{:.1f} MiB"),
            Figure("import tinyforge.standalone.controller", bare, "{:.1f} MiB"),
            Figure("the difference", running - bare, "{:.1f} MiB"),
        ),
    )


def peak_of_run(url: str, manifests: Path, log: Path) -> float:
    """The peak of a process that runs with a short interval, in MiB."""
    settings = {"TINYFORGE_DATABASE_URL": url, "TINYFORGE_INTERVAL": "100ms"}
    others = {name: value for name, value in os.environ.items() if not name.startswith("TINYFORGE_")}
    with psycopg.connect(url, autocommit=True) as connection, log.open("wb") as output:
        connection.execute("TRUNCATE tinyforge.containers")
        command = [sys.executable, "-m", "tinyforge", "run", "-f", str(manifests)]
        process = subprocess.Popen(command, env=others | settings, stdout=output, stderr=output)
        try:
            for _ in range(PASSES):
                await_pass(connection, process, log)
            return peak(Path(f"/proc/{process.pid}/status").read_text())
        finally:
            process.terminate()
            process.wait()


def await_pass(connection: psycopg.Connection[tuple[object, ...]], process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until one more pass than now is complete."""
    deadline = time.monotonic() + PATIENCE
    (now,) = connection.execute("SELECT now()").fetchone() or (None,)
    while connection.execute(LAST_PASS, (now,)).fetchone() is None:
        assert process.poll() is None, f"tinyforge run has ended: {log.read_text()}"
        assert time.monotonic() < deadline, f"tinyforge run made no pass in {PATIENCE} s: {log.read_text()}"
        time.sleep(0.01)


def peak(status: str) -> float:
    """The peak that a /proc/<pid>/status names, in MiB."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", status, re.MULTILINE)
    assert found, "this needs Linux's /proc"
    return int(found[1]) / 1024
