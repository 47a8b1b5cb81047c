"""Processes and control groups as the kernel shows them, for servers that tests freeze and must not leave behind."""

import os
from pathlib import Path


def is_frozen(pid: int) -> bool:
    """Whether every thread of a process is stopped."""
    try:
        return all("\nState:\tT" in status.read_text() for status in Path(f"/proc/{pid}/task").glob("*/status"))
    except OSError:  # a thread has ended meanwhile
        return False


def processes_of(folder: Path) -> list[str]:
    """The command lines of all processes that name a folder."""
    lines = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = file.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if str(folder) in line:
            lines.append(line)
    return lines


def thaw_cgroups(name: str) -> None:
    """Let paused containers go on: with version 1 of cgroups not even kill -9 ends one."""
    for state in Path("/sys/fs/cgroup/freezer").glob(f"{name}/**/freezer.state"):
        state.write_text("THAWED")


def remove_cgroups(name: str) -> None:
    """Remove the empty control groups that killed containers left, whichever version of cgroups this machine has."""
    root = Path("/sys/fs/cgroup")
    for top in (root / name, *(hierarchy / name for hierarchy in root.iterdir())):
        for folder, _, _ in os.walk(top, topdown=False):
            Path(folder).rmdir()
