"""Kubeconfig files for the tests: who asks, at which API server, in which namespace.

Used by `tests.servers.kubernetes` and `tests.servers.api_proxy`.
"""

import json
from base64 import b64encode
from collections.abc import Mapping
from pathlib import Path

from tests.servers.certificates import Certificate


def by_certificate(shown: Certificate) -> dict[str, str]:
    """A user who shows a certificate."""
    return {"client-certificate-data": _encoded(shown.pem), "client-key-data": _encoded(shown.key_pem())}


def by_token(token: str) -> dict[str, str]:
    """A user who shows a token."""
    return {"token": token}


def write(file: Path, *, server: str, authority: bytes, user: Mapping[str, str], namespace: str = "default") -> Path:
    """Write a kubeconfig with everything in it (as JSON, which is YAML), and return its path."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "tests", "cluster": {"server": server, "certificate-authority-data": _encoded(authority)}}],
        "users": [{"name": "user", "user": user}],
        "contexts": [{"name": "tests", "context": {"cluster": "tests", "user": "user", "namespace": namespace}}],
        "current-context": "tests",
    }
    file.write_text(json.dumps(config))
    file.chmod(0o600)
    return file


def elsewhere(kubeconfig: Path, *, server: str, file: Path) -> Path:
    """Write a copy of a kubeconfig that leads to another address, and return its path."""
    config = json.loads(kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = server
    file.write_text(json.dumps(config))
    file.chmod(0o600)
    return file


def _encoded(content: bytes) -> str:
    return b64encode(content).decode()
