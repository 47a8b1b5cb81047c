"""Where the embedded PostgreSQL keeps its things, and so where it is reached.

The socket lies in the data folder itself: that folder is 0700, PostgreSQL checks so at every start, and thus nobody but its
owner and root can connect, whatever becomes of the folders above. There is no second, shorter place for the sockets of data
folders with long paths, on purpose: what lies in /tmp is swept away by age under a running server, what lies in
$XDG_RUNTIME_DIR goes at logout, and a server without its socket is lost.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from tinyforge.standalone.postgres.errors import EmbeddedPostgresError

ROLE = DATABASE = "tinyforge"
PORT = 5432  # over a unix socket no more than a part of the socket's name
SOCKET = f".s.PGSQL.{PORT}"
SOCKET_PATH_BYTES = 107  # unix(7): sun_path holds 108 bytes, the last of them zero


def default_folder(environ: Mapping[str, str]) -> Path:
    """Return the folder for Tinyforge's data: /var/lib/tinyforge for root, else below $XDG_DATA_HOME or ~/.local/share.

    Args:
        environ: the environment; only `XDG_DATA_HOME` is looked at, and a relative one is ignored, as the XDG base directory
            specification asks.

    Raises:
        EmbeddedPostgresError: this user has no home folder.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/tinyforge")
    shared = environ.get("XDG_DATA_HOME", "")
    if os.path.isabs(shared):
        return Path(shared) / "tinyforge"
    try:
        return Path.home() / ".local" / "share" / "tinyforge"
    except RuntimeError as error:
        raise EmbeddedPostgresError("This user has no home folder to keep data in: name one by TINYFORGE_DATA.") from error


@dataclass(frozen=True, slots=True)
class Layout:
    """The paths of one embedded PostgreSQL: everything lies in `folder`, an absolute path without symbolic links."""

    folder: Path

    @property
    def data(self) -> Path:
        """The data folder of the server, its socket included."""
        return self.folder / "postgres"

    @property
    def unfinished(self) -> Path:
        """The data folder while initdb fills it; nobody needs what is left of it."""
        return self.folder / "postgres.new"

    @property
    def log(self) -> Path:
        """What the server writes about itself."""
        return self.folder / "postgres.log"

    @property
    def users(self) -> Path:
        """Locked, shared, by everybody who uses the server."""
        return self.folder / "postgres.users.lock"

    @property
    def alive(self) -> Path:
        """Locked by the processes of the server, as long as one of them lives, and by whoever starts it."""
        return self.folder / "postgres.alive.lock"

    @property
    def conninfo(self) -> str:
        """A libpq URI, good for psycopg and for psql; it holds no character that a shell takes for its own."""
        return f"postgresql://{ROLE}@{quote(os.fsencode(self.data), safe='')}:{PORT}/{DATABASE}"


def layout_in(folder: Path) -> Layout:
    """Return the layout of an embedded PostgreSQL in `folder`, which need not exist.

    Raises:
        EmbeddedPostgresError: the path is too long for a unix socket.
    """
    layout = Layout(folder.resolve())
    too_many = len(os.fsencode(layout.data / SOCKET)) - SOCKET_PATH_BYTES
    if too_many > 0:
        raise EmbeddedPostgresError(
            f"The path of the data folder {layout.folder} is {too_many} bytes too long for a unix socket: "
            "name a shorter one by TINYFORGE_DATA."
        )
    return layout
