"""client-go's election as it is used: two kube-schedulers, one of which leads, on a Lease of their own."""

import os
import shutil
import signal
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from urllib.parse import urlsplit

from tests.benchmarks.leadership.losses import Loss
from tests.servers import kubeconfigs
from tests.servers.cable import Cable, cable
from tests.servers.cluster import Cluster
from tests.servers.server_process import ServerProcess
from tinyforge.domain.lease import LeaseTimes

NAMESPACE = "default"
LOOKS = "attempting to acquire leader lease"
SETTLED = 0.5
"""How many seconds after its first look a scheduler has no more to do than to stand by."""
LOOK = 4.4
"""Of how many seconds the loss of a leader comes at any moment: so seldom a standby may look, for to its 2 s client-go adds up to 2.4."""
PATIENCE = 60.0  # seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """A scheduler, and its cable to the API server if it can be cut off."""

    process: ServerProcess
    cable: Cable | None

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        os.kill(self.process.pid, number)

    def cut(self) -> None:
        """Cut it off from the API server."""
        assert self.cable
        self.cable.cut()

    def mend(self) -> None:
        """Give it the API server back."""
        assert self.cable
        self.cable.mend()


class Pair:
    """Two schedulers, of which the first one leads."""

    def __init__(self, cluster: Cluster, program: Path, loss: Loss, stack: ExitStack) -> None:
        self._cluster = cluster
        self._program = program
        self._loss = loss
        self._stack = stack
        self._lease = f"scheduler-{uuid.uuid4().hex[:8]}"
        self._leader = self._start()
        self._identity = self._holder_other_than("")
        self._start().process.wait_until_ready()

    def takeover(self, chance: Random) -> float:
        """Lose the leader, and return after how many seconds the Lease named the other one."""
        time.sleep(SETTLED + chance.uniform(0, LOOK))
        begun = time.monotonic()
        self._loss.befalls(self._leader)
        self._holder_other_than(self._identity)
        return time.monotonic() - begun

    def _holder_other_than(self, before: str) -> str:
        """Wait until the Lease names somebody, and not this one, and return whom."""

        def holder(lease: dict[str, dict[str, str]]) -> str:
            return lease["spec"].get("holderIdentity", "")

        found = self._cluster.wait("Lease", self._lease, lambda it: holder(it) not in ("", before), NAMESPACE, seconds=PATIENCE)
        return holder(found)

    def _start(self) -> Scheduler:
        folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="tinyforge-scheduler-")))
        laid = self._cable() if self._loss.cables else None
        kubeconfig = self._cluster.kubeconfig
        if laid:
            kubeconfig = kubeconfigs.elsewhere(kubeconfig, server=f"https://127.0.0.1:{laid.port}", file=folder / "kubeconfig")
        log = folder / f"{self._program.name}.log"
        process = ServerProcess(
            [self._program, *options(self._lease), f"--kubeconfig={kubeconfig}"], folder=folder, answers=lambda: LOOKS in log.read_text()
        )
        process.launch()
        self._stack.callback(process.kill)
        return Scheduler(process=process, cable=laid)

    def _cable(self) -> Cable:
        api = urlsplit(self._cluster.control_plane.url)
        assert api.hostname
        assert api.port
        return self._stack.enter_context(cable((api.hostname, api.port)))


@contextmanager
def pair(cluster: Cluster, program: Path, loss: Loss) -> Iterator[Pair]:
    """Two schedulers for the length of a block."""
    with ExitStack() as stack:
        yield Pair(cluster, program, loss, stack)


def options(lease: str) -> list[str]:
    """The options of a scheduler that serves nothing and stands for election with the durations that are Tinyforge's defaults."""
    times = LeaseTimes()
    return [
        "--secure-port=0",
        "--leader-elect=true",
        f"--leader-elect-resource-namespace={NAMESPACE}",
        f"--leader-elect-resource-name={lease}",
        f"--leader-elect-lease-duration={times.duration:g}s",
        f"--leader-elect-renew-deadline={times.renew_deadline:g}s",
        f"--leader-elect-retry-period={times.retry_period:g}s",
    ]


def scheduler_in(programs: str) -> Path:
    """The program, in one of the folders of a PATH."""
    found = shutil.which("kube-scheduler", path=programs)
    assert found, f"kube-scheduler is not in {programs}"
    return Path(found)
