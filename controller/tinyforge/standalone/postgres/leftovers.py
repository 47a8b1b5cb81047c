"""What a server that was killed leaves behind, and whether a process number in it still means that server.

PostgreSQL believes its own `postmaster.pid` while *any* process of the same user has the number in it, and refuses to start on
one that is empty: after a power loss either may be so for ever. Every process of PostgreSQL works in its data folder, which tells
a server from a namesake (by /proc; where there is none, the decision is left to PostgreSQL).
"""

import os
import re
from pathlib import Path

from tinyforge.standalone.postgres.layout import SOCKET

OWNER = re.compile(rb"-?([1-9][0-9]{0,6})\n")  # the first line of a lock file: at most 2**22, and negative for a single-user server


def postmaster(data: Path) -> int | None:
    """Return the process number of the server that works in `data`; None if there is none for sure."""
    return _owner(data / "postmaster.pid", data)


def remove_leftovers(data: Path) -> None:
    """Remove the lock files of a dead server. Call it only while the alive lock is held.

    A file whose process may be a server, say one that a person started by hand, stays: PostgreSQL then refuses to start and says why.
    """
    for name in ("postmaster.pid", f"{SOCKET}.lock"):
        if _owner(data / name, data) is None:
            (data / name).unlink(missing_ok=True)


def _owner(lock_file: Path, data: Path) -> int | None:
    try:
        owner = OWNER.match(lock_file.read_bytes())
    except FileNotFoundError:
        return None
    if owner is None:
        return None
    pid = int(owner[1])
    return pid if _may_work_in(data, pid) else None


def _may_work_in(data: Path, pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except (FileNotFoundError, ProcessLookupError):
        return not Path("/proc/self").exists()
    except PermissionError:
        # another user's process is no server of ours; but root itself may be kept from looking (a container without SYS_PTRACE)
        return os.geteuid() == 0
