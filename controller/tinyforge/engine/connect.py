"""From a declared host to an engine that can be asked: the endpoint's scheme picks the way there."""

from tinyforge.domain.endpoints import Endpoint, Scheme
from tinyforge.domain.hosts import Host
from tinyforge.engine.docker_engine import DockerEngine
from tinyforge.engine.intake import Intake
from tinyforge.engine.requests import Requests
from tinyforge.engine.ssh import SshTransport
from tinyforge.engine.tls import TlsTransport
from tinyforge.engine.transport import Transport
from tinyforge.engine.unix import UnixTransport
from tinyforge.ports import Engine, Secrets


def open_engine(host: Host, *, connect_timeout: float, list_timeout: float, list_limit: int, secrets: Secrets, intake: Intake) -> Engine:
    """Return the engine behind a host's endpoint. Nothing is read and nothing connected before its first call; close it in the end.

    Args:
        host: the declared host.
        connect_timeout: how long one connection may take, in seconds, name resolution, TLS and the ssh tunnel included.
        list_timeout: how long one call may take as a whole, in seconds.
        list_limit: the most bytes of one answer.
        secrets: where the hosts' credentials are.
        intake: the gate that all engines of this process share.

    Raises:
        ValueError: the host's endpoint is no address of an engine.
    """
    transport = _transport(host, Endpoint.parse(host.endpoint), connect_timeout=connect_timeout, secrets=secrets)
    requests = Requests(transport, intake=intake, limit=list_limit, connect_timeout=connect_timeout)
    return DockerEngine(transport, requests, list_timeout=list_timeout)


def _transport(host: Host, endpoint: Endpoint, *, connect_timeout: float, secrets: Secrets) -> Transport:
    match endpoint.scheme:
        case Scheme.UNIX:
            return UnixTransport(endpoint.path, connect_timeout=connect_timeout)
        case Scheme.TCP:
            return TlsTransport(endpoint, secrets=secrets, name=host.tls_secret, connect_timeout=connect_timeout)
        case Scheme.SSH:
            return SshTransport(endpoint, secrets=secrets, name=host.ssh_secret, connect_timeout=connect_timeout)
