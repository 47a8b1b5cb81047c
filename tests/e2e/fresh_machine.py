"""A machine with a Docker Engine and a clone of the project, and nobody has run anything on it.

It is this machine in namespaces of its own, where /var/run/docker.sock leads to an engine of the tests and /var/lib is empty. What
`make setup` would bring is there already; that has its own tests.
"""

import os
import select
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from tests.e2e.controllers import DEADLINE, environment_of_a_user
from tests.servers.bare_machine import ROOT
from tests.servers.docker_engine import DockerEngine
from tests.servers.enclosure import Enclosure

CONTROL_C = b"\x03"


class FreshMachine:
    """The machine, its first terminal, in which something goes on, and a second one. `clone` is an empty folder for the project."""

    def __init__(self, engine: DockerEngine, clone: Path) -> None:
        self._clone = clone
        put_clone(clone)
        self._enclosure = Enclosure(
            f"mount -t tmpfs none /run && ln -s {engine.socket} /run/docker.sock && mount -t tmpfs -o mode=755 none /var/lib"
        )
        self._screen, self._tty = os.openpty()
        self._running: subprocess.Popen[bytes] | None = None
        self._seen = ""

    def type(self, command: str) -> None:
        """Start a command in the first terminal, when the last one has ended, on an empty screen."""
        self._wait()
        self._read(0)
        self._seen = ""
        tty = os.ttyname(self._tty)
        shell: list[str | Path] = ["bash", "-c", f'cd "$0" && exec setsid --ctty {command} <>{tty} >&0 2>&0', self._clone]
        self._running = self._enclosure.start(shell, output=self._tty, environment=environment_of_a_user(TERM="xterm"))

    def press(self, key: bytes) -> None:
        """Press a key in the first terminal."""
        os.write(self._screen, key)

    def see(self, text: str) -> str:
        """Wait until there is a line with this text in the first terminal, and return what is there up to it."""
        deadline = time.monotonic() + DEADLINE
        while "\n" not in self._seen.partition(text)[2]:
            assert self._read(max(deadline - time.monotonic(), 0)), f"no {text!r} in: {self._seen}"
        before, found, after = self._seen.partition(text)
        return before + found + after.partition("\n")[0] + "\n"

    def run(self, commands: list[str]) -> dict[str, str]:
        """Run commands in the second terminal, and return what each printed; each has to succeed."""
        script = [f"echo {shlex.quote(MARK + command)}\n{command}" for command in commands]
        code, printed = self._enclosure.run(["bash", "-ec", "\n".join([f"cd {self._clone}", *script])], environment=environment_of_a_user())
        assert code == 0, printed
        return dict(part.split("\n", 1) for part in printed.split(MARK)[1:])

    def close(self) -> None:
        """End everything on it."""
        self._enclosure.close()
        self._wait()
        os.close(self._screen)
        os.close(self._tty)

    def _read(self, seconds: float) -> bool:
        ready, _, _ = select.select([self._screen], [], [], seconds)
        if ready:
            self._seen += os.read(self._screen, 65536).decode().replace("\r\n", "\n")
        return bool(ready)

    def _wait(self) -> None:
        if self._running:
            self._running.wait()


MARK = "\x1e"  # which nothing prints


def put_clone(folder: Path) -> None:
    """Put the project into a folder, with this one's .venv, which is current."""
    for name in ("Makefile", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / name, folder)
    for name in ("scripts", "manifests"):
        shutil.copytree(ROOT / name, folder / name)
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(ROOT / ".venv/bin")
    (folder / ".venv/.current").touch()
