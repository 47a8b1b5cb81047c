"""The real engines, the cutting socket and Docker Compose are what other tests take them for."""

import asyncio
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from docker import APIClient
from requests.exceptions import ChunkedEncodingError, ReadTimeout
from requests.exceptions import ConnectionError as NoConnection

from tests.servers.compose import Compose
from tests.servers.cutting_socket import CuttingSocket, Fault, cut, delay, drip, engine_id, hang, silent
from tests.servers.docker_engine import DockerEngine, answers
from tests.servers.kernel import processes_of

LIST = "/containers/json"
MakeEngine = Callable[..., DockerEngine]


def test_no_server_knows_the_tests_that_use_it():
    modules = [it for it in Path(__file__).parent.glob("*.py") if not it.name.startswith("test_")]
    imported = {name for it in modules for name in re.findall(r"^\s*(?:from|import) (tests\.[\w.]+)", it.read_text(), re.MULTILINE)}
    assert "tests.servers.certificates" in imported
    assert {name for name in imported if not f"{name}.".startswith("tests.servers.")} == set()


@pytest.fixture
def cut_off(cutting_socket: CuttingSocket) -> Iterator[APIClient]:
    """Docker's client in front of the cutting socket."""
    with closing(APIClient(cutting_socket.endpoint, version="1.41", timeout=1)) as client:
        yield client


def states(engine: DockerEngine) -> list[str]:
    return sorted(container["State"] for container in engine.client.containers(all=True))


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_finds_an_engine_without_containers(turn: int, docker_engine: DockerEngine):
    assert states(docker_engine) == []
    docker_engine.create("same-name", start=True)
    docker_engine.client.pause("same-name")


def test_two_engines_know_nothing_of_each_other(docker_engine: DockerEngine, another_docker_engine: DockerEngine):
    docker_engine.create()
    assert (states(docker_engine), states(another_docker_engine)) == (["created"], [])
    assert docker_engine.id != another_docker_engine.id


def test_a_container_lists_its_labels_and_ports(docker_engine: DockerEngine):
    docker_engine.create("web", {"a": "b"}, ports=[80, 443], start=True)
    (container,) = docker_engine.client.containers()
    assert container["Labels"] == {"a": "b"}
    assert sorted(port["PrivatePort"] for port in container["Ports"]) == [80, 443]


def test_an_engine_that_was_killed_finds_its_containers_again(make_engine: MakeEngine):
    engine = make_engine()
    engine.create("kept", start=True)
    engine.kill()
    assert not answers(engine.socket)
    engine.start()
    assert states(engine) == ["exited"]


def test_an_engine_with_live_restore_restarts_under_its_running_containers(make_engine: MakeEngine):
    engine = make_engine(arguments=["--live-restore"])
    engine.create("kept", start=True)
    engine.restart()
    assert states(engine) == ["running"]
    engine.kill()
    engine.start()
    assert states(engine) == ["running"]


def test_a_frozen_engine_accepts_and_does_not_answer(make_engine: MakeEngine):
    engine = make_engine()
    engine.pause()
    with closing(APIClient(engine.endpoint, version="1.41", timeout=1)) as client, pytest.raises(ReadTimeout):
        client.ping()
    engine.resume()
    assert engine.client.ping()
    engine.pause()
    engine.stop()


def test_a_reimaged_engine_is_another_and_a_clone_is_the_same(make_engine: MakeEngine):
    engine = make_engine()
    engine.create()
    before = engine.id
    assert make_engine(identity=engine.identity).id == before
    engine.reimage()
    assert engine.id != before
    assert states(engine) == []


@pytest.mark.parametrize("state", ["running", "frozen", "stopped", "with a paused container"])
def test_nothing_is_left_of_a_closed_engine(state: str):
    with closing(DockerEngine()) as engine:
        container = engine.create(start=True)
        if state == "frozen":
            engine.pause()
        elif state == "stopped":
            engine.kill()
        elif state == "with a paused container":
            engine.client.pause(container)
    assert processes_of(engine.folder) == []
    assert not engine.folder.exists()
    assert engine.folder.name not in Path("/proc/mounts").read_text()
    assert not list(Path("/sys/fs/cgroup").glob(f"*/{engine.folder.name}"))


def test_what_is_not_spoiled_passes(docker_engine: DockerEngine, cutting_socket: CuttingSocket, cut_off: APIClient):
    docker_engine.create("web")
    cutting_socket.spoil("/info", silent())
    assert cut_off.containers(all=True) == docker_engine.client.containers(all=True)
    assert cutting_socket.requests == [LIST]
    cutting_socket.all_gone().result(10)


@pytest.mark.parametrize("after", [0, 1, 200])
def test_an_answer_is_cut_where_it_was_said(after: int, docker_engine: DockerEngine, cutting_socket: CuttingSocket, cut_off: APIClient):
    docker_engine.create("web")
    cutting_socket.spoil(LIST, cut(after=after))
    with pytest.raises(ChunkedEncodingError, match=rf"IncompleteRead\({after} bytes read"):
        cut_off.containers(all=True)
    cutting_socket.heal()
    assert len(cut_off.containers(all=True)) == 1


@pytest.mark.parametrize(
    "fault", [pytest.param(silent(), id="silent"), pytest.param(hang(after=200), id="hang"), pytest.param(delay(60), id="delay")]
)
def test_an_answer_that_hangs_goes_on_hanging(fault: Fault, docker_engine: DockerEngine, cutting_socket: CuttingSocket, cut_off: APIClient):
    docker_engine.create("web")
    cutting_socket.spoil(LIST, fault)
    with pytest.raises((ReadTimeout, NoConnection)):
        cut_off.containers(all=True)


def test_an_answer_drips(cutting_socket: CuttingSocket, cut_off: APIClient):
    cutting_socket.spoil(LIST, drip(every=0.02))
    asked = time.monotonic()
    assert cut_off.containers() == []
    assert time.monotonic() - asked >= 0.02 * 2  # between three bytes


def test_another_engine_seems_to_answer(docker_engine: DockerEngine, cutting_socket: CuttingSocket, cut_off: APIClient):
    cutting_socket.spoil("/info", engine_id("ANOTHER"))
    assert cut_off.info()["ID"] == "ANOTHER"
    assert cut_off.info()["Driver"] == docker_engine.client.info()["Driver"]


def test_a_socket_that_refuses_accepts_again(cutting_socket: CuttingSocket):
    cutting_socket.refuse()
    assert not answers(cutting_socket.socket)
    cutting_socket.accept()
    assert answers(cutting_socket.socket)


async def test_a_client_that_goes_is_noticed(cutting_socket: CuttingSocket):
    cutting_socket.spoil(LIST, silent())
    asked = cutting_socket.next_request(LIST)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(cutting_socket.socket))
        client.sendall(b"GET /v1.41/containers/json?all=1 HTTP/1.1\r\nHost: docker\r\n\r\n")
        await asyncio.wrap_future(asked)
        assert cutting_socket.open_connections == 1
    await asyncio.wrap_future(cutting_socket.all_gone())
    assert cutting_socket.open_connections == 0


def test_m7_m11_compose_labels_containers_as_the_rules_say(docker_engine: DockerEngine, tmp_path: Path):
    compose = Compose(docker_engine, tmp_path, "tinyforge-default_shop", {"web": {}, "db": {}})

    def seen() -> list[tuple[str, str | None, str, str]]:
        return sorted(
            tuple(container["Labels"].get(f"com.docker.compose.{name}") for name in ("service", "container-number", "oneoff", "project"))
            for container in docker_engine.client.containers(all=True)
        )

    project = "tinyforge-default_shop"
    compose.up()
    assert seen() == [("db", "1", "False", project), ("web", "1", "False", project)]
    compose.up("--scale=web=3")
    assert [label[:2] for label in seen()] == [("db", "1"), ("web", "1"), ("web", "2"), ("web", "3")]
    compose.down()
    assert seen() == []


def test_m11_what_compose_run_leaves_is_a_one_off_without_a_number(docker_engine: DockerEngine, tmp_path: Path):
    compose = Compose(docker_engine, tmp_path, "tinyforge-default_shop", {"web": {}})
    compose.run("web", "true")
    (container,) = docker_engine.client.containers(all=True)
    assert container["Labels"]["com.docker.compose.oneoff"] == "True"
    assert "com.docker.compose.container-number" not in container["Labels"]


def test_compose_recreates_what_has_changed(docker_engine: DockerEngine, tmp_path: Path):
    compose = Compose(docker_engine, tmp_path, "tinyforge-default_shop", {"web": {}, "db": {}})
    compose.up()
    before = {container["Names"][0]: container["Id"] for container in docker_engine.client.containers()}
    compose.change({"web": {"environment": {"CHANGED": "yes"}}, "db": {}})
    compose.up()
    after = {container["Names"][0]: container["Id"] for container in docker_engine.client.containers()}
    assert before.keys() == after.keys()
    assert [name for name in after if before[name] != after[name]] == ["/tinyforge-default_shop-web-1"]
