"""What the documentation says of the operator goes as it is written: from an empty cluster to a Ready workload, and back."""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path

import pytest
import yaml

from tests.e2e.controllers import environment_of_a_user
from tests.e2e.fresh_machine import put_clone
from tests.engine.sshd import Sshd
from tests.operator.walk import Walk, blocks
from tests.servers.certificates import Authority, write_secret
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes import ROOT, ControlPlane
from tinyforge.domain.host_status import HostReason, WhyUnknown
from tinyforge.domain.mirror import RefusalReason
from tinyforge.domain.workload_status import WorkloadReason
from tinyforge.ports import EngineReason
from tinyforge.reconcile.plugins.faults import FaultReason

Walker = Callable[..., Walk]

README = (ROOT / "README.md").read_text()
PAGE = (ROOT / "docs/operator.md").read_text()
DATABASE = "postgresql://tinyforge:secret@db.example.com/tinyforge"
SOCKET = "unix:///var/run/docker.sock"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of the project, as `make setup` leaves it."""
    folder = tmp_path / "tinyforge"
    folder.mkdir()
    put_clone(folder)
    return folder


@pytest.fixture
def sshd(tmp_path: Path) -> Iterator[Sshd]:
    folder = tmp_path / "sshd"
    folder.mkdir()
    with closing(Sshd(folder)) as sshd:
        yield sshd


@pytest.fixture
def walk(own_control_plane: ControlPlane, kubernetes_programs: str, clone: Path, empty_database_url: str) -> Iterator[Walker]:
    """Somebody in that clone, who owns an empty cluster and an empty database, and has the client of a Docker Engine at hand."""
    own_control_plane.run_controllers()
    walks = []

    def start(engine: DockerEngine, names: Mapping[str, str]) -> Walk:
        home = clone.parent / "home"
        (home / ".kube").mkdir(parents=True)
        (home / ".kube/config").write_bytes(own_control_plane.admin.read_bytes())
        environment = environment_of_a_user(
            HOME=str(home),
            PATH=f"{Path(sys.executable).parent}:{kubernetes_programs}:/usr/bin:/bin",
            DOCKER_HOST=engine.endpoint,
            TINYFORGE_INTERVAL="1s",
            TINYFORGE_HTTP_ADDRESS="127.0.0.1:0",
        )
        environment.pop("KUBECONFIG", None)
        walks.append(Walk(clone, environment, {DATABASE: empty_database_url, **names}))
        return walks[-1]

    yield start
    for one in walks:
        one.close()


def test_the_readme_goes_to_a_ready_workload(walk: Walker, clone: Path, docker_engine: DockerEngine):
    example = clone / "manifests/examples/local.yaml"
    example.write_text(example.read_text().replace(SOCKET, docker_engine.endpoint))
    walk(docker_engine, {SOCKET: docker_engine.endpoint}).go(blocks(README, section="In a cluster"))


@pytest.mark.timeout(240)
def test_the_page_about_the_operator_goes_as_it_is_written(walk: Walker, clone: Path, sshd: Sshd, docker_engine: DockerEngine):
    authority = Authority.make("hosts")
    (clone / "secrets").mkdir()
    write_secret(clone / "secrets/web-1", authority, authority.client())
    sshd.write_secret(clone / "secrets/web-2")
    with closing(DockerEngine(tls=authority.server(clone.parent / "tls"))) as engine:
        web_1 = {"web-1.example.com:2376": f"127.0.0.1:{engine.tcp_port}"}
        web_2 = {"ssh://deploy@web-2.example.com": sshd.endpoint(docker_engine)}
        walk(engine, web_1 | web_2).go(blocks(PAGE))


def test_an_image_of_ones_own_is_named_as_the_page_says(own_control_plane: ControlPlane, clone: Path):
    (written,) = (block.text for block in blocks(PAGE, section="Install") if block.kind == "yaml")
    (clone.parent / "mine").mkdir()
    (clone.parent / "mine/kustomization.yaml").write_text(written)
    rendered = yaml.safe_load_all(own_control_plane.kubectl("kustomize", clone.parent / "mine").stdout)
    (pod,) = (it["spec"]["template"]["spec"] for it in rendered if it["kind"] == "Deployment")
    images = {container["image"] for container in (*pod["initContainers"], *pod["containers"])}
    assert images == {"registry.example.com/tinyforge:0.1.0"}


@pytest.mark.parametrize("reasons", [WorkloadReason, WhyUnknown, HostReason, RefusalReason, EngineReason, FaultReason])
def test_every_reason_has_its_meaning_on_the_page(reasons: type[StrEnum]):
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    assert [reason for reason in reasons if not any(f"`{reason}`" in row for row in rows)] == []


def test_a_block_of_the_page_is_typed_seen_or_a_file():
    assert {block.kind for block in blocks(PAGE)} == {"console", "text", "yaml", "terminal"}
    assert PAGE.count("\n```") == 2 * len([block for block in blocks(PAGE) if block.kind != "terminal"])
