"""Engines that are restarted, frozen, cut off and exchanged under a running controller: what nobody can know is unknown, nothing else."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.servers.cutting_socket import CuttingSocket, cut, engine_id, rewrite
from tests.servers.docker_engine import DockerEngine

LIST = "/containers/json"
SHOP, BLOG = "default/shop:web", "default/blog:web"
UNREACHABLE, CHANGED, GONE = "unknown (HostUnreachable)", "unknown (EngineChanged)", "missing (ContainerGone)"

MakeEngine = Callable[..., DockerEngine]


@pytest.fixture
def beside(docker_engine: DockerEngine, make_engine: MakeEngine, manifests: Manifests) -> MakeEngine:
    """Makes an engine that is host b with the stack default/blog, beside the one that is host a with the stack default/shop."""

    def make(**arguments: Any) -> DockerEngine:
        engine = make_engine(**arguments)
        manifests.host("a", docker_engine.endpoint)
        manifests.host("b", engine.endpoint)
        manifests.workload("shop", "stack", host="a")
        manifests.workload("blog", "stack", host="b")
        return engine

    return make


@pytest.mark.parametrize(
    "restart",
    [(["--live-restore"], signal.SIGKILL, "running"), ([], signal.SIGTERM, "stopped")],
    ids=["killed, with live-restore", "stopped, without"],
)
def test_fault_21_p6_a_restarted_engines_rows_are_unknown_and_then_true_and_the_other_hosts_are_true_all_the_time(
    restart: tuple[list[str], signal.Signals, str], docker_engine: DockerEngine, beside: MakeEngine, run: Start, index: Index
) -> None:
    arguments, end, afterwards = restart
    restarted = beside(arguments=arguments)
    container = restarted.create("web", belonging_to("blog", "web"), start=True)
    run()
    index.becomes({BLOG: "running"})
    index.record()
    restarted.stop(end)
    index.becomes({BLOG: UNREACHABLE})
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    index.becomes({BLOG: UNREACHABLE, SHOP: "running"})
    restarted.start()
    index.becomes({BLOG: afterwards, SHOP: "running"})
    assert index.containers()[BLOG] == container
    assert {state for id_, state, *_ in index.history() if id_ == BLOG} <= {afterwards}


def test_fault_22_p6_a_hung_engine_delays_no_other_host_and_is_true_again_when_it_wakes_up(
    docker_engine: DockerEngine, beside: MakeEngine, run: Start, index: Index
) -> None:
    frozen = beside()
    frozen.create("web", belonging_to("blog", "web"), start=True)
    controller = run(TINYFORGE_DOCKER_LIST_TIMEOUT="1s")
    index.becomes({BLOG: "running"})
    frozen.pause()
    index.host_becomes("unreachable (Timeout)", "b")
    assert controller.says("host b: Timeout") == "host b: Timeout: no whole answer within 1 s; its containers are unknown until it answers"
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    index.becomes({BLOG: UNREACHABLE, SHOP: "running"})
    frozen.resume()
    index.becomes({BLOG: "running", SHOP: "running"})
    controller.says("host b: answers again after")
    assert controller.said("host b: Timeout") == 1


@pytest.fixture
def hung_sockets() -> Iterator[list[str]]:
    """Fifty sockets whose owners hang: they are listened on, and nobody ever answers. Fifty frozen engines would take a minute to start."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="tinyforge-hung-")))
        for number in range(50):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(str(folder / f"{number}.sock"))
            listener.listen()
        yield [f"unix://{folder}/{number}.sock" for number in range(50)]


def test_fault_22_p6_fifty_hung_engines_delay_nobody(
    hung_sockets: list[str], docker_engine: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    for number, endpoint in enumerate(hung_sockets):
        manifests.host(f"hung-{number}", endpoint)
    manifests.host("a", docker_engine.endpoint)
    manifests.workload("shop", "stack", host="a")
    run(TINYFORGE_DOCKER_LIST_TIMEOUT="1h")
    container = docker_engine.create("web", belonging_to("shop", "web"), start=True)
    index.becomes({SHOP: "running"})
    docker_engine.client.kill(container)
    index.becomes({SHOP: "stopped"})
    assert index.sql("SELECT DISTINCT state FROM tinyforge.hosts WHERE name LIKE 'hung-%'") == [("new",)]
    assert index.sql("SELECT count(*) FROM tinyforge.hosts") == [(51,)]


def test_fault_23_p4_half_a_list_sweeps_nothing(
    cutting_socket: CuttingSocket, docker_engine: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    manifests.host("a", cutting_socket.endpoint)
    manifests.workload("shop", "stack", host="a")
    rows = {f"default/shop:s{number}": "running" for number in range(3)}
    for number in range(3):
        docker_engine.create(f"s{number}", belonging_to("shop", f"s{number}"), start=True)
    controller = run()
    index.becomes(rows)
    index.record()
    cutting_socket.spoil(LIST, cut(after=500))
    index.becomes(dict.fromkeys(rows, UNREACHABLE))
    index.passes("a", count=3)
    assert index.host("a") == "unreachable (AnswerUnreadable)"
    controller.says("the engine's answer was cut short")
    cutting_socket.heal()
    index.becomes(rows)
    assert index.history() == []


def test_fault_26_a_reimaged_engine_is_left_alone_until_its_id_is_acknowledged_in_the_manifest(
    make_engine: MakeEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    engine = make_engine()
    manifests.host("a", engine.endpoint)
    manifests.workload("shop", "stack", host="a")
    engine.create("web", belonging_to("shop", "web"), start=True)
    controller = run()
    index.becomes({SHOP: "running"})
    index.record()
    before = engine.id
    engine.reimage()
    index.becomes({SHOP: CHANGED})
    said = controller.says("EngineChanged")
    assert before in said
    assert engine.id in said
    assert "set spec.acknowledgedEngineID to the new id" in said
    index.passes("a", count=3)
    assert {state for _, state, *_ in index.history()} <= {"stopped"}  # so an engine that is stopping may still have it listed
    manifests.host("a", engine.endpoint, acknowledgedEngineID=engine.id)
    index.becomes({SHOP: GONE})
    assert index.host("a") == "reachable"


def test_fault_26_s2_an_engine_that_was_exchanged_between_two_passes_sweeps_nothing(
    cutting_socket: CuttingSocket, docker_engine: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    """No engine can be exchanged without a moment's silence, so the socket in front of this one says that it is another, and empty."""
    manifests.host("a", cutting_socket.endpoint)
    manifests.workload("shop", "stack", host="a")
    docker_engine.create("web", belonging_to("shop", "web"), start=True)
    run()
    index.becomes({SHOP: "running"})
    index.record()
    cutting_socket.spoil("/info", engine_id("SOMEBODY:ELSE"))
    cutting_socket.spoil(LIST, rewrite(lambda _: b"[]"))
    index.becomes({SHOP: CHANGED})
    cutting_socket.heal()
    index.becomes({SHOP: "running"})
    assert index.history() == []
