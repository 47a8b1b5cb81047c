"""The PostgreSQL of a benchmark, and under what conditions it was run: what a figure is worth nothing without."""

import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes import ROOT
from tests.servers.postgres import Postgres, cluster_folder
from tinyforge.standalone.postgres import embedded_postgres

SETTINGS = "SELECT current_setting('server_version'), current_setting('fsync'), current_setting('synchronous_commit')"


@contextmanager
def postgres() -> Iterator[Postgres]:
    """The server, for the length of a block: on a disk, and set up for people and not for tests, since a pass ends with a commit."""
    if url := os.environ.get("TINYFORGE_TEST_DATABASE_URL"):
        yield Postgres(url)
        return
    with cluster_folder(Path(tempfile.gettempdir())) as folder, embedded_postgres(folder) as embedded:
        yield Postgres(embedded.conninfo)


def kubernetes_programs() -> str:
    """The folders of kube-apiserver and its like, as in a PATH; `make tools` has built them."""
    return subprocess.run([ROOT / "scripts/kubernetes"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def jaeger_program() -> str:
    """Jaeger's program; `make tools` has built it."""
    return subprocess.run([ROOT / "scripts/jaeger"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def conditions(engine: DockerEngine, server: Postgres) -> str:
    """Return the versions and settings of all that takes part, and how busy the machine is now."""
    ((version, fsync, synchronous_commit),) = server.sql(SETTINGS)
    return (
        f"Docker Engine {engine.client.version()['Version']}, "
        f"PostgreSQL {version} (fsync {fsync}, synchronous_commit {synchronous_commit}), "
        f"Python {platform.python_version()}, {os.cpu_count()} CPUs, load {load():.1f} at the start."
    )


def load() -> float:
    """Return how many processes wanted a CPU at a time during the last minute, on average."""
    return os.getloadavg()[0]
