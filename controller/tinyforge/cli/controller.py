"""`tinyforge controller`: the operator, which is what a Deployment runs. Brings cluster, database, election and driver together."""

import logging
import os
import socket
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial

import click

from tinyforge.cli import process
from tinyforge.cli.alone import lead_alone
from tinyforge.cli.engines import engines
from tinyforge.cli.installed import installed_plugins
from tinyforge.cli.leases import leases_of
from tinyforge.cli.patience import until_available
from tinyforge.cli.rhythm import leaves_out, rhythm_of
from tinyforge.cli.verb import Verb, start_verb
from tinyforge.cli.vitals import Vitals
from tinyforge.cluster import Access, Cluster, connect, find_access
from tinyforge.election import Elector, Watchdog, stop_points
from tinyforge.http.address import ListenAddress
from tinyforge.index.leadership import OPERATOR, EpochClaiming, Identity
from tinyforge.index.led import LedIndex, lead
from tinyforge.index.presence import Presence
from tinyforge.index.schema import require_schema
from tinyforge.operator.controller import Controller, Surroundings
from tinyforge.operator.replica import Office, Replica
from tinyforge.operator.secrets import ClusterSecrets
from tinyforge.reconcile.plugins import Plugins
from tinyforge.settings import Settings, SettingsError
from tinyforge.telemetry import TraceStatistics, trace_faults, tracing

logger = logging.getLogger(__name__)

_HTTP_ADDRESS = ListenAddress(host="", port=8080)
"""Where the HTTP port is if nobody says otherwise: a pod is probed there."""


@click.command(
    "controller",
    cls=Verb,
    examples={
        "tinyforge controller": "in a pod, with the rights of its service account",
        "KUBECONFIG=~/.kube/config tinyforge controller": "beside a cluster, with yours",
    },
)
@click.option("--take-over", is_flag=True, help="Lead the database even if standalone or another Lease leads it.")
@click.option(
    "--leader-election/--no-leader-election",
    "elects",
    default=True,
    show_default=True,
    help="Lead only while holding the Lease, so that there may be several; without, the newest of them deposes the others.",
)
def verb(*, take_over: bool, elects: bool) -> None:
    """Keep the index true to the objects of a Kubernetes cluster, until it is stopped.

    The cluster is the one that KUBECONFIG names, else that of the pod. The database is TINYFORGE_DATABASE_URL, with its schema up to date
    (`tinyforge migrate`), and the cluster knows the objects (`tinyforge crds | kubectl apply --server-side -f -`).

    Of several, one leads and the others stand by; `tinyforge leader` says which. Who has led and does so no more ends with exit code 1, and
    is to be started again.
    """
    settings = start_verb(faults=trace_faults(os.environ))
    if settings.database_url is None:
        raise SettingsError("TINYFORGE_DATABASE_URL is not set, and `controller` has no embedded PostgreSQL: a pod's would go with it")
    identity = Identity.draw(os.environ.get("POD_UID", ""))
    with tracing(identity.holder, filtered=leaves_out(settings)) as traces:
        url = settings.database_url.get_secret_value()
        drain = settings.drain + settings.lease_request_timeout  # to give the Lease back
        process.run(_serve(settings, url, identity, traces, take_over=take_over, elects=elects), drain=drain)


async def _serve(
    settings: Settings, conninfo: str, identity: Identity, traces: TraceStatistics | None, *, take_over: bool, elects: bool
) -> None:
    plugins = installed_plugins()
    vitals = Vitals(plugins)
    if traces:
        vitals.metrics.readings.look_at_traces(traces)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(vitals.served(settings.http_address or _HTTP_ADDRESS))
        watchdog = Watchdog()
        watchdog.start()
        stack.callback(watchdog.stop)
        access = find_access()
        cluster = connect(access, instance=socket.gethostname())
        stack.push_async_callback(cluster.close)
        secrets = ClusterSecrets(cluster)
        stack.push_async_callback(secrets.close)
        await until_available(lambda: require_schema(conninfo), told=vitals.wait_for)
        terms = _Terms(
            settings=settings, identity=identity, access=access, cluster=cluster, secrets=secrets, plugins=plugins, vitals=vitals
        )
        if elects:
            await _stand(terms, conninfo, take_over=take_over, watchdog=watchdog)
        else:
            leading = partial(lead, conninfo, identity=identity, driver=OPERATOR, take_over=take_over)
            await lead_alone(leading, terms.begin, vitals=vitals, drain=settings.drain)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What the controller of a term is made of, whichever way the term is won."""

    settings: Settings
    identity: Identity
    access: Access
    cluster: Cluster
    secrets: ClusterSecrets
    plugins: Plugins
    vitals: Vitals

    def begin(self, index: LedIndex) -> Controller:
        """Make the controller of a term, which is about to run."""
        logger.info(
            "%s leads with epoch %d on %s (%s)",
            index.term.holder,
            index.term.epoch,
            self.access.server,
            self.access.found_by,
            extra={"action": "leading", "epoch": index.term.epoch},
        )
        controller = Controller(
            surroundings=Surroundings(
                cluster=self.cluster,
                find_access=find_access,
                namespaces=self.settings.namespaces,
                connect=engines(self.settings, self.secrets),
            ),
            index=index,
            plugins=self.plugins,
            rhythm=rhythm_of(self.settings),
            metrics=self.vitals.metrics,
        )
        self.vitals.look_at_timers(lambda: controller.silent)
        self.vitals.metrics.readings.look_at_fence(lambda: index.fenced_writes)
        return controller


async def _stand(terms: _Terms, conninfo: str, *, take_over: bool, watchdog: Watchdog) -> None:
    """Be one of several replicas."""
    settings, identity, access, vitals = terms.settings, terms.identity, terms.access, terms.vitals
    await until_available(terms.cluster.require_definitions, told=vitals.wait_for)
    async with AsyncExitStack() as stack:
        ours = leases_of(settings, access)
        stack.push_async_callback(ours.close)
        lease = await until_available(ours.qualified_name, told=vitals.wait_for)
        presence = Presence(conninfo, session=identity.session)
        stack.push_async_callback(presence.close)

        def warm() -> None:
            vitals.begin(replica.role, wrong=replica.wrong)
            logger.info("%s stands by for the Lease %s/%s", identity.holder, ours.namespace, ours.name, extra={"action": "standing_by"})

        elector = Elector(
            holder=identity.holder,
            connect=lambda: leases_of(settings, access),
            presence=presence,
            claiming=EpochClaiming(conninfo=conninfo, identity=identity, driver=OPERATOR, lease=lease, take_over=take_over),
            times=settings.lease_times,
            watchdog=watchdog,
            warm=warm,
            steps=stop_points(os.environ),
        )
        office = Office(
            conninfo=conninfo,
            presence=presence,
            times=settings.lease_times,
            watchdog=watchdog,
            drain=settings.drain,
            begin=terms.begin,
        )
        replica = Replica(elector=elector, office=office)
        vitals.wait_for("it has not seen the Lease and the database yet")
        await replica.run()
