"""The host that is measured: containers as Docker Compose labels them, and the manifests that claim every one of them.

Every container has a row, which is the most work that a list of its length can make.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import yaml

from tests.servers.docker_engine import DockerEngine
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import plan_mirror
from tinyforge.index.led import LedIndex
from tinyforge.standalone.folder import ManifestFolder

HOST = "bench"
CREATORS = 4  # threads; more are no faster
SERVICES = 10  # a stack


def fill(engine: DockerEngine, size: int) -> None:
    """Create what is missing to `size` containers, none of which is started."""
    there = len(engine.client.containers(all=True))
    with ThreadPoolExecutor(CREATORS) as creators:
        list(creators.map(lambda number: create(engine, number), range(there, size)))


def create(engine: DockerEngine, number: int) -> str:
    labels = compose_labels(number)
    return engine.create(f"{labels['com.docker.compose.project']}-{labels['com.docker.compose.service']}-1", labels, ports=[8080, 9090])


def compose_labels(number: int) -> dict[str, str]:
    """Twelve labels: the ten that Docker Compose 2 writes, in their usual lengths, and two that images bring along."""
    stack, service = divmod(number, SERVICES)
    folder = f"/srv/projects/stack-{stack}"
    return {
        "com.docker.compose.config-hash": hashlib.sha256(b"config %d" % number).hexdigest(),
        "com.docker.compose.container-number": "1",
        "com.docker.compose.depends_on": "database:service_healthy:false,cache:service_started:false",
        "com.docker.compose.image": f"sha256:{hashlib.sha256(b'image %d' % service).hexdigest()}",
        "com.docker.compose.oneoff": "False",
        "com.docker.compose.project": f"tinyforge-default_stack-{stack}",
        "com.docker.compose.project.config_files": f"{folder}/compose.yaml",
        "com.docker.compose.project.working_dir": folder,
        "com.docker.compose.service": f"service-{service}",
        "com.docker.compose.version": "2.40.3",
        "maintainer": "Somebody Ordinary <somebody@example.com>",
        "org.opencontainers.image.source": f"https://git.example.com/somebody/service-{service}",
    }


def write_manifests(folder: Path, endpoint: str, size: int) -> None:
    """Declare the host and the stacks of its first `size` containers."""
    host = {"apiVersion": "tinyforge.dev/v1alpha1", "kind": "DockerHost", "metadata": {"name": HOST}}
    host["spec"] = {"endpoint": endpoint, "allowedNamespaces": ["*"]}
    stacks = [
        {
            "apiVersion": "tinyforge.dev/v1alpha1",
            "kind": "Workload",
            "metadata": {"name": f"stack-{number}"},
            "spec": {"kind": "stack", "host": HOST},
        }
        for number in range(-(-size // SERVICES))
    ]
    (folder / "bench.yaml").write_text(yaml.safe_dump_all([host, *stacks]))


async def declare(folder: Path, index: LedIndex) -> Host:
    """Mirror what the manifests declare, and return the host."""
    plan = plan_mirror(ManifestFolder(folder).read_strictly(), await index.mirror.read())
    await index.mirror.write(plan, stale_after=120)
    return (await index.mirror.read()).hosts[HOST]
