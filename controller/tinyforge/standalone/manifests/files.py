"""Which files of a folder are manifests, and their text.

Manifests are the files that end in `.yaml` or `.yml`, in the folder and in folders below it, in the order of their paths. What begins with
a dot is left out, as `..data` of a mounted ConfigMap, whose files are reached through their own links. Links are followed; a folder that is
reached twice, as in a loop of links, is read once.
"""

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from tinyforge.ports import TinyforgeError

MAX_BYTES = 4 * 1024 * 1024
MAX_FILES = 10_000

_SUFFIXES = (".yaml", ".yml")


class FolderUnreadable(TinyforgeError):
    """The folder itself cannot be read, or is none of manifests; the text names it and says why."""


class FileUnreadable(Exception):
    """A file that cannot be read; `line` is 0 where the whole of it is meant."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """The manifests of a folder in the order of their paths, and the folders below it that cannot be listed, with the reason."""

    files: tuple[str, ...]
    unreadable: tuple[tuple[str, str], ...]


def list_manifests(folder: Path) -> Listing:
    """Find every manifest of `folder`.

    Raises:
        FolderUnreadable: it is missing, no folder, not permitted, or holds too much to be one of manifests.
    """
    files: list[str] = []
    unreadable: list[tuple[str, str]] = []
    seen: set[tuple[int, int]] = set()
    top = str(folder)
    pending = [top]
    while pending:
        here = pending.pop()
        try:
            manifests, folders = _entries(here, seen)
        except OSError as error:
            if here is top:
                raise FolderUnreadable(
                    f"the folder of manifests {folder} cannot be read: {error.strerror}; name another with -f"
                ) from error
            unreadable.append((here, f"cannot be read: {error.strerror}"))
            continue
        files += manifests
        pending += sorted(folders, reverse=True)
        if max(len(files), len(seen)) > MAX_FILES:
            raise FolderUnreadable(f"{folder} holds more than {MAX_FILES:,} YAML files or folders; name the folder of manifests with -f")
    return Listing(files=tuple(sorted(files)), unreadable=tuple(sorted(unreadable)))


def read_text(file: str) -> str:
    """Return the text of `file`.

    Raises:
        FileUnreadable: there is none, it is too long, or it is not UTF-8.
    """
    try:
        content = _content(file)
    except OSError as error:
        raise FileUnreadable(f"cannot be read: {error.strerror}") from error
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileUnreadable("is not UTF-8; save it as UTF-8", content.count(b"\n", 0, error.start) + 1) from error


def _entries(folder: str, seen: set[tuple[int, int]]) -> tuple[list[str], list[str]]:
    """Return the manifests and the folders in `folder`, and add it to `seen`; nothing if it was there."""
    status = os.stat(folder)
    if (status.st_dev, status.st_ino) in seen:
        return [], []
    seen.add((status.st_dev, status.st_ino))
    with os.scandir(folder) as entries:
        shown = [entry for entry in entries if not entry.name.startswith(".")]
    folders = {entry.path for entry in shown if _is_folder(entry)}
    return [entry.path for entry in shown if entry.name.endswith(_SUFFIXES) and entry.path not in folders], list(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself: no folder, and reading it says so if it is called a manifest
        return False


def _content(file: str) -> bytes:
    """Read `file` once: not a pipe, which might never end, and not while somebody writes it."""
    descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as stream:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise FileUnreadable("is no regular file")
        content = stream.read(MAX_BYTES + 1)
        after = os.fstat(descriptor)
    if len(content) > MAX_BYTES:
        raise FileUnreadable(f"is longer than {MAX_BYTES // 1024 // 1024} MiB; split it")
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise FileUnreadable("changed while it was read")
    return content
