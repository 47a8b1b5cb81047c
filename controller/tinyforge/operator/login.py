"""How kopf gets to the cluster: the same way as everything else of ours (`tinyforge.cluster.access`), found anew at each login.

kopf logs in at its start and whenever the API server refuses a token, so a token that was rotated is read again without a restart.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import kopf

from tinyforge.cluster import Access, NoCluster


def login_with(find: Callable[[], Access]) -> Callable[..., kopf.ConnectionInfo]:
    """Return kopf's login handler; `find` finds the cluster. It raises NoCluster if the way of logging in is none that kopf knows."""

    def login(**_: Any) -> kopf.ConnectionInfo:
        return _connection(find())

    return login


def _connection(access: Access) -> kopf.ConnectionInfo:
    cluster, user = access.config.cluster, access.config.user
    if user is None or user.exec or user.auth_provider:  # None as its type has it; `Access` never has it
        raise NoCluster(f"{access.found_by}: a user who logs in by a command cannot watch; use a token or a client certificate")
    token = Path(user.token_file).read_text().strip() if user.token_file else user.token
    return kopf.ConnectionInfo(
        server=cluster.server,
        ca_path=cluster.certificate_auth,
        ca_data=cluster.certificate_auth_data,
        insecure=cluster.insecure,
        username=user.username,
        password=user.password,
        token=token,
        certificate_path=user.client_cert,
        certificate_data=user.client_cert_data,
        private_key_path=user.client_key,
        private_key_data=user.client_key_data,
        default_namespace=access.namespace,
    )
