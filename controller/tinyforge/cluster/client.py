"""The HTTP client: where the API server is, how to log in to it, and how long a request may take."""

import httpx2
from lightkube.config import client_adapter
from lightkube.exceptions import ConfigError

from tinyforge.cluster.access import Access
from tinyforge.cluster.errors import NoCluster
from tinyforge.cluster.requests import Requests

CONNECT_SECONDS = 2.0
USER_AGENT = "tinyforge"


def requests_to(access: Access, *, seconds: float) -> Requests:
    """Return the requests to a cluster, over a client of their own; nothing is connected yet.

    Args:
        access: where it is, from `find_access`.
        seconds: how long a request may take as a whole.

    Raises:
        NoCluster: a certificate, a key or a way of logging in cannot be used.
    """
    # Twice for connecting, to the machine and then in TLS: the limit of the whole should not strike in between, for httpx would leave the
    # connection to the garbage collector.
    timeout = httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, 0.4 * seconds))
    try:
        client = client_adapter.AsyncClient(access.config, client_adapter.ConnectionParams(timeout=timeout, trust_env=False))
    except (ConfigError, OSError, ValueError) as error:  # an SSLError is an OSError, bad base64 a ValueError
        raise NoCluster(f"{access.found_by}: a certificate, a key or the way of logging in cannot be used: {error}") from error
    client.headers["User-Agent"] = USER_AGENT
    return Requests(client, seconds=seconds)
