"""What the tests of the whole program have: a database, a folder of manifests, and `tinyforge run`s that end with their test.

Fixtures:

* `index`: the database of this test, looked at by SQL;
* `manifests`: a folder of manifests, empty;
* `shop`: the engine of the tests, declared there as host local with the stack default/shop, of which a container runs there;
* `start`: starts a `tinyforge run`; on that database, unless its settings say otherwise, and with ten passes a second;
* `run`: starts one on the folder of manifests, and waits until it leads.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.controllers import Controller, environment_of_a_user
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres

Start = Callable[..., Controller]


@pytest.fixture
def index(postgres_server: Postgres, database_url: str) -> Index:
    return Index(postgres_server, database_url)


@pytest.fixture
def manifests(tmp_path: Path) -> Manifests:
    return Manifests(tmp_path / "manifests")


@pytest.fixture
def shop(docker_engine: DockerEngine, manifests: Manifests) -> DockerEngine:
    manifests.host("local", docker_engine.endpoint)
    manifests.workload("shop", "stack")
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    return docker_engine


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Start]:
    with ExitStack() as started:

        def start(*arguments: str | Path, **settings: str | None) -> Controller:
            if "TINYFORGE_DATA" not in settings and "TINYFORGE_DATABASE_URL" not in settings:
                settings["TINYFORGE_DATABASE_URL"] = request.getfixturevalue("database_url")
            controller = Controller(*arguments, environment=environment_of_a_user(**{"TINYFORGE_INTERVAL": "100ms"} | settings))
            started.callback(controller.kill)
            return controller

        yield start


@pytest.fixture
def run(start: Start, manifests: Manifests) -> Start:
    def run(*arguments: str | Path, **settings: str | None) -> Controller:
        controller = start("-f", manifests.folder, *arguments, **settings)
        controller.says("leads with epoch")
        return controller

    return run
