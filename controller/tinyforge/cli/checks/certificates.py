"""The certificates of a host that is reached by TLS: ours and the engine's, and until when they are valid."""

import asyncio
import ssl
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta

from tinyforge.cli.checks.check import Check, fail, warn
from tinyforge.domain.endpoints import Endpoint, Scheme
from tinyforge.domain.hosts import Host
from tinyforge.engine.credentials import Credentials
from tinyforge.engine.tls_context import client_context, tls_secret
from tinyforge.engine.tls_faults import ends_of
from tinyforge.ports import EngineError, Secrets

SOON = timedelta(days=30)

_OURS = ("ca.crt", "tls.crt")


async def check_certificates(subject: str, host: Host, *, secrets: Secrets, connect_timeout: float) -> list[Check]:
    """Return those certificates of a host that end within 30 days, or have ended.

    What cannot be read is left to the check of the engine, which fails for it.

    Args:
        subject: what the checks are about.
        host: the host.
        secrets: where its Secret is.
        connect_timeout: how long to try for a connection, in seconds.
    """
    endpoint = Endpoint.parse(host.endpoint)
    if endpoint.scheme is not Scheme.TCP:
        return []
    try:
        credentials = await tls_secret(secrets, host.tls_secret).read()
        ends = {f"{key} of the Secret {host.tls_secret}": min(found) for key in _OURS if (found := ends_of(credentials.content[key]))}
        ends |= await _engines(endpoint, credentials, connect_timeout)
    except EngineError:
        return []
    return list(judge_ends(subject, ends, now=datetime.now(UTC)))


def judge_ends(subject: str, ends: Mapping[str, datetime], *, now: datetime) -> Iterator[Check]:
    """Yield a check for every certificate that has ended or ends soon."""
    for name, end in ends.items():
        if end < now:
            yield fail(subject, f"the certificate {name} ended on {end:%Y-%m-%d}", "renew it")
        elif end < now + SOON:
            yield warn(subject, f"the certificate {name} ends on {end:%Y-%m-%d}, in {(end - now).days} days", "renew it before")


async def _engines(endpoint: Endpoint, credentials: Credentials, seconds: float) -> dict[str, datetime]:
    """Return when the certificate ends that the engine shows, if it shows one that is believed."""
    try:
        async with asyncio.timeout(seconds):
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port, ssl=client_context(credentials))
    except (OSError, TimeoutError):
        return {}
    shown = writer.get_extra_info("ssl_object").getpeercert()
    writer.close()
    return {"of the engine": datetime.fromtimestamp(ssl.cert_time_to_seconds(shown["notAfter"]), UTC)}
