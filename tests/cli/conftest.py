"""How the tests of the command line call it.

Fixtures:

* `tinyforge`: calls a verb in this process, on the test's own migrated database;
* `program`: starts a verb as a process of its own, for signals, pipes and terminals;
* `index`: that database, to be written to and looked at by SQL.
"""

import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.cli.index import Index
from tests.servers.postgres import Postgres
from tinyforge.cli import main


class Ended:
    """How a verb ended, and what it printed."""

    def __init__(self, exit_code: int, stdout: str, stderr: str) -> None:
        self.exit_code = exit_code
        self.stdout = stdout
        self.stderr = stderr

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.stdout)

    def __repr__(self) -> str:
        return f"exit code {self.exit_code}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}"


Tinyforge = Callable[..., Ended]
Program = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def environment(database_url: str, tmp_path: Path) -> dict[str, str | None]:
    """The environment of a verb: the test's database, and no setting of whoever runs the tests."""
    settings: dict[str, str | None] = {name: None for name in os.environ if name.startswith("TINYFORGE_") or name == "DOCKER_HOST"}
    return settings | {"TINYFORGE_DATABASE_URL": database_url, "TINYFORGE_DATA": str(tmp_path / "no-embedded-data"), "COLUMNS": "100"}


@pytest.fixture
def tinyforge(environment: dict[str, str | None]) -> Iterator[Tinyforge]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    def call(*arguments: str, **variables: str | None) -> Ended:
        result = CliRunner().invoke(main, arguments, prog_name="tinyforge", env=environment | variables)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ended(result.exit_code, result.stdout, result.stderr)

    yield call
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def program(environment: dict[str, str | None]) -> Iterator[Program]:
    with ExitStack() as started:

        def start(
            *arguments: str, stdout: Any = subprocess.PIPE, stderr: Any = subprocess.PIPE, **variables: str | None
        ) -> subprocess.Popen[str]:
            settings = {name: value for name, value in ({**os.environ} | environment | variables).items() if value is not None}
            process = subprocess.Popen(
                [sys.executable, "-m", "tinyforge", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                text=True,
                env=settings,
            )
            started.callback(end, process)
            return process

        yield start


def end(process: "subprocess.Popen[str]") -> None:
    """End a process that a test left behind."""
    if process.poll() is None:
        process.send_signal(signal.SIGKILL)
    process.wait()
    for stream in (process.stdout, process.stderr):
        if stream:
            stream.close()


@pytest.fixture
def index(database_url: str, postgres_server: Postgres) -> Index:
    return Index(postgres_server, database_url)
