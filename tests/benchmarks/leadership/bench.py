"""Everything that is measured of leadership, in order: Tinyforge's replicas alone on the machine, then many pairs of kube-schedulers."""

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.benchmarks.figures import Section
from tests.benchmarks.leadership.losses import LOSSES, Loss
from tests.benchmarks.leadership.moments import moments_of
from tests.benchmarks.leadership.outcomes import ClientGo, Tinyforge
from tests.benchmarks.leadership.schedulers import pair
from tests.benchmarks.leadership.succession import Succession
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index
from tests.faults.fleet import fleet_on
from tests.operator.installation import NAMESPACE, Installation
from tests.operator.looking import host, stack
from tests.servers.cluster import Cluster
from tests.servers.docker_engine import DockerEngine
from tests.servers.postgres import Postgres

HOST = "vessel"
PAIRS = 10
"""How many pairs of kube-schedulers run at once: all that they do is to wait, which takes nobody's time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LeadershipBench:
    """The servers, the kube-scheduler to compare with, and how a person is told what is under way."""

    cluster: Cluster
    engine: DockerEngine
    postgres: Postgres
    scheduler: Path
    say: Callable[[str], None]

    def measure(self, runs: int, losses: Sequence[Loss] = LOSSES) -> dict[str, list[Section]]:
        """Lose so many leaders in each way, and return Tinyforge's figures and client-go's."""
        with self._installed() as installation:
            ours = [self._ours(installation, loss, runs) for loss in losses]
        self.say(f"client-go: {runs * len(losses)} pairs of kube-schedulers, {PAIRS} at once")
        theirs = self._theirs(losses, runs)
        return {
            "Tinyforge": [outcome.section for outcome in ours],
            "client-go": [ClientGo(loss=loss, seconds=theirs[loss.name]).section for loss in losses],
        }

    @contextmanager
    def _installed(self) -> Iterator[Installation]:
        """The operator, with a host to look after: a pass that changes nothing writes when it was."""
        self.engine.create("web", belonging_to("shop", "web"), start=True)
        self.cluster.apply(host(self.engine.endpoint, HOST))
        self.cluster.apply(stack(host=HOST))
        installation = Installation(self.cluster)
        try:
            yield installation
        finally:
            installation.remove()

    def _ours(self, installation: Installation, loss: Loss, runs: int) -> Tinyforge:
        """Lose leaders of one fleet. It has a database of its own, and leaves no Lease that the next one's first leader would wait for."""
        self.say(f"{loss.name}: starting replicas")
        with self.postgres.database() as name, tempfile.TemporaryDirectory() as folder:
            index = Index(self.postgres, self.postgres.url_of(name))
            installation.initialise(index.url)
            with fleet_on(installation, index, Path(folder)) as fleet, moments_of(index.url) as moments:
                succession = Succession(fleet, loss, moments)
                self.say(f"{loss.name}: {runs} runs")
                outcome = Tinyforge(loss=loss, takeovers=[succession.next() for _ in range(runs)], stale_rows=succession.stale_rows)
        self.cluster.delete("Lease", "tinyforge", NAMESPACE)
        return outcome

    def _theirs(self, losses: Sequence[Loss], runs: int) -> Mapping[str, list[float]]:
        """Lose leaders of many pairs of schedulers, and return the seconds of each way by its name."""

        def takeover(run: int, loss: Loss) -> tuple[str, float]:
            with pair(self.cluster, self.scheduler, loss) as schedulers:
                return loss.name, schedulers.takeover(Random(run))  # noqa: S311 - no secret: the same moments each time

        seconds = defaultdict[str, list[float]](list)
        with ThreadPoolExecutor(PAIRS) as pairs:
            started = [pairs.submit(takeover, run, loss) for run in range(runs) for loss in losses]
            for one in started:
                name, took = one.result()
                seconds[name].append(took)
        return seconds
