"""Engines opened by the adapter, with limits that no test reaches unless it says so."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.servers.docker_engine import DockerEngine
from tinyforge.domain.hosts import Host
from tinyforge.engine import FolderSecrets, Intake, open_engine
from tinyforge.ports import Engine, EngineError, Secrets


def open_at(endpoint: str, *, tls_secret: str = "", ssh_secret: str = "", secrets: Secrets | Path | None = None, **changes: Any) -> Engine:
    """Open the engine at an endpoint, for the caller to close; anything else about the limits by keyword. Secrets may be a folder's."""
    host = Host(name="host", endpoint=endpoint, tls_secret=tls_secret, ssh_secret=ssh_secret)
    found = FolderSecrets(secrets) if secrets is None or isinstance(secrets, Path) else secrets
    limits = {"connect_timeout": 5, "list_timeout": 20, "list_limit": 32 << 20, "intake": Intake()}
    return open_engine(host, secrets=found, **{**limits, **changes})


def over_tcp(docker: DockerEngine, host: str = "127.0.0.1") -> str:
    """The endpoint of an engine that listens on TCP."""
    return f"tcp://{host}:{docker.tcp_port}"


async def failure(engine: Engine) -> EngineError:
    """Return why a list fails, which it has to, within 10 seconds."""
    async with asyncio.timeout(10):
        with pytest.raises(EngineError) as caught:
            await engine.containers()
    return caught.value
