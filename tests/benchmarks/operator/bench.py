"""Everything that is measured of the operator, in order, in one cluster."""

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Section
from tests.benchmarks.operator.alone import seconds_of_statuses_alone
from tests.benchmarks.operator.controller_process import ControllerProcess, controller
from tests.benchmarks.operator.edits import edits_sections
from tests.benchmarks.operator.fleet import Fleet
from tests.benchmarks.operator.quiet import quiet_section
from tests.benchmarks.operator.scale import Scale
from tests.benchmarks.operator.starts import again_section, boot, boot_section
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.kubernetes import reserved_port
from tests.servers.postgres import Postgres
from tinyforge.index.schema import migrate


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorBench:
    """The servers, all of which are this benchmark's alone, and how a person is told what is under way."""

    cluster: Cluster
    engine: DockerEngine
    postgres: Postgres
    say: Callable[[str], None]

    def measure(self, scale: Scale) -> list[Section]:
        """Measure everything at a scale."""
        fleet = Fleet(scale=scale, engine=self.engine)
        self.say(f"{scale.workloads:,} workloads: creating them, {scale.hosts} hosts and their containers")
        fleet.create(self.cluster.api)
        with self.postgres.database() as name:
            url = self.postgres.url_of(name)
            asyncio.run(migrate(url))
            with self._controller(url, scale) as running:
                self.say(f"{scale.workloads:,} workloads: the first start")
                first = boot(running, self.cluster, fleet, url=url)
                self.say(f"{scale.workloads:,} workloads: {scale.quiet:.0f} seconds in which nothing changes")
                quiet = quiet_section(running, self.cluster.control_plane, scale)
            with self._controller(url, scale) as running:
                self.say(f"{scale.workloads:,} workloads: a second start")
                again = again_section(running, self.cluster, scale)
                self.say(f"{scale.workloads:,} workloads: edits")
                edits = edits_sections(running, self.cluster, scale, url=url)
        self.say(f"{scale.workloads:,} workloads: as many statuses alone")
        alone = seconds_of_statuses_alone(self.cluster.kubeconfig)
        return [*boot_section(first, fleet, alone), quiet, again, *edits]

    @contextmanager
    def _controller(self, url: str, scale: Scale) -> Iterator[ControllerProcess]:
        environment = {
            "KUBECONFIG": str(self.cluster.kubeconfig),
            "TINYFORGE_DATABASE_URL": url,
            "TINYFORGE_INTERVAL": f"{scale.interval}s",
        }
        with tempfile.TemporaryDirectory() as folder, reserved_port() as port:
            number = int(port.getsockname()[1])
            port.close()
            with controller(environment, port=number, log=Path(folder) / "controller.log") as running:
                yield running
