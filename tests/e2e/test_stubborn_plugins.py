"""A plugin of somebody else's, really installed, that does not end when everything ends: the process does all the same (rule P5).

Once the time is over that a dispatch may take to finish at a signal, which here is none.
"""

import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.controllers import SOON, Controller, environment_of_a_user, tinyforge
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.plugins.site import SOURCE, Site, site_packages
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import cluster_folder
from tinyforge.standalone.postgres import embedded_postgres

SWALLOWS = """
        while True:
            try:
                await asyncio.sleep(3600)
            except BaseException:  # what the interpreter throws into it when it frees it, too
                pass
"""
BLOCKS = """
        await asyncio.to_thread(threading.Event().wait)
"""
OF_ITS_OWN = """
        threading.Thread(target=threading.Event().wait, name="theirs").start()
        return Unchanged()
"""
LEFT = "not ended when cancelled, and left behind: source.reconcile, called by t"
Install = Callable[[str], str]


@pytest.fixture
def install(tmp_path: Path, shop: DockerEngine, manifests: Manifests) -> Iterator[Install]:
    """Installs a source that does what is given when it is asked, declares a workload for it, and returns what PYTHONPATH has to be."""
    manifests.workload("shop", "stack", source={"kind": "theirs"}, trigger={"kind": "manual"})
    with site_packages(tmp_path / "site-packages") as site:
        yield lambda code: _installed(site, code)


@pytest.fixture
def data() -> Iterator[Path]:
    with cluster_folder() as folder:
        yield folder / "data"
        with embedded_postgres(folder / "data"):
            pass


def _installed(site: Site, code: str) -> str:
    asked = f'\n        logging.getLogger("theirs").warning("asked"){code}'
    first, _, rest = SOURCE.partition("\n        return Unchanged()\n")
    site.source(f"import asyncio, logging, threading\n{first}{asked}{rest}")
    return os.pathsep.join(filter(None, (str(site.folder), os.environ.get("PYTHONPATH"))))


def stop(controller: Controller, number: signal.Signals) -> int:
    controller.says("asked")
    controller.signal(number)
    return controller.ends(within=SOON)


def test_p5_one_that_swallows_its_cancellation_is_named_and_the_embedded_postgresql_is_stopped(
    data: Path, install: Install, run: Start
) -> None:
    controller = run(TINYFORGE_DATA=str(data), TINYFORGE_DRAIN="0", PYTHONPATH=install(SWALLOWS))
    assert (data / "postgres" / "postmaster.pid").exists()
    assert stop(controller, signal.SIGTERM) == 0
    assert not (data / "postgres" / "postmaster.pid").exists()
    assert controller.said(LEFT) == 1
    assert "default/shop" in controller.says(LEFT)


@pytest.mark.parametrize(
    ("code", "said"),
    [(SWALLOWS, LEFT), (BLOCKS, "its threads asyncio_"), (OF_ITS_OWN, "its threads theirs")],
    ids=["a task", "a call in a thread", "a thread"],
)
def test_p5_whatever_it_holds_on_to_the_process_ends_with_the_exit_code_of_the_signal(
    code: str, said: str, install: Install, run: Start, index: Index
) -> None:
    controller = run(PYTHONPATH=install(code), TINYFORGE_DRAIN="0", TINYFORGE_INTERVAL="5m")
    assert stop(controller, signal.SIGINT) == 130
    assert controller.said(said) == 1
    assert index.sql("SELECT holder FROM tinyforge.leaders") == [("",)]


def test_p5_once_ends_by_itself_and_prints_all_that_it_found(install: Install, manifests: Manifests, index: Index) -> None:
    user = environment_of_a_user(TINYFORGE_DATABASE_URL=index.url, PYTHONPATH=install(SWALLOWS), TINYFORGE_DISPATCH_TIMEOUT="100ms")
    ended = tinyforge("run", "-f", manifests.folder, "--once", "--json", environment=user)
    assert ended.returncode == 0
    assert [it["host"] for it in json.loads(ended.stdout)] == ["local"]
    assert LEFT in ended.stderr


def test_p5_one_that_hangs_under_a_deposed_controller_does_not_keep_it(install: Install, run: Start, index: Index) -> None:
    first = run(PYTHONPATH=install(SWALLOWS))
    first.says("asked")
    run()
    assert first.ends() == 1
    assert LEFT in "\n".join(first.messages)
