"""PostgreSQL away, restarted, read-only, locked and used up under a controller: a clear line, nothing lost, and it goes on by itself."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from tests.e2e.conftest import Start
from tests.e2e.controllers import Controller
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import OwnPostgres

WEB = "default/shop:web"


@pytest.fixture
def own_index(own_postgres: OwnPostgres) -> Index:
    """The index of a server that this test may break."""
    return Index(own_postgres, own_postgres.url)


@pytest.fixture
def controller(shop: DockerEngine, own_postgres: OwnPostgres, own_index: Index, run: Start) -> Controller:
    """A running controller on that server."""
    controller = run(TINYFORGE_DATABASE_URL=own_postgres.url)
    own_index.becomes({WEB: "running"})
    return controller


def test_fault_13_a_server_that_is_away_at_the_start_is_waited_for_and_said_once_and_then_lost_and_found_again(
    shop: DockerEngine, own_postgres: OwnPostgres, own_index: Index, manifests: Manifests, start: Start
) -> None:
    own_postgres.stop()
    once = start("-f", manifests.folder, "--once", TINYFORGE_DATABASE_URL=own_postgres.url)
    controller = start("-f", manifests.folder, TINYFORGE_DATABASE_URL=own_postgres.url)
    controller.says("trying again every 2 s")
    assert once.ends() == 1
    assert once.messages[-1].startswith("Error: PostgreSQL: ")
    own_postgres.start()
    controller.says("leads with epoch 1")
    own_index.becomes({WEB: "running"})
    assert controller.said("trying again every 2 s") == 1
    own_postgres.kill()
    shop.client.kill("web")
    own_postgres.start()
    own_index.becomes({WEB: "stopped"})
    own_postgres.stop()
    said = len(controller.lines)
    controller.says("host local: pass not written: PostgreSQL", after=said)
    shop.client.start("web")
    own_postgres.start()
    own_index.becomes({WEB: "running"})
    assert own_index.sql("SELECT epoch FROM tinyforge.leaders") == [(1,)]
    assert controller.said("Traceback") == 0


def test_fault_15_a_server_that_became_read_only_is_named_and_written_to_once_it_may_be(
    controller: Controller, shop: DockerEngine, own_postgres: OwnPostgres, own_index: Index
) -> None:
    read_only(own_postgres, "on")
    shop.client.kill("web")
    controller.says("host local: pass not written: PostgreSQL is read-only here")
    assert own_index.states() == {WEB: "running"}
    read_only(own_postgres, "off")
    own_index.becomes({WEB: "stopped"})


def test_fault_17_used_up_connections_are_named_and_waited_for(
    shop: DockerEngine, own_postgres: OwnPostgres, own_index: Index, run: Start
) -> None:
    with (own_postgres.data / "postgresql.auto.conf").open("a") as settings:
        settings.write("max_connections = 8\nsuperuser_reserved_connections = 0\nmax_wal_senders = 0\n")
    own_postgres.stop()
    own_postgres.start()
    controller = run(TINYFORGE_DATABASE_URL=own_postgres.url)
    own_index.becomes({WEB: "running"})
    with used_up(own_postgres, controller):
        complaint = controller.says("host local: pass not written: PostgreSQL: connection failed")
        shop.client.kill("web")
    own_index.becomes({WEB: "stopped"})
    assert own_index.sql("SELECT epoch FROM tinyforge.leaders") == [(1,)]
    assert complaint.endswith("FATAL:  sorry, too many clients already")


def test_fault_18_a_lock_that_somebody_holds_is_named_and_waited_for(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    controller = run()
    index.becomes({WEB: "running"})
    with psycopg.connect(index.url) as psql:
        psql.execute("LOCK TABLE tinyforge.containers")
        shop.client.kill("web")
        controller.says("host local: pass not written: a lock in PostgreSQL was not free in time: somebody else holds it")
    index.becomes({WEB: "stopped"})


def read_only(server: OwnPostgres, value: str) -> None:
    """Switch a server to read-only, or back."""
    with (server.data / "postgresql.auto.conf").open("a") as settings:
        settings.write(f"default_transaction_read_only = {value}\n")
    server.sql("SELECT pg_reload_conf()")
    until(lambda: server.sql("SHOW default_transaction_read_only"), [(value,)])


@contextmanager
def used_up(server: OwnPostgres, controller: Controller) -> Iterator[None]:
    """End the sessions of a controller, and use up all connections before it can open others."""
    controller.signal(signal.SIGSTOP)
    server.sql("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name LIKE 'tinyforge/%'")
    with ExitStack() as stack:
        for _ in range(8):
            stack.enter_context(psycopg.connect(server.url))
        controller.signal(signal.SIGCONT)
        yield
