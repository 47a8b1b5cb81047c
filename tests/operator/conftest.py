"""What the tests of the operator's behaviour have: a cluster, a database, and operators between them that end with their test.

Fixtures:

* `index`: the database of this test, looked at by SQL;
* `start`: starts an operator on both, through `api_proxy` if it is told to; by default its timers tick so seldom that nothing happens
  because it is time;
* `operator`: one that was started so;
* `tinyforge`: calls a verb, on that database.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.cli.conftest import environment, tinyforge
from tests.e2e.index import Index
from tests.operator.running import Operator, account
from tests.servers.api_proxy import ApiProxy
from tests.servers.cluster import Cluster
from tests.servers.postgres import Postgres

__all__ = ["environment", "tinyforge"]

Start = Callable[..., Operator]


@pytest.fixture
def index(postgres_server: Postgres, database_url: str) -> Index:
    return Index(postgres_server, database_url)


@pytest.fixture
def start(cluster: Cluster, database_url: str, api_proxy: ApiProxy) -> Iterator[Start]:
    kubeconfig = account(cluster)
    with ExitStack() as started:

        def start(*, proxied: bool = False, **options: Any) -> Operator:
            way = api_proxy.kubeconfig(kubeconfig) if proxied else kubeconfig
            settings: dict[str, Any] = {"url": database_url, "kubeconfig": way} | options
            operator = Operator(**settings)
            started.callback(operator.stop)
            return operator

        yield start


@pytest.fixture
def operator(start: Start) -> Operator:
    return start()
