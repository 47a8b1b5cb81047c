"""Everything that is measured at one size, in order, on one engine and one PostgreSQL."""

import asyncio
import gc
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.figures import Section
from tests.benchmarks.host import declare, fill, write_manifests
from tests.benchmarks.memory import memory_section
from tests.benchmarks.stages import stages_section
from tests.benchmarks.steady import Lister, steady_section
from tests.benchmarks.without_list import without_list_section
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres
from tinyforge.cli.engines import engines
from tinyforge.engine import FolderSecrets
from tinyforge.index.led import lead
from tinyforge.index.schema import migrate
from tinyforge.reconcile.hosts import Hosts
from tinyforge.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """The servers, how many rounds each thing is measured, and how a person is told what is under way."""

    engine: DockerEngine
    postgres: Postgres
    rounds: int
    say: Callable[[str], None]

    def measure(self, size: int) -> list[Section]:
        """Measure everything with `size` containers. Sizes may only grow, since the containers stay."""
        self.say(f"{size:,} containers: creating them")
        fill(self.engine, size)
        with tempfile.TemporaryDirectory() as folder, self.postgres.database() as ours, self.postgres.database() as theirs:
            manifests = Path(folder) / "manifests"
            manifests.mkdir()
            write_manifests(manifests, self.engine.endpoint, size)
            url = self.postgres.url_of(ours)
            gc.freeze()  # as the program does
            sections = asyncio.run(self._passes(size, manifests, url, self.postgres.url_of(theirs)))
            self.say(f"{size:,} containers: `tinyforge run`")
            return [*sections, memory_section(url, manifests, Path(folder) / "run.log")]

    async def _passes(self, size: int, manifests: Path, url: str, rival_url: str) -> list[Section]:
        await migrate(rival_url)
        async with lead(rival_url) as rival:
            await declare(manifests, rival)
        await migrate(url)
        settings = Settings.model_construct()  # the defaults, whatever the environment says
        async with lead(url) as index:
            host = await declare(manifests, index)
            connect = engines(settings, FolderSecrets(None))
            hosts = Hosts(
                connect=connect, containers=index.containers, stale_after=120.0, epoch=index.term.epoch, passed=lambda _host, _report: None
            )
            hosts.open([host])
            opened = hosts.by_name[host.name]
            try:
                self.say(f"{size:,} containers: steady passes, and curl")
                # Lists differ more from each other than anything else here, so there are twice as many rounds of them.
                lister = Lister(self.engine.socket, self.engine.client.api_version)
                steady = await steady_section(opened.passes, lister, url=url, rounds=2 * self.rounds)
                stages = await stages_section(host, index=index.containers, settings=settings, rounds=self.rounds)
                listing, identity = await opened.engine.containers(), await opened.engine.identity()
            finally:
                await opened.close()
            self.say(f"{size:,} containers: passes without the list, and row by row")
            without = await without_list_section(
                host, listing.containers, identity, index=index.containers, ours=url, theirs=rival_url, rounds=self.rounds
            )
        return [steady, without, stages]
