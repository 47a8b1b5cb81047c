"""Containers whose owners put secrets where Docker shows them: into labels of all sorts, and into the environment."""

from tests.e2e.canaries import Canaries
from tests.e2e.containers import belonging_to
from tests.servers.docker_engine import IMAGE, DockerEngine

OURS = {
    "tinyforge.workload.id": {},
    "tinyforge.static-site": {},
    "tinyforge.installation": belonging_to("shop", "web"),
    "tinyforge.workload.kind": {"tinyforge.workload.id": "default/hello"},
}
"""Labels that Tinyforge reads, in each of which somebody has put a secret, and which labels its container carries besides."""


def start_secretive_containers(engine: DockerEngine, canaries: Canaries) -> None:
    """Start one that belongs to default/shop, one that belongs to nobody, and create one with a secret in each label that is read."""
    for name, labels in {"web": belonging_to("shop", "web"), "stranger": {}}.items():
        _create(engine, name, labels | {"com.example.token": canaries.plant(f"label of {name}")}, canaries)
        engine.client.start(name)
    for label, others in OURS.items():
        _create(engine, label.replace(".", "-"), others | {label: canaries.plant(f"label {label}")}, canaries)
    project = f"tinyforge-{canaries.plant('label com.docker.compose.project')}"
    _create(engine, "project", {"com.docker.compose.project": project}, canaries)
    role = f"{canaries.plant('label of a role that is unusable')}\n"
    _create(engine, "role", belonging_to("shop", role), canaries)


def _create(engine: DockerEngine, name: str, labels: dict[str, str], canaries: Canaries) -> None:
    secret = canaries.plant(f"environment of {name}")
    engine.client.create_container(
        IMAGE,
        ["sleep", "1000000"],
        name=name,
        labels=labels,
        environment={"TOKEN": secret},
        host_config=engine.client.create_host_config(network_mode="none"),
        stop_signal="SIGKILL",
    )
