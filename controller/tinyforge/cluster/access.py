"""Where the cluster is, and which of its namespaces is our own."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from lightkube.config.kubeconfig import SERVICE_ACCOUNT, KubeConfig, SingleConfig
from lightkube.exceptions import ConfigError

from tinyforge.cluster.errors import NoCluster
from tinyforge.cluster.kubeconfig import current_context, read_kubeconfig

MOUNTED = Path(SERVICE_ACCOUNT)
"""Where a pod finds its service account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """A cluster to speak with. `namespace` is our own in it; `found_by` says to people how the cluster was found."""

    namespace: str
    found_by: str
    config: SingleConfig = field(repr=False)

    @property
    def server(self) -> str:
        """The API server's address."""
        return self.config.cluster.server


def find_access(*, service_account: Path = MOUNTED) -> Access:
    """Find the cluster by the environment: KUBECONFIG and its current context, else the pod's service account.

    Our own namespace is POD_NAMESPACE, else the service account's or the context's, else `default`. Only KUBECONFIG is looked at, not
    `~/.kube/config`: a controller must not start to work on whatever somebody's kubectl was last used for.

    Raises:
        NoCluster: neither is there, or what is there is unusable.
    """
    if variable := os.environ.get("KUBECONFIG"):
        return _access(read_kubeconfig(variable), found_by=f"KUBECONFIG={variable}")
    if os.environ.get("KUBERNETES_SERVICE_HOST"):
        return _access(_mounted(service_account), found_by="the pod's service account")
    raise NoCluster("no cluster: set KUBECONFIG to a kubeconfig file, or run in a pod that has a service account")


def _mounted(service_account: Path) -> SingleConfig:
    try:
        return current_context(KubeConfig.from_service_account(service_account))
    except (ConfigError, OSError, LookupError, UnicodeDecodeError) as error:
        raise NoCluster(f"this pod's service account is unusable ({error}): have its token mounted, or set KUBECONFIG") from error


def _access(config: SingleConfig, *, found_by: str) -> Access:
    return Access(config=config, namespace=os.environ.get("POD_NAMESPACE") or config.namespace.strip(), found_by=found_by)
