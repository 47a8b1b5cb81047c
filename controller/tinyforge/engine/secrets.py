"""The Secret that a host's endpoint needs, read as a cluster mounts it: a folder for the Secret, a file for each key.

A transport reads it before every call, which costs microseconds, so that a rotated credential is used without a restart; what stays in
memory is a digest, to notice the change.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from tinyforge.ports import EngineError, EngineReason

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")  # what Kubernetes allows; never a way out of the folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a Secret holds now. `generation` counts its changes since the first reading, which is 0."""

    folder: Path
    files: Mapping[str, bytes] = field(repr=False)
    generation: int


class SecretFolder:
    """One Secret, by name.

    Args:
        root: the folder that holds the Secrets' folders, None if the settings name none.
        name: the Secret's name, empty if the host names none.
        keys: the files it must have.
        declared_by: the field of the DockerHost that names it, for messages.
    """

    def __init__(self, root: Path | None, name: str, *, keys: tuple[str, ...], declared_by: str) -> None:
        self._root = root
        self._name = name
        self._keys = keys
        self._declared_by = declared_by
        self._digest = b""
        self.generation = 0

    def read(self) -> Credentials:
        """Read it anew.

        Raises:
            EngineError: it is not declared, or a file of it is missing, unreadable or empty.
        """
        folder = self._folder()
        files = {key: _content(folder / key) for key in self._keys}
        digest = sha256(b"".join(sha256(content).digest() for content in files.values())).digest()
        if digest != self._digest:
            self.generation += bool(self._digest)
            self._digest = digest
        return Credentials(folder=folder, files=files, generation=self.generation)

    def _folder(self) -> Path:
        if not self._name:
            raise unusable(f"this endpoint needs {self._declared_by}: the name of a Secret with {', '.join(self._keys)}")
        if self._root is None:
            raise unusable(f"{self._declared_by} names the Secret {self._name!r}, and no folder holds Secrets: set TINYFORGE_SECRETS")
        if _NAME.fullmatch(self._name) is None:
            raise unusable(f"{self._declared_by} is {self._name!r}, which is no name of a Secret")
        return self._root / self._name


def unusable(what: str) -> EngineError:
    """Return the error for a Secret that cannot be used."""
    return EngineError(EngineReason.SECRET_UNUSABLE, what)


def _content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unusable(f"the Secret's file {path} cannot be read: {error.strerror}") from error
    if not content.strip():
        raise unusable(f"the Secret's file {path} is empty")
    return content
