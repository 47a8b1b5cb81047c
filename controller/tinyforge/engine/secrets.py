"""Secrets without a cluster: a folder for each Secret in it, a file for each key, as a cluster mounts them into a pod.

The standalone driver and the command line hand it to `open_engine`; the operator has `tinyforge.operator.secrets`.
"""

from collections.abc import Collection, Mapping
from pathlib import Path

from tinyforge.engine.credentials import unusable


class FolderSecrets:
    """The Secrets below `root`, None if the settings name no folder; implements `tinyforge.ports.Secrets`."""

    def __init__(self, root: Path | None) -> None:
        self._root = root

    async def read(self, name: str, keys: Collection[str]) -> Mapping[str, bytes]:
        """Read a Secret's files, which takes microseconds.

        Raises:
            EngineError: no folder is set, or a file is missing or cannot be read.
        """
        folder = self._folder(name)
        if not folder.is_dir():
            raise unusable(f"there is no Secret {name!r}: make the folder {folder} with the files {', '.join(keys)}")
        return {key: _content(folder / key) for key in keys}

    def describe(self, name: str, key: str) -> str:
        """Return the path of a file."""
        return f"the file {self._folder(name) / key}"

    def _folder(self, name: str) -> Path:
        if self._root is None:
            raise unusable(f"no folder holds Secrets, and this host needs the Secret {name!r}: set TINYFORGE_SECRETS")
        return self._root / name


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise unusable(f"the Secret's file {path} cannot be read: {error.strerror}") from error
