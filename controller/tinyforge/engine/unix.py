"""The way to the engine of this machine: its unix socket."""

import errno
from pathlib import Path

import aiohttp

from tinyforge.domain.texts import printable
from tinyforge.engine.faults import engine_error
from tinyforge.engine.transport import open_session
from tinyforge.ports import EngineError, EngineReason


class UnixTransport:
    """A `Transport` over the socket at `path`."""

    generation = 0

    def __init__(self, path: str, *, connect_timeout: float) -> None:
        self._path = path
        self._connect_timeout = connect_timeout
        self._session: aiohttp.ClientSession | None = None

    async def session(self) -> aiohttp.ClientSession:
        """Return the one session."""
        if self._session is None:
            self._session = open_session(
                aiohttp.UnixConnector(self._path, limit=0), base_url="http://docker", connect_timeout=self._connect_timeout
            )
        return self._session

    def distrust(self) -> None:
        """Do nothing: a connection that failed is closed already."""

    def failure(self, error: Exception) -> EngineError:
        """Say what is wrong with the socket, and what mends it."""
        if not isinstance(error, aiohttp.ClientOSError):
            return engine_error(error)
        why = EngineReason.PERMISSION_DENIED if error.errno in (errno.EACCES, errno.EPERM) else EngineReason.CONNECT_FAILED
        return EngineError(why, f"{self._path}: {self._way_out(error.errno) or printable(error.strerror or str(error))}")

    def _way_out(self, code: int | None) -> str:
        match code:
            case errno.ENOENT:
                return "there is no such socket; is the Docker Engine running, and is this its path?"
            case errno.ECONNREFUSED:
                return "nobody listens on this socket; is the Docker Engine running?"
            case errno.ENOTCONN:
                return f"the queue of connections stayed full for {self._connect_timeout:g} s; does the Docker Engine still answer?"
            case errno.EACCES | errno.EPERM:
                return f"permission denied; {_admission(Path(self._path))}"
            case _:
                return ""

    async def close(self) -> None:
        """End all connections; idempotent."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _admission(socket: Path) -> str:
    """Say who may use a socket."""
    try:
        group = repr(socket.group())
    except KeyError:
        group = f"number {socket.stat().st_gid}"
    except OSError:
        return "this user may not even enter its folder"
    return f"its group is {group}: add this user to it and log in again, or run as another user"
