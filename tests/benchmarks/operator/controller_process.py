"""`tinyforge controller` as a pod runs it: the installed program, in a process of its own, and what it takes of the machine."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TINYFORGE = str(Path(sys.executable).with_name("tinyforge"))
STOP_SECONDS = 30
IMPORTS = "import tinyforge.cli.controller; print(open('/proc/self/status').read())"


class ControllerProcess:
    """A running controller, whose port for probes is `port`."""

    def __init__(self, process: "subprocess.Popen[bytes]", *, port: int, log: Path) -> None:
        self.port = port
        self.log = log
        self._process = process
        self.started = time.monotonic()

    @property
    def peak(self) -> float:
        """The most memory it ever had, in MiB."""
        return mebibytes("VmHWM", self._status())

    @property
    def resident(self) -> float:
        """The memory it has, in MiB."""
        return mebibytes("VmRSS", self._status())

    @property
    def threads(self) -> int:
        """How many threads it has."""
        return number("Threads", self._status())

    @property
    def cpu_seconds(self) -> float:
        """The CPU time it has used."""
        fields = self._read("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime and stime: proc(5) counts from 1, and we from 3

    def end(self) -> None:
        """End it as a kubelet does."""
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        finally:
            self._process.kill()

    def _status(self) -> str:
        return self._read("status")

    def _read(self, name: str) -> str:
        assert self._process.poll() is None, f"the controller has ended: {self.log.read_text()}"
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


@contextmanager
def controller(environment: dict[str, str], *, port: int, log: Path) -> Iterator[ControllerProcess]:
    """Run a controller for the length of a block; what it says goes to `log`."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TINYFORGE_")}
    settings = {"TINYFORGE_HTTP_ADDRESS": f"127.0.0.1:{port}", "TINYFORGE_LOG_FORMAT": "text"}
    with log.open("ab") as output:
        command = ["setpriv", "--pdeathsig", "KILL", TINYFORGE, "controller"]
        process = subprocess.Popen(command, env=inherited | settings | environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    running = ControllerProcess(process, port=port, log=log)
    try:
        yield running
    finally:
        running.end()


def peak_of_imports() -> float:
    """The most memory of a process that only imports what the controller is made of, in MiB."""
    return mebibytes("VmHWM", subprocess.run([sys.executable, "-c", IMPORTS], check=True, capture_output=True, text=True).stdout)


def mebibytes(name: str, status: str) -> float:
    """What a /proc/<pid>/status says of memory, in MiB."""
    return number(name, status) / 1024


def number(name: str, status: str) -> int:
    """A number that a /proc/<pid>/status names."""
    found = re.search(rf"^{name}:\s+(\d+)", status, re.MULTILINE)
    assert found, f"this needs Linux's /proc, with {name}"
    return int(found[1])
