"""Each host: an engine answers, it is the one that the rows are of, and its certificates last."""

import asyncio
from collections.abc import Iterable, Mapping
from itertools import chain

from tinyforge.cli.checks.certificates import check_certificates
from tinyforge.cli.checks.check import Check, fail, ok, warn
from tinyforge.cli.texts import span
from tinyforge.domain.hosts import Host
from tinyforge.engine import FolderSecrets, Intake, open_engine
from tinyforge.ports import Engine, EngineError, EngineReason
from tinyforge.settings import Settings

_SKEW_SECONDS = 5.0

MENDS = {
    EngineReason.ANSWER_TOO_LARGE: "raise TINYFORGE_DOCKER_LIST_LIMIT",
    EngineReason.ANSWER_UNREADABLE: "look at what answers there with curl",
    EngineReason.CERTIFICATE_EXPIRED: "renew the certificate",
    EngineReason.CONNECT_FAILED: "start the engine, or correct spec.endpoint",
    EngineReason.HTTP_ERROR: "look into the engine's log",
    EngineReason.PERMISSION_DENIED: "let this user use the socket",
    EngineReason.SECRET_UNUSABLE: "put the Secret's files where TINYFORGE_SECRETS points",
    EngineReason.SSH_FAILED: "try the Secret's key and known_hosts with ssh by hand",
    EngineReason.TIMEOUT: "see whether the engine is overloaded; raise TINYFORGE_DOCKER_LIST_TIMEOUT if it is only slow",
    EngineReason.TLS_FAILED: "compare ca.crt of the Secret with what the engine shows, and the engine's CA with tls.crt",
    EngineReason.UNSUPPORTED_VERSION: "update the engine, or correct spec.endpoint",
}


async def check_hosts(hosts: Iterable[Host], *, pinned: Mapping[str, str], settings: Settings) -> list[Check]:
    """Look at hosts side by side.

    Args:
        hosts: the hosts.
        pinned: the ids of the engines that their rows are of, by host; a host without one has none yet.
        settings: the settings.
    """
    intake = Intake()
    found = await asyncio.gather(
        *(
            _check_host(host, pinned=pinned.get(host.name, ""), settings=settings, intake=intake)
            for host in sorted(hosts, key=lambda host: host.name)
        )
    )
    return list(chain.from_iterable(found))


async def _check_host(host: Host, *, pinned: str, settings: Settings, intake: Intake) -> list[Check]:
    subject, secrets = f"host {host.name}", FolderSecrets(settings.secrets)
    if host.suspended:
        return [warn(subject, "is suspended, so its containers are unknown", "take spec.suspend out")]
    try:
        engine = open_engine(
            host,
            connect_timeout=settings.docker_connect_timeout,
            list_timeout=settings.docker_list_timeout,
            list_limit=settings.docker_list_limit,
            secrets=secrets,
            intake=intake,
        )
    except ValueError as error:
        return [fail(subject, str(error), "correct spec.endpoint")]
    try:
        answers = await _check_engine(subject, engine, pinned=pinned, acknowledged=host.acknowledged_engine_id)
    except EngineError as error:
        answers = [fail(subject, f"{error.reason}: {error}", MENDS[error.reason])]
    finally:
        await engine.close()
    ends = await check_certificates(subject, host, secrets=secrets, connect_timeout=settings.docker_connect_timeout)
    return [*answers, *ends]


async def _check_engine(subject: str, engine: Engine, *, pinned: str, acknowledged: str) -> list[Check]:
    identity = await engine.identity()
    if pinned not in ("", identity.engine_id) and acknowledged != identity.engine_id:
        finding = f'engine "{identity.engine_id}" answers, and the rows are of engine "{pinned}"'
        return [fail(subject, finding, f"if it is meant to, set spec.acknowledgedEngineID: {identity.engine_id}")]
    return [
        ok(subject, f"Docker Engine {identity.version}, API {identity.api_version}, id {identity.engine_id}"),
        *judge_clock(subject, identity.clock_ahead),
    ]


def judge_clock(subject: str, ahead: float | None) -> list[Check]:
    """Return that an engine's clock is wrong, if it is by more than 5 s: containers' times and certificates would be misjudged."""
    if ahead is None or abs(ahead) <= _SKEW_SECONDS:
        return []
    direction = "ahead of" if ahead > 0 else "behind"
    return [warn(subject, f"its clock is {span(abs(ahead))} {direction} this machine's", "set both by NTP")]
