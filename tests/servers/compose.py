"""The real Docker Compose, for the labels and the lives of containers as it makes them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.servers.docker_engine import IMAGE, DockerEngine

SERVICE = {
    "image": IMAGE,
    "pull_policy": "never",
    "network_mode": "none",
    "command": ["sleep", "1000000"],
    "stop_signal": "SIGKILL",  # busybox as process 1 heeds no other
}


class Compose:
    """One Compose project on an engine. `folder` is an empty one, for its file; `services` are given as in that file, by name.

    Each service is a container of busybox that sleeps, without network, as far as it is not said otherwise.
    """

    def __init__(self, engine: DockerEngine, folder: Path, project: str, services: Mapping[str, Mapping[str, Any]]) -> None:
        self.project = project
        self._engine = engine
        self._folder = folder
        self.change(services)

    def change(self, services: Mapping[str, Mapping[str, Any]]) -> None:
        """Write the file anew; the next `up` brings it about."""
        text = yaml.safe_dump({"services": {name: SERVICE | dict(service) for name, service in services.items()}})
        (self._folder / "compose.yaml").write_text(text)

    def up(self, *arguments: str) -> None:
        """`docker compose up --detach`, with arguments such as `--scale=web=3`; it returns when the containers have started."""
        self._compose("up", "--detach", *arguments)

    def run(self, service: str, *command: str) -> None:
        """`docker compose run`: runs a command in a one-off container of a service, which stays when the command has ended."""
        self._compose("run", service, *command)

    def down(self) -> None:
        """`docker compose down`: removes the containers, one-offs too."""
        self._compose("down", "--remove-orphans", "--timeout=0")

    def _compose(self, *arguments: str) -> None:
        program = Path(sys.executable).with_name("docker-compose")
        done = subprocess.run(
            [program, f"--project-name={self.project}", *arguments],
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "HOME": str(self._folder), "DOCKER_HOST": self._engine.endpoint},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout
