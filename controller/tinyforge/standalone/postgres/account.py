"""Who the embedded PostgreSQL runs as, and running its programs as that account.

PostgreSQL refuses to run as root. For root it runs as the owner of its data, at the beginning as `postgres`, which the
PostgreSQL packages of most systems create, else as `nobody`. For anybody else it runs as they do.
"""

import os
import pwd
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from tinyforge.standalone.postgres.errors import EmbeddedPostgresError

SERVICE_ACCOUNTS = ("postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user and group by number; None is what this process runs as."""

    uid: int | None = None
    gid: int | None = None

    def run(
        self,
        arguments: Sequence[str | Path],
        *,
        text: str = "",
        output: int = subprocess.PIPE,
        pass_fds: Collection[int] = (),
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in a session of its own so that a Ctrl-C in the terminal does not reach it.

        Args:
            arguments: the program and its arguments.
            text: what it reads.
            output: the descriptor that takes what it prints, errors too; by default that is `stdout` of the result.
            pass_fds: descriptors that it inherits.
            timeout: seconds after which it is killed.

        Raises:
            OSError: it could not be run, for instance because this account may not.
            subprocess.TimeoutExpired: it took too long.
        """
        return subprocess.run(
            arguments,
            input=text,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
            timeout=timeout,
            pass_fds=pass_fds,
            start_new_session=True,
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            cwd="/",
            # nothing of ours: a PGPORT or PGOPTIONS of this shell would change what is meant here
            env={"PATH": os.defpath, "LC_ALL": "C"},
        )

    @property
    def name(self) -> str:
        """The account for people: its name and number."""
        uid = os.geteuid() if self.uid is None else self.uid
        try:
            return f"{pwd.getpwuid(uid).pw_name} (uid {uid})"
        except KeyError:
            return f"uid {uid}"


def server_account(data: Path) -> Account:
    """Return who runs the server whose data folder is, or will be, `data`.

    Raises:
        EmbeddedPostgresError: this is root and there is no account for the server.
    """
    if os.geteuid() != 0:
        return Account()
    if data.exists():
        return _owner(data)
    for name in SERVICE_ACCOUNTS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedPostgresError("PostgreSQL does not run as root, and there is neither a user `postgres` nor `nobody`: add one of them.")


def _owner(data: Path) -> Account:
    owner = data.stat()
    if owner.st_uid == 0:
        raise EmbeddedPostgresError(f"PostgreSQL does not run as root, and {data} is root's: give it back to its user by chown -R.")
    return Account(owner.st_uid, owner.st_gid)
