"""A running controller for the verbs that ask one something: the real one, in a thread, since a process takes a second to start."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tinyforge.cli.engines import engines
from tinyforge.cli.rhythm import rhythm_of
from tinyforge.engine import FolderSecrets
from tinyforge.http.metrics import Metrics
from tinyforge.index.database import Database
from tinyforge.index.leadership import read_leader
from tinyforge.index.led import lead
from tinyforge.reconcile.plugins import load_plugins
from tinyforge.settings import Settings
from tinyforge.standalone.controller import Controller, Surroundings
from tinyforge.standalone.folder import ManifestFolder

START_SECONDS = 30


@contextmanager
def running_controller(url: str, folder: Path) -> Iterator[None]:
    """A controller of what a folder declares, on a migrated database, for the length of a block."""
    leads, stop = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_control(url, folder, leads, stop)), name="controller")
    thread.start()
    try:
        assert leads.wait(START_SECONDS), "the controller does not start"
        yield
    finally:
        stop.set()
        thread.join()


async def _control(url: str, folder: Path, leads: threading.Event, stop: threading.Event) -> None:
    async with lead(url) as index:
        settings = Settings(docker_connect_timeout=5.0)
        controller = Controller(
            surroundings=Surroundings(
                declaring=ManifestFolder(folder), connect=engines(settings, FolderSecrets(None)), on_database_lost=_nothing
            ),
            index=index,
            plugins=load_plugins(),
            rhythm=rhythm_of(settings),
            metrics=Metrics(sources=()),
        )
        control = asyncio.create_task(controller.run())
        await _until_alive(url)
        leads.set()
        await asyncio.to_thread(stop.wait)
        control.cancel()
        with suppress(asyncio.CancelledError):
            await control


async def _until_alive(url: str) -> None:
    database = Database(url, session="tests", size=1)
    await database.open()
    while not (await database.run(read_leader)).alive:  # noqa: ASYNC110 - PostgreSQL tells nobody of a new session
        await asyncio.sleep(0.02)
    await database.close()


async def _nothing() -> None:
    pass


def declare(
    folder: Path, *, host: str = "local", endpoint: str = "unix:///nowhere/docker.sock", workloads: dict[str, str] | None = None
) -> Path:
    """Write manifests of one host and its workloads, each a name and what its spec says beside the host."""
    folder.mkdir(exist_ok=True)
    (folder / f"{host}.yaml").write_text(
        f"apiVersion: tinyforge.dev/v1alpha1\nkind: DockerHost\nmetadata: {{name: {host}}}\n"
        f'spec: {{endpoint: "{endpoint}", allowedNamespaces: ["*"]}}\n'
    )
    for name, spec in (workloads or {}).items():
        (folder / f"{name}.yaml").write_text(
            f"apiVersion: tinyforge.dev/v1alpha1\nkind: Workload\nmetadata: {{name: {name}}}\nspec: {{host: {host}, {spec}}}\n"
        )
    return folder
