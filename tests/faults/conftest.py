"""What the tests of faults have: replicas of the operator as processes, on a real API server, PostgreSQL and Docker Engine.

Fixtures:

* `index`: the database of this test, looked at by SQL;
* `fleet`: starts replicas on it, each at a place whose cables can be cut, and keeps a journal of what they write; a host is declared, of
  which a leader makes a pass, and so a write, more than three times a second.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.containers import belonging_to
from tests.e2e.index import Index
from tests.faults.fleet import Fleet, fleet_on
from tests.operator.installation import Installation
from tests.operator.looking import host, stack
from tests.operator.replicas import installation
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres

__all__ = ["installation"]

HOST = "vessel"
"""A word that nothing else says to PostgreSQL."""


@pytest.fixture
def index(postgres_server: Postgres, database_url: str) -> Index:
    return Index(postgres_server, database_url)


@pytest.fixture
def shop(cluster: Cluster, docker_engine: DockerEngine) -> DockerEngine:
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    cluster.apply(host(docker_engine.endpoint, HOST))
    cluster.apply(stack(host=HOST))
    return docker_engine


@pytest.fixture
def fleet(installation: Installation, index: Index, shop: DockerEngine, tmp_path: Path) -> Iterator[Fleet]:
    with fleet_on(installation, index, tmp_path) as fleet:
        yield fleet
