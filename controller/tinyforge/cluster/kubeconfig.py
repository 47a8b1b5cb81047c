"""Kubeconfig files, as KUBECONFIG names them: one, or several that count as one in which the first to say something wins.

lightkube reads one file only, and takes the path of a token file as it stands; kubectl means it relative to the file that names it, like
all others.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import yaml
from lightkube.config.kubeconfig import KubeConfig, SingleConfig
from lightkube.config.models import User
from lightkube.exceptions import ConfigError

from tinyforge.cluster.errors import NoCluster

_FILES = ("certificate-authority", "client-certificate", "client-key", "tokenFile")
_LISTS = {"clusters": "cluster", "users": "user", "contexts": "context"}


def read_kubeconfig(variable: str) -> SingleConfig:
    """Return the current context of the files that `variable`, a value of KUBECONFIG, names.

    Raises:
        NoCluster: a file cannot be read or is no kubeconfig, or there is no current context; the text names no secret.
    """
    files = [Path(name).expanduser() for name in variable.split(os.pathsep) if name]
    try:
        return current_context(KubeConfig.from_dict(_merged([_read(file) for file in files])))
    except (ConfigError, msgspec.MsgspecError, LookupError, TypeError, AttributeError, UnicodeError) as error:
        raise NoCluster(f"KUBECONFIG is {variable!r}, which is no usable kubeconfig: {_words(error)}") from error


def current_context(config: KubeConfig) -> SingleConfig:
    """Return the current context; a user who is not named logs in as nobody, which suits a `kubectl proxy`.

    Raises:
        ConfigError: there is none.
        KeyError: it names a cluster or a user that is not there.
    """
    found = config.get()
    if found is None:  # as its type has it; it raises instead
        raise ConfigError("No current context set")
    return found._replace(user=found.user or User())


def _read(file: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(file.read_bytes())
    except OSError as error:
        raise NoCluster(f"KUBECONFIG names {str(file)!r}, which cannot be read: {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError, ValueError) as error:
        raise NoCluster(f"KUBECONFIG names {str(file)!r}, which is no YAML") from error
    if not isinstance(content, dict):
        raise NoCluster(f"KUBECONFIG names {str(file)!r}, which is no kubeconfig")
    return {**content, **{name: [_located(entry, part, file) for entry in content.get(name) or ()] for name, part in _LISTS.items()}}


def _located(entry: dict[str, Any], part: str, file: Path) -> dict[str, Any]:
    """Return an entry of a list with the files that it names found, as seen from the file that it is in."""
    value = entry.get(part) or {}
    return {**entry, part: {key: str(file.parent / name) if key in _FILES and name else name for key, name in value.items()}}


def _merged(contents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {name: [] for name in _LISTS}
    for content in reversed(contents):  # the last entry of a name is the one that lightkube takes
        for name in _LISTS:
            merged[name] += content[name]
        merged["current-context"] = content.get("current-context") or merged.get("current-context")
    return merged


def _words(error: Exception) -> str:
    return f"{error.args[0]!r} is missing or unknown" if isinstance(error, KeyError) else str(error)
