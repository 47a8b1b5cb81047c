"""`tinyforge controller`: the operator, which is what a Deployment runs. Brings cluster, database and driver together."""

import logging
import socket
from contextlib import AsyncExitStack

import click

from tinyforge.cli import process
from tinyforge.cli.engines import engines
from tinyforge.cli.installed import installed_plugins
from tinyforge.cli.patience import until_available
from tinyforge.cli.rhythm import rhythm_of
from tinyforge.cli.verb import Verb, start_verb
from tinyforge.cli.vitals import Vitals
from tinyforge.cluster import connect, find_access
from tinyforge.http.address import ListenAddress
from tinyforge.index.leadership import OPERATOR
from tinyforge.index.led import lead
from tinyforge.index.schema import require_schema
from tinyforge.operator.controller import Controller, Surroundings
from tinyforge.operator.secrets import ClusterSecrets
from tinyforge.settings import Settings, SettingsError
from tinyforge.telemetry import tracing

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
def verb(*, take_over: bool) -> None:
    """Keep the index true to the objects of a Kubernetes cluster, until it is stopped.

    The cluster is the one that KUBECONFIG names, else that of the pod. The database is TINYFORGE_DATABASE_URL, with its schema up to date
    (`tinyforge migrate`), and the cluster knows the objects (`tinyforge crds | kubectl apply --server-side -f -`).
    """
    settings = start_verb()
    if settings.database_url is None:
        raise SettingsError("TINYFORGE_DATABASE_URL is not set, and `controller` has no embedded PostgreSQL: a pod's would go with it")
    with tracing():
        process.run(_serve(settings, settings.database_url.get_secret_value(), take_over=take_over))


async def _serve(settings: Settings, conninfo: str, *, take_over: bool) -> None:
    plugins = installed_plugins()
    vitals = Vitals(plugins)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(vitals.served(settings.http_address or _HTTP_ADDRESS))
        access = find_access()
        cluster = connect(access, instance=socket.gethostname())
        stack.push_async_callback(cluster.close)
        secrets = ClusterSecrets(cluster)
        stack.push_async_callback(secrets.close)
        await until_available(lambda: require_schema(conninfo))
        index = await until_available(lambda: stack.enter_async_context(lead(conninfo, driver=OPERATOR, take_over=take_over)))
        logger.info(
            "%s leads with epoch %d on %s (%s)",
            index.term.holder,
            index.term.epoch,
            access.server,
            access.found_by,
            extra={"action": "leading", "epoch": index.term.epoch},
        )
        surroundings = Surroundings(
            cluster=cluster, find_access=find_access, namespaces=settings.namespaces, connect=engines(settings, secrets)
        )
        controller = Controller(surroundings=surroundings, index=index, plugins=plugins, rhythm=rhythm_of(settings), metrics=vitals.metrics)
        vitals.begin(lambda: controller.silent)
        await controller.run()
