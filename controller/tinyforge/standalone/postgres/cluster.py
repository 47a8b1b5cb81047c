"""The data folder of the embedded PostgreSQL: created once, whole or not at all."""

import errno
import os
import shutil
from pathlib import Path

from tinyforge.standalone.postgres.account import Account
from tinyforge.standalone.postgres.binaries import MAJOR
from tinyforge.standalone.postgres.errors import EmbeddedPostgresError
from tinyforge.standalone.postgres.layout import ROLE, Layout

# Written into postgresql.conf, so that they also hold when a person starts the server by hand, and so that a person may change them.
SETTINGS = {
    "listen_addresses": "",  # no TCP
    "unix_socket_directories": ".",  # the data folder, also after it was moved
    "unix_socket_permissions": "0700",
    "shared_buffers": "32MB",  # the index of 100,000 containers is smaller
    "max_connections": "50",
    "max_wal_size": "256MB",  # bounds the disk it takes and the recovery after a crash
    "io_method": "sync",  # three processes fewer
    "log_checkpoints": "off",  # or an idle log grows for ever
}
# trust, and not peer: the folder of the socket is 0700, and peer would refuse an account without a name, as containers often have.
OPTIONS = (
    f"--username={ROLE}",
    "--auth-local=trust",
    "--auth-host=reject",
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",  # sorts the same on every system
    "--builtin-locale=C.UTF-8",
    "--data-checksums",
    "--no-instructions",
)


def cluster_is_missing(data: Path) -> bool:
    """Tell whether there are no data yet; False means data of our major version.

    Raises:
        EmbeddedPostgresError: there is something else.
        OSError: the file system refused.
    """
    try:
        found = (data / "PG_VERSION").read_text(encoding="ascii", errors="replace").strip()
    except FileNotFoundError:
        if data.exists() and any(data.iterdir()):
            raise EmbeddedPostgresError(f"{data} holds something, but no PostgreSQL data (there is no PG_VERSION): move it away.") from None
        return True
    if found != MAJOR:
        raise EmbeddedPostgresError(
            f"The data in {data} are of PostgreSQL {found}, this Tinyforge brings {MAJOR}: "
            f"dump them with PostgreSQL {found} (pg_dumpall), or move that folder away and the index is built anew."
        )
    return False


def create_cluster(layout: Layout, *, programs: Path, account: Account, alive: int) -> None:
    """Create the data folder `layout.data`.

    It gets its name when it is complete and on disk, so a kill -9 or a power loss on the way leaves nothing that looks like data.

    Args:
        layout: where.
        programs: the folder of initdb.
        account: whose data they are.
        alive: the descriptor of the held alive lock; initdb inherits it, so that one that outlives us is waited for.

    Raises:
        EmbeddedPostgresError: initdb failed.
        OSError: the file system refused.
    """
    new = layout.unfinished
    if new.exists():
        shutil.rmtree(new)
    new.mkdir(mode=0o700)
    if account.uid is not None and account.gid is not None:
        os.chown(new, account.uid, account.gid, follow_symlinks=False)
    settings = [f"--set={name}={value}" for name, value in SETTINGS.items()]
    done = account.run([programs / "initdb", f"--pgdata={new}", *OPTIONS, *settings], pass_fds=[alive])
    if done.returncode:
        shutil.rmtree(new, ignore_errors=True)
        raise EmbeddedPostgresError(_blame(layout, account), output=done.stdout)
    new.rename(layout.data)
    _sync(layout.folder)


def _blame(layout: Layout, account: Account) -> str:
    if account.uid is not None and account.run(["test", "-x", layout.folder]).returncode:
        return (
            f"{account.name}, who runs PostgreSQL for root, cannot pass through {layout.folder} or a folder above it: "
            "name another one by TINYFORGE_DATA."
        )
    return f"The data folder {layout.data} could not be created."


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)  # the new name, before anything is written under it
    except OSError as error:
        if error.errno != errno.EINVAL:  # a file system that cannot sync a folder
            raise
    finally:
        os.close(descriptor)
