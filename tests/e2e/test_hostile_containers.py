"""Containers of somebody who means ill, on a real engine: at worst each costs itself its row, and what is printed stays text."""

import json

import pytest

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.controllers import Controller, environment_of_a_user, tinyforge
from tests.e2e.index import Index
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import IMAGE, DockerEngine

WEB = "default/shop:web"
UNUSABLE = {"NUL": "a\0b", "escape": "\x1b[2J\x1b]0;owned\x07", "line feed": "a\nb", "bidirectional": "a\u202eb", "1 MB": "y" * 2**20}
ODD = ["__proto__", "; rm -rf /", "'; DROP TABLE tinyforge.containers; --", "%s%n{0}", "a:b/c", "[bold]x[/bold]", "日本"]


@pytest.fixture
def controller(shop: DockerEngine, manifests: Manifests, run: Start, index: Index) -> Controller:
    """A controller with a well-behaved container on its host, the row default/shop:web."""
    manifests.workload("hello", "site")
    controller = run(TINYFORGE_LOG_LEVEL="debug")
    index.becomes({WEB: "running"})
    return controller


def test_fault_36_m10_an_unusable_label_costs_its_container_the_row_and_nobody_else_anything(
    controller: Controller, shop: DockerEngine, index: Index
) -> None:
    for role in UNUSABLE.values():
        shop.create(None, belonging_to("shop", role))
    create_raw(shop, b'{"com.docker.compose.project": "tinyforge-default_shop", "com.docker.compose.service": "bad\xff\xfeutf-8"}')
    odd = {f"default/shop:{role}": "created" for role in [*ODD, "bad\ufffd\ufffdutf-8"]}
    for role in ODD:
        shop.create(None, belonging_to("shop", role))
    index.becomes(odd | {WEB: "running"})
    index.passes(count=2)
    assert controller.said("gets no row: its role is not printable text") == len(UNUSABLE)
    assert all(message.isprintable() for message in controller.messages)
    assert index.host() == "reachable"


def test_fault_36_what_a_hostile_container_is_called_prints_as_text(controller: Controller, shop: DockerEngine, index: Index) -> None:
    shop.client.tag(IMAGE, "registry.example.com/red", "v1")
    shop.create("red", belonging_to("shop", "red") | {"\x1b[31mkey": "\x1b[2J\x9bvalue\r\n", "tinyforge.role": "\x07"}, start=True)
    index.becomes({"default/shop:red": "running", WEB: "running"})
    environment = environment_of_a_user(TINYFORGE_DATABASE_URL=index.url)
    for arguments in (["ps"], ["ps", "--json"], ["explain", "red"], ["explain", "red", "--json"]):
        ended = tinyforge(*arguments, environment=environment)
        assert ended.returncode == 0, ended
        assert all(line.isprintable() for line in f"{ended.stdout}{ended.stderr}".split("\n"))
    assert all(message.isprintable() for message in controller.messages)


def test_fault_37_m3_m12_a_forged_owner_gets_no_row_and_a_debug_line_only(controller: Controller, shop: DockerEngine, index: Index) -> None:
    forged = {
        "nobody's": {"tinyforge.workload.id": "default/nobody"},
        "nobody's site": {"tinyforge.static-site": "../../etc/passwd"},
        "nobody's stack": {"com.docker.compose.project": "tinyforge-default_nobody", "com.docker.compose.service": "web"},
        "another installation's": belonging_to("shop", "other") | {"tinyforge.installation": "00000000-0000-0000-0000-000000000000"},
        "another kind's": {"tinyforge.workload.id": "default/hello", "tinyforge.workload.kind": "project"},
        "not to be tried under the next rule": belonging_to("shop", "other") | {"tinyforge.workload.id": "default/nobody"},
    }
    index.record()
    ids = {name: shop.create(None, labels, start=name.startswith("another")) for name, labels in forged.items()}
    index.passes(count=2)
    assert index.states() == {WEB: "running"}
    assert index.history() == []
    loud = [line for line in controller.lines if ids["another kind's"][:12] in str(line["message"])]
    assert [line["level"] for line in loud] == ["WARNING"]
    assert {line["level"] for line in controller.lines if line.get("action") == "container_ignored"} == {"DEBUG"}
    explained = tinyforge(
        "explain", ids["another installation's"][:12], "--json", environment=environment_of_a_user(TINYFORGE_DATABASE_URL=index.url)
    )
    assert [json.loads(explained.stdout)[key] for key in ("rule", "outcome")] == ["M12", "ignored"]


def create_raw(engine: DockerEngine, labels: bytes) -> None:
    """Create a container with labels as they are, which Docker's own client would not send."""
    body = b'{"Image": "%s", "Cmd": ["true"], "Labels": %s}' % (IMAGE.encode(), labels)
    client = engine.client
    client.post(
        f"{client.base_url}/v{client.api_version}/containers/create", data=body, headers={"Content-Type": "application/json"}
    ).raise_for_status()
