"""Without TINYFORGE_DATABASE_URL: the PostgreSQL that a controller brings along, and what becomes of it when one of the two is killed."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Start
from tests.e2e.controllers import SOON, Controller, environment_of_a_user, tinyforge
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres, cluster_folder
from tinyforge.standalone.postgres import embedded_postgres

WEB = "default/shop:web"


@pytest.fixture
def data() -> Iterator[Path]:
    """A folder for the data, which a server that was left behind is gone from in the end."""
    with cluster_folder() as folder:
        yield folder / "data"
        with embedded_postgres(folder / "data"):
            pass


def test_fault_13_a_server_that_is_killed_is_started_again_and_nothing_is_lost(shop: DockerEngine, data: Path, run: Start) -> None:
    controller = run(TINYFORGE_DATA=str(data))
    index = index_of(controller)
    index.becomes({WEB: "running"})
    killed = server_of(data)
    os.kill(killed, signal.SIGKILL)
    shop.client.kill("web")
    controller.says(f"PostgreSQL in {data}/postgres had ended and is started again")
    until(index.answers, True)
    assert server_of(data) != killed
    index.becomes({WEB: "stopped"})
    assert index.sql("SELECT epoch FROM tinyforge.leaders") == [(1,)]
    ps = tinyforge("ps", environment=environment_of_a_user(TINYFORGE_DATA=str(data)))
    assert "stopped" in ps.stdout
    controller.signal(signal.SIGTERM)
    assert controller.ends() == 0
    assert server_of(data) == 0


def test_a_killed_controllers_server_is_found_by_the_next_and_stopped_by_the_last(shop: DockerEngine, data: Path, run: Start) -> None:
    killed = run(TINYFORGE_DATA=str(data))
    index_of(killed).becomes({WEB: "running"})
    server = server_of(data)
    killed.kill()
    shop.client.kill("web")
    second = run(TINYFORGE_DATA=str(data))
    second.says("leads with epoch 2")
    index_of(second).becomes({WEB: "stopped"})
    last = run(TINYFORGE_DATA=str(data))
    assert second.ends() == 1
    assert server_of(data) == server
    last.signal(signal.SIGINT)
    assert last.ends() == 130
    assert server_of(data) == 0


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -9), (signal.SIGTERM, 0)])
def test_an_end_while_the_data_are_made_leaves_nothing_in_the_way_of_the_next(
    number: signal.Signals, code: int, data: Path, manifests: Manifests, start: Start, run: Start
) -> None:
    ended = start("-f", manifests.folder, TINYFORGE_DATA=str(data))
    until((data / "postgres.new" / "base").exists, True)
    ended.signal(number)
    assert ended.ends(within=SOON) == code
    run(TINYFORGE_DATA=str(data))


def index_of(controller: Controller) -> Index:
    """The index, from the line that tells a person how to reach it."""
    url = controller.says("The index is in PostgreSQL: ").split()[-1]
    return Index(Postgres(url), url)


def server_of(data: Path) -> int:
    """The process number of the server in a folder; 0 if there is none."""
    try:
        return int((data / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0] or 0)
    except FileNotFoundError:
        return 0
