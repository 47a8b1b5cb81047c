"""The adapter against real Docker Engines."""

import http.client
import json
import socket
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.engine.conftest import Open
from tests.servers.docker_engine import DockerEngine
from tinyforge.domain.containers import Container, Labels
from tinyforge.ports import EngineError, EngineReason


def create_raw(engine: DockerEngine, labels: bytes) -> str:
    """Create a container with labels in JSON that no client would send."""
    body = b'{"Image": "busybox", "Cmd": ["true"], "Labels": %s}' % labels

    class Connection(http.client.HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(engine.socket))

    with closing(Connection("docker", timeout=60)) as connection:
        connection.request("POST", "/v1.41/containers/create", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = json.loads(answer.read())
    assert answer.status == 201, content
    return str(content["Id"])


def as_docker_lists(container: Container) -> dict[str, Any]:
    return {
        "Id": container.id,
        "Names": list(container.names or ()),
        "Image": container.image,
        "State": container.state,
        "Created": container.created,
        "Ports": sorted(port.private for port in container.ports or ()),
    }


async def test_an_engine_tells_its_clock(docker_engine: DockerEngine, opened: Open) -> None:
    ahead = (await opened(docker_engine.endpoint).identity()).clock_ahead
    assert ahead is not None
    assert abs(ahead) < 2


async def test_p1_one_list_is_what_docker_itself_lists(docker_engine: DockerEngine, opened: Open):
    docker_engine.create("created", {"tinyforge.workload.id": "default/a"})
    docker_engine.create("running", {"com.docker.compose.project": "tinyforge-x"}, start=True)
    paused = docker_engine.create("paused", start=True)
    docker_engine.client.pause(paused)
    exited = docker_engine.create("exited", start=True)
    docker_engine.client.kill(exited)
    docker_engine.client.wait(exited)
    listed = (await opened(docker_engine.endpoint).containers()).containers
    expected = [
        {key: entry[key] for key in ("Id", "Names", "Image", "State", "Created")}
        | {"Ports": sorted(port["PrivatePort"] for port in entry["Ports"])}
        for entry in docker_engine.client.containers(all=True)
    ]
    assert [as_docker_lists(container) for container in listed] == expected
    assert {container.name: container.state for container in listed} == {
        "created": "created",
        "running": "running",
        "paused": "paused",
        "exited": "exited",
    }
    assert {container.name: container.labels for container in listed if container.name in ("created", "running")} == {
        "created": Labels(workload_id="default/a"),
        "running": Labels(compose_project="tinyforge-x"),
    }


async def test_p4_an_engine_without_containers_gives_an_honest_empty_list(docker_engine: DockerEngine, opened: Open):
    assert (await opened(docker_engine.endpoint).containers()).containers == ()


async def test_s2_a_list_of_named_containers_has_these_alone_and_not_those_that_are_gone(docker_engine: DockerEngine, opened: Open):
    first, second, third = (docker_engine.create(name) for name in ("first", "second", "third"))
    docker_engine.client.remove_container(third)
    engine = opened(docker_engine.endpoint)
    assert [container.id for container in (await engine.containers([first, third])).containers] == [first]
    everything = {container.id: container for container in (await engine.containers()).containers}
    assert everything == {container.id: container for container in (await engine.containers([first, second])).containers}


async def test_the_identity_is_the_engines_own(docker_engine: DockerEngine, opened: Open):
    identity = await opened(docker_engine.endpoint).identity()
    version = docker_engine.client.version()
    assert (identity.engine_id, identity.version, identity.api_version) == (docker_engine.id, version["Version"], version["ApiVersion"])


LONG = "x" * (1 << 20)

HOSTILE_LABELS = {
    "a NUL": (b'"a\\u0000b"', "a\0b"),
    "bad UTF-8": (b'"a\xff\xfeb"', "a\ufffd\ufffdb"),
    "a lone surrogate": (b'"a\\ud800b"', "a\ufffdb"),
    "an escape sequence": (b'"\\u001b[31mred"', "\x1b[31mred"),
    "a bidirectional override": ('"\u202egnp.exe"'.encode(), "\u202egnp.exe"),
    "a shell command": (b'"; rm -rf /"', "; rm -rf /"),
    "SQL": (b'"\'; DROP TABLE containers; --"', "'; DROP TABLE containers; --"),
    "a prototype": (b'"__proto__"', "__proto__"),
    "null": (b"null", ""),
    "a mebibyte": (f'"{LONG}"'.encode(), LONG),
}


@pytest.mark.parametrize(("sent", "arrives"), HOSTILE_LABELS.values(), ids=HOSTILE_LABELS)
async def test_m10_fault_36_a_hostile_label_arrives_as_it_is_and_costs_nobody_the_list(
    docker_engine: DockerEngine, opened: Open, sent: bytes, arrives: str
):
    honest = docker_engine.create("honest", {"tinyforge.role": "web"})
    hostile = create_raw(docker_engine, b'{"__proto__": "x", "tinyforge.role": %s}' % sent)
    engine = opened(docker_engine.endpoint)
    roles = {container.id: container.labels.role for container in (await engine.containers()).containers if container.labels}
    assert roles == {honest: "web", hostile: arrives}
    assert await engine.labels(hostile) == {"__proto__": "x", "tinyforge.role": arrives}


async def test_m10_fault_36_a_hundred_thousand_labels_are_a_list_all_the_same(docker_engine: DockerEngine, opened: Open):
    labels = {f"label-{number}": "value" for number in range(100_000)} | {"tinyforge.role": "web", "": "empty", "nul\0": "key"}
    container_id = create_raw(docker_engine, json.dumps(labels).encode())
    engine = opened(docker_engine.endpoint)
    [container] = (await engine.containers()).containers
    assert container.labels == Labels(role="web")
    assert await engine.labels(container_id) == labels


async def test_m10_an_answer_over_the_limit_fails_with_answer_too_large(docker_engine: DockerEngine, opened: Open):
    create_raw(docker_engine, json.dumps({"long": LONG}).encode())
    with pytest.raises(EngineError) as caught:
        await opened(docker_engine.endpoint, list_limit=1 << 20).containers()
    assert caught.value.reason is EngineReason.ANSWER_TOO_LARGE


async def test_fault_21_an_engine_that_was_away_is_listed_as_soon_as_it_is_back(make_engine: Callable[..., DockerEngine], opened: Open):
    docker = make_engine()
    container_id = docker.create("web")
    engine = opened(docker.endpoint)
    await engine.containers()
    docker.stop()
    with pytest.raises(EngineError) as caught:
        await engine.containers()
    assert caught.value.reason is EngineReason.CONNECT_FAILED
    docker.start()
    assert [container.id for container in (await engine.containers()).containers] == [container_id]


async def test_fault_22_a_frozen_engine_fails_in_time_and_is_listed_again_when_it_goes_on(
    make_engine: Callable[..., DockerEngine], opened: Open
):
    docker = make_engine()
    engine = opened(docker.endpoint, list_timeout=1)
    await engine.containers()
    docker.pause()
    with pytest.raises(EngineError) as caught:
        await engine.containers()
    assert caught.value.reason is EngineReason.TIMEOUT
    docker.resume()
    assert (await engine.containers()).containers == ()
