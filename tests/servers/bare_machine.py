"""A machine that lacks what the project needs, for the tests of the scripts that set it up (`bare_machine`, fixture `project`).

Such a machine is this one in namespaces of its own, with nothing in /run, and perhaps without dockerd. Stubs stand in for apt-get and
systemctl, which would change this machine, and for Go, which would build for minutes; the engine that the scripts start is real, and so is
the uv that they install.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.enclosure import Enclosure

ROOT = Path(__file__).parents[2]
SYSTEM = "/usr/bin:/bin"
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
PROGRAMS = Path(shutil.which("dockerd", path=f"{SYSTEM}:/usr/sbin:/usr/local/bin") or "/usr/sbin/dockerd").parent
OVERLAY = f"mount -t overlay -o lowerdir={PROGRAMS},upperdir=/run/upper,workdir=/run/work overlay {PROGRAMS}"
WITHOUT_DOCKERD = f"mkdir /run/upper /run/work && {OVERLAY} && rm {PROGRAMS}/dockerd"
WITH_SYSTEMD = "mkdir -p /run/systemd/system"
APT_GET = 'echo "apt-get $*" >>"$CALLS"'
APT_GET_DOCKER = f"{APT_GET}; case $* in *docker.io*) umount {PROGRAMS} ;; esac"
GO = """
case "$1" in
env) echo go1.26.8 ;;
build)
    while [ "$1" != -o ]; do shift; done
    sleep 0.1
    echo "built ${2##*/}" >>"$CALLS"
    touch "$2" && chmod +x "$2" ;;
esac
"""
SYSTEMCTL = 'echo "systemctl $*" >>"$CALLS"; setsid dockerd >/dev/null 2>&1 & while [ ! -S /run/docker.sock ]; do sleep 0.05; done'


class Project:
    """A copy of the project's Makefile and scripts that everybody may read, and a folder of stubs in front of the system's programs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.calls = folder / "calls"
        self._stubs = folder / "stubs"
        self._stubs.mkdir()
        self.home.mkdir()
        shutil.copy(ROOT / "Makefile", folder)
        shutil.copytree(ROOT / "scripts", folder / "scripts")
        folder.chmod(0o755)

    def stub(self, name: str, text: str) -> None:
        """Put a program of ours in front of the system's."""
        program = self._stubs / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """What a program sees: little of this process's own, but all of its settings for package clients."""
        clients = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}
        own = {"PATH": f"{self._stubs}:{SYSTEM}", "HOME": str(self.home), "CALLS": str(self.calls)}
        cache = {"PIP_CACHE_DIR": str(Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "pip")}
        return {**cache, **clients, **own, **more}

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """Run a command in the project, and return its exit code and what it printed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment(**environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout


@pytest.fixture
def project() -> Iterator[Project]:
    with tempfile.TemporaryDirectory(prefix="tinyforge-project-") as folder:
        yield Project(Path(folder))


Machine = Callable[..., tuple[int, str]]


@contextmanager
def bare_machine(project: Project, *prepare: str) -> Iterator[Machine]:
    """A machine without anything in /run; yields what runs a script on it, by its name, perhaps with another command in front."""
    for name in ("lib", "etc"):
        (project.folder / name).mkdir()
    own = [
        "mount -t tmpfs none /run",
        "mkdir -p /var/lib/docker /etc/docker",
        f"mount --bind {project.folder}/lib /var/lib/docker",
        f"mount --bind {project.folder}/etc /etc/docker",
        "mount -t tmpfs none /var/log",
    ]
    with Enclosure(" && ".join([*own, *prepare])) as enclosure:
        yield lambda script, *front, **environment: enclosure.run(
            [*front, project.folder / "scripts" / script], environment=project.environment(**environment)
        )
