"""Replicas of the operator, each at a place of its own: with cables to the API server and to PostgreSQL that a test can cut."""

import re
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tests.e2e.controllers import DEADLINE, SOON
from tests.e2e.index import Index, until
from tests.faults.journal import Journal
from tests.operator.installation import NAMESPACE, Installation
from tests.operator.replicas import Replica
from tests.servers import kubeconfigs
from tests.servers.cable import Cable, Far, cable
from tests.servers.kernel import is_frozen

HOUR = 3600
WARM = 5.5
"""How long a replica has to have been up before it takes the word of PostgreSQL for the leader's death."""
SEEN = 12.0
"""Within how many seconds a frozen leader, or one cut off from PostgreSQL, is succeeded: the bound is 8, and this machine may do much else.
Whoever waits for a Lease of 15 s to run out takes longer than this."""

LET_IN = """
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Place:
    """Where a replica runs."""

    def __init__(self, *, api: Cable, postgres: Cable) -> None:
        self.api = api
        self.postgres = postgres

    def cut(self) -> None:
        """Cut it off from everything."""
        self.api.cut()
        self.postgres.cut()

    def mend(self) -> None:
        """Give it everything back."""
        self.api.mend()
        self.postgres.mend()


class Fleet:
    """The replicas of one installation on one database, under one Lease, and what they write."""

    def __init__(self, installation: Installation, index: Index, folder: Path, stack: ExitStack, *, lease: str = "tinyforge") -> None:
        self._installation = installation
        self._folder = folder
        self._stack = stack
        self._lease = lease
        self.index = index
        self.journal = Journal(index)

    def place(self) -> Place:
        """A place whose cables are whole."""
        api = urlsplit(self._installation.cluster.control_plane.url)
        assert api.hostname
        assert api.port
        return Place(api=self._cable((api.hostname, api.port)), postgres=self._cable(server_of(self.index.url)))

    def start(self, at: Place | None = None, /, **settings: str) -> Replica:
        """Start one, at a place or beside the servers, and return it when it can be asked."""
        kubeconfig, url = self._installation.kubeconfig, self.index.url
        if at:
            moved = self._folder / f"kubeconfig-{at.api.port}"
            kubeconfig = kubeconfigs.elsewhere(kubeconfig, server=f"https://127.0.0.1:{at.api.port}", file=moved)
            url = make_conninfo(url, host="127.0.0.1", port=at.postgres.port)
        ours = {"TINYFORGE_DATABASE_URL": url, "TINYFORGE_LEASE_NAME": self._lease}
        process = self._installation.run(kubeconfig=kubeconfig, settings=ours | settings)
        self._stack.callback(process.kill)
        return Replica(process)

    def leading(self, at: Place | None = None, /, **settings: str) -> Replica:
        """Start the first one, and return it when it leads and writes."""
        replica = self.start(at, **settings)
        replica.elected(1)
        self.journal.writes(1)
        return replica

    def standing_by(self, at: Place | None = None, /, **settings: str) -> Replica:
        """Start one, and return it when it stands by, and believes what it sees in PostgreSQL."""
        replica = self.start(at, **settings)
        replica.process.says("stands by for the Lease")
        time.sleep(WARM)
        return replica

    @property
    def leader(self) -> tuple[str, int]:
        """Who leads by the database, and with which epoch."""
        ((holder, epoch),) = self.index.sql("SELECT holder, epoch FROM tinyforge.leaders")
        return holder, epoch

    @property
    def open_transactions(self) -> int:
        """How many transactions there are that the fence has let in."""
        ((number,),) = self.index.sql(LET_IN)
        return int(number)

    def lease(self) -> str:
        """Who holds the Lease."""
        spec = self._installation.cluster.get("Lease", self._lease, NAMESPACE)["spec"]
        return str(spec.get("holderIdentity", ""))

    def empty_the_lease(self) -> None:
        """Take the holder out of the Lease, as somebody does with kubectl."""
        self._installation.cluster.patch("Lease", self._lease, {"spec": {"holderIdentity": ""}}, NAMESPACE)

    def keep_the_lease(self) -> None:
        """Make a Lease that nobody here holds, for as long as a test may take: until it is emptied, all replicas stand by."""
        spec = {"holderIdentity": "nobody here", "leaseDurationSeconds": HOUR, "leaseTransitions": 0}
        metadata = {"name": self._lease, "namespace": NAMESPACE}
        self._installation.cluster.apply({"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec})

    def _cable(self, far: Far) -> Cable:
        return self._stack.enter_context(cable(far))


def server_of(url: str) -> Far:
    """Where a database's server listens."""
    about = conninfo_to_dict(url)
    host, port = str(about.get("host") or "127.0.0.1"), int(about.get("port") or 5432)
    return Path(host) / f".s.PGSQL.{port}" if host.startswith("/") else (host, port)


@contextmanager
def fleet_on(installation: Installation, index: Index, folder: Path) -> Iterator[Fleet]:
    """A fleet for the length of a block."""
    installation.initialise(index.url)
    with ExitStack() as stack:
        yield Fleet(installation, index, folder, stack)


def before_the_fence(holder: str, host: str) -> bytes:
    """Where to stop a connection within the write of a pass, which is one piece: nobody has looked yet who leads."""
    return b"(" + re.escape(holder.encode()) + b").*?" + re.escape(host.encode())


def behind_the_fence(holder: str, host: str) -> bytes:
    """Where to stop a connection within the write of a pass, which is one piece: the fence has let it in."""
    return re.escape(holder.encode()) + b".*?(" + re.escape(host.encode()) + b")"


def freeze(replica: Replica) -> None:
    """SIGSTOP, and wait until it has taken hold."""
    replica.process.signal(signal.SIGSTOP)
    until(lambda: is_frozen(replica.process.pid), True)


def is_stopped(replica: Replica) -> None:
    """Wait until it has stopped itself."""
    until(lambda: is_frozen(replica.process.pid), True)


def wake(replica: Replica) -> None:
    """Let a frozen one go on."""
    replica.process.signal(signal.SIGCONT)


def succeeds(replica: Replica, epoch: int, *, since: float, within: float = SEEN) -> None:
    """Wait until a replica leads, and see that this did not take it longer than it may."""
    replica.elected(epoch)
    took = time.monotonic() - since
    print(f"succeeded after {took:.1f} s")  # noqa: T201 - pytest shows it with -rP
    assert took < within, replica.process


def gives_up(replica: Replica, *, to: str, epoch: int) -> None:
    """Wait until a deposed leader has ended, and see that it says to whom it lost."""
    assert replica.process.ends(within=max(SOON, DEADLINE / 2)) == 1, replica.process
    (said,) = [message for message in replica.process.messages if message.startswith("Error: ")]
    assert to in said, said
    assert f"with epoch {epoch}" in said, said
