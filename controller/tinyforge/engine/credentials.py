"""The Secret that a host's endpoint needs, as its transport reads it.

It is read before every call, so that a rotated credential is used without a restart; what stays in memory is a digest, to notice the
change. Where Secrets are is no matter here: `tinyforge.ports.Secrets` reads them, and says what a message calls a key.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256

from tinyforge.ports import EngineError, EngineReason, Secrets

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")  # what Kubernetes allows; never a way out of a folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a Secret holds now.

    Args:
        content: the bytes of each key.
        names: what a message calls each key.
        generation: how often the content changed since the first reading, which is 0.
    """

    content: Mapping[str, bytes] = field(repr=False)
    names: Mapping[str, str]
    generation: int


class HostSecret:
    """The Secret of one host.

    Args:
        secrets: where Secrets are.
        name: the Secret's name, empty if the host names none.
        keys: what it must hold.
        declared_by: the field of the DockerHost that names it, for messages.
    """

    def __init__(self, secrets: Secrets, name: str, *, keys: tuple[str, ...], declared_by: str) -> None:
        self._secrets = secrets
        self._name = name
        self._keys = keys
        self._declared_by = declared_by
        self._digest = b""
        self.generation = 0

    async def read(self) -> Credentials:
        """Return what it holds now.

        Raises:
            EngineError: it is not declared, it cannot be read, or a key of it is missing or empty.
        """
        self._check_name()
        content = await self._secrets.read(self._name, self._keys)
        names = {key: self._secrets.describe(self._name, key) for key in self._keys}
        for key, value in content.items():
            if not value.strip():
                raise unusable(f"{names[key]} is empty")
        digest = sha256(b"".join(sha256(content[key]).digest() for key in self._keys)).digest()
        if digest != self._digest:
            self.generation += bool(self._digest)
            self._digest = digest
        return Credentials(content=content, names=names, generation=self.generation)

    def _check_name(self) -> None:
        if not self._name:
            raise unusable(f"this endpoint needs {self._declared_by}: the name of a Secret with {', '.join(self._keys)}")
        if _NAME.fullmatch(self._name) is None:
            raise unusable(f"{self._declared_by} is {self._name!r}, which is no name of a Secret")


def unusable(what: str) -> EngineError:
    """Return the error for a Secret that cannot be used."""
    return EngineError(EngineReason.SECRET_UNUSABLE, what)
