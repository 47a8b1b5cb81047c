"""From a declared host to the loop that keeps it: its engine, the passes over it, and what they have found."""

from tinyforge.domain.hosts import Host
from tinyforge.domain.passes import effective_interval, stale_after
from tinyforge.engine import Intake, open_engine
from tinyforge.ports import ContainersIndex
from tinyforge.reconcile.findings import Findings
from tinyforge.reconcile.index_pass import IndexPass
from tinyforge.reconcile.passes import HostPasses
from tinyforge.settings import Settings
from tinyforge.standalone.host_loops import HostLoop


class HostOpener:
    """Opens hosts that share nothing but the intake of their answers (rule P6)."""

    def __init__(self, *, settings: Settings, containers: ContainersIndex) -> None:
        self._settings = settings
        self._containers = containers
        self._intake = Intake()

    def open(self, host: Host) -> HostLoop:
        """Return a host's loop, not started."""
        interval = effective_interval(self._settings.interval)
        engine = open_engine(
            host,
            connect_timeout=self._settings.docker_connect_timeout,
            list_timeout=self._settings.docker_list_timeout,
            list_limit=self._settings.docker_list_limit,
            secrets=self._settings.secrets,
            intake=self._intake,
        )
        index_pass = IndexPass(
            host=host, engine=engine, index=self._containers, findings=Findings(host.name), stale_after=stale_after(interval)
        )
        return HostLoop(host=host, engine=engine, passes=HostPasses(index_pass), interval=interval)
