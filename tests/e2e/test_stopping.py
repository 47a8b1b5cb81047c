"""How a controller ends when it is asked to: at once, whatever hangs, with the exit code of how it was asked."""

import asyncio
import os
import signal
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.controllers import DEADLINE, SOON
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.index.link import link
from tests.servers.cutting_socket import CuttingSocket, drip, hang, silent
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import OwnPostgres

LIST = "/containers/json"
HANGS = {"silent": silent(), "half": hang(after=10), "dripping": drip(every=0.2)}


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_at_once_and_nobody_leads_any_more(
    number: signal.Signals, code: int, docker_engine: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    manifests.host("local", docker_engine.endpoint)
    controller = run()
    index.host_becomes("reachable")
    controller.signal(number)
    assert controller.ends(within=SOON) == code
    assert index.sql("SELECT holder FROM tinyforge.leaders") == [("",)]


def test_p5_engines_that_hang_in_a_list_hold_nobody_up(docker_engine: DockerEngine, manifests: Manifests, run: Start) -> None:
    docker_engine.create("web", belonging_to("shop", "web"))
    with ExitStack() as stack:
        asked = []
        for name, fault in HANGS.items():
            cutting = stack.enter_context(closing(CuttingSocket(docker_engine)))
            manifests.host(name, cutting.endpoint)
            cutting.spoil(LIST, fault)
            asked.append(cutting.next_request(LIST))
        controller = run(TINYFORGE_DOCKER_LIST_TIMEOUT="1h")
        wait(asked, timeout=DEADLINE)
        controller.signal(signal.SIGTERM)
        assert controller.ends(within=SOON) == 0


def test_p5_fifty_hosts_in_the_middle_of_their_passes_under_a_frozen_postgresql_hold_nobody_up(
    own_postgres: OwnPostgres, docker_engine: DockerEngine, manifests: Manifests, run: Start
) -> None:
    for number in range(50):
        manifests.host(f"h{number}", docker_engine.endpoint)
    controller = run(TINYFORGE_DATABASE_URL=own_postgres.url, TINYFORGE_INTERVAL="10ms")
    until(lambda: own_postgres.sql("SELECT count(*) FROM tinyforge.hosts WHERE state = 'reachable'"), [(50,)])
    with frozen(own_postgres):
        controller.signal(signal.SIGTERM)
        assert controller.ends(within=SOON) == 0


MIGRATING, CLAIMING = 8388357248642937446, 8388357248642937447
"""The advisory locks under which a starting controller migrates and claims: whoever holds one makes it wait in that very statement."""


@pytest.mark.parametrize("lock", [MIGRATING, CLAIMING], ids=["while it migrates", "while it claims"])
async def test_p5_a_postgresql_that_goes_silent_at_the_start_holds_nobody_up(
    lock: int, index: Index, manifests: Manifests, start: Start
) -> None:
    async with link(index.url) as between:
        with psycopg.connect(index.url) as holder:
            holder.execute("SELECT pg_advisory_lock(%s)", [lock])
            controller = start("-f", manifests.folder, TINYFORGE_DATABASE_URL=between.url)
            await asyncio.to_thread(until, lambda: waits_for_a_lock(index), True)
            between.die()
            controller.signal(signal.SIGTERM)
            assert await asyncio.to_thread(lambda: controller.ends(within=SOON)) == 0


def waits_for_a_lock(index: Index) -> bool:
    return index.sql("SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == [(True,)]


@contextmanager
def frozen(server: OwnPostgres) -> Iterator[None]:
    """Freeze every process of a server: it accepts connections, and never answers."""
    processes = [server.pid]
    try:
        os.kill(server.pid, signal.SIGSTOP)  # first, so that there are no new ones
        processes += map(int, Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split())
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            with suppress(ProcessLookupError):  # the postmaster, awake again, has ended those without a client
                os.kill(process, signal.SIGCONT)
