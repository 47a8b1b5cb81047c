"""One running `ssh -N -L`: a socket of ours whose far end is the engine's socket on another machine.

`SshTransport` opens and watches it. The host key is pinned: only the Secret's `known_hosts` counts and nobody is ever asked. No
configuration file, no agent and no variable of the environment has a say.
"""

import asyncio
import os
import re
import shutil
import socket
from contextlib import AsyncExitStack
from math import ceil
from pathlib import Path

from tinyforge.domain.endpoints import Endpoint
from tinyforge.domain.texts import printable
from tinyforge.engine.credentials import Credentials, unusable
from tinyforge.engine.known_hosts import holds_host_keys
from tinyforge.engine.private_files import private_folder
from tinyforge.ports import EngineError, EngineReason

_POLL = 0.02  # seconds between two looks for the near end: ssh does not say when it is up
_WORDS = 2048  # bytes kept of what ssh says
_CHANNEL = re.compile(r"^channel \d+: ", re.MULTILINE)  # which of the connections it speaks of

_OPTIONS = {
    "BatchMode": "yes",
    "ExitOnForwardFailure": "yes",
    "GlobalKnownHostsFile": "/dev/null",
    "IdentitiesOnly": "yes",
    "IdentityAgent": "none",
    "IdentityFile": "key",
    "PreferredAuthentications": "publickey",
    "ServerAliveCountMax": "2",
    "ServerAliveInterval": "5",  # seconds; a link that went dead ends the tunnel after 15
    "StrictHostKeyChecking": "yes",
    "UpdateHostKeys": "no",
    "UserKnownHostsFile": "known_hosts",
}


class Tunnel:
    """A running ssh, and the folder it runs in, which only this user may enter."""

    def __init__(self, folder: Path, process: asyncio.SubprocessTransport, listener: "_Listener") -> None:
        self._folder = folder
        self._process = process
        self._listener = listener
        self._killed = False

    @property
    def socket(self) -> Path:
        """The near end."""
        return self._folder / "docker.sock"

    @property
    def ended(self) -> bool:
        """Whether ssh has ended, or is about to."""
        return self._killed or self._process.get_returncode() is not None

    @property
    def last_words(self) -> str:
        """What ssh said last, fit for a message; empty if it said nothing."""
        lines = _CHANNEL.sub("", self._listener.words.decode(errors="replace")).splitlines()
        return printable(" ".join(dict.fromkeys(lines[-2:])))

    async def until_up(self) -> bool:
        """Wait until the near end takes connections; false if ssh ended before."""
        while not self._listens():
            if self.ended:
                await self._listener.ended.wait()
                return False
            await asyncio.sleep(_POLL)
        return True

    def _listens(self) -> bool:
        """Try it: for a moment the socket is there already and refuses connections."""
        with socket.socket(socket.AF_UNIX) as attempt:
            attempt.setblocking(False)
            return attempt.connect_ex(str(self.socket)) == 0

    def kill(self) -> None:
        """End ssh, even if it is frozen; idempotent."""
        if not self.ended:
            self._killed = True
            self._process.kill()

    async def close(self) -> None:
        """End ssh, wait until it is gone, and remove its folder; idempotent."""
        self.kill()
        await self._listener.ended.wait()
        self._process.close()
        shutil.rmtree(self._folder, ignore_errors=True)


async def open_tunnel(endpoint: Endpoint, credentials: Credentials, *, connect_timeout: float) -> Tunnel:
    """Start ssh and wait until the tunnel stands.

    Raises:
        EngineError: it ended, or was not up within `connect_timeout` seconds; ssh's own words say why.
    """
    async with AsyncExitStack() as undo:
        try:
            folder = private_folder()
            undo.callback(shutil.rmtree, folder, ignore_errors=True)
            _write(folder / "key", credentials.content["ssh-privatekey"])
            _write(folder / "known_hosts", credentials.content["known_hosts"])
            tunnel = await _start(folder, _command(endpoint, connect_timeout))
        except OSError as error:
            raise EngineError(EngineReason.SSH_FAILED, f"ssh cannot be started: {printable(str(error))}") from error
        undo.push_async_callback(tunnel.close)
        try:
            async with asyncio.timeout(connect_timeout):
                up = await tunnel.until_up()
        except TimeoutError as error:
            raise EngineError(EngineReason.TIMEOUT, f"ssh had no tunnel within {connect_timeout:g} s: {tunnel.last_words}") from error
        if not up:
            raise _failure(tunnel.last_words, credentials)
        (folder / "key").unlink(missing_ok=True)  # ssh has read it, and nobody would remove it after a kill -9
        undo.pop_all()
        return tunnel


class _Listener(asyncio.SubprocessProtocol):
    """Keeps what ssh said last, and waits for its end."""

    def __init__(self) -> None:
        self.words = b""
        self.ended = asyncio.Event()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        self.words = (self.words + data)[-_WORDS:]

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set()


async def _start(folder: Path, command: list[str]) -> Tunnel:
    process, listener = await asyncio.get_running_loop().subprocess_exec(
        _Listener,
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env={"PATH": os.environ.get("PATH", os.defpath)},
    )
    return Tunnel(folder, process, listener)


def _command(endpoint: Endpoint, connect_timeout: float) -> list[str]:
    """Return the command line. Its paths are relative to the folder ssh runs in, so none has anything in it that ssh would expand."""
    leash = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []  # so that ssh does not outlive a kill -9 of ours
    options = [f"-o{name}={value}" for name, value in (_OPTIONS | {"ConnectTimeout": str(ceil(connect_timeout))}).items()]
    way = ["-L", f"./docker.sock:{endpoint.path}", "-p", str(endpoint.port), "-l", endpoint.user, "--", endpoint.host]
    return [*leash, "ssh", "-F", "none", "-N", "-T", *options, *way]


def _write(path: Path, content: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.rstrip() + b"\n")  # OpenSSH reads no key without the last line's end, which gets lost in many a Secret


def _failure(last_words: str, credentials: Credentials) -> EngineError:
    key, known_hosts = credentials.names["ssh-privatekey"], credentials.names["known_hosts"]
    if "Load key" in last_words:
        return unusable(f"{key} is no private key that ssh can use without a passphrase")
    hint = ""
    if "Permission denied" in last_words:
        hint = f"; is {key} a key of this user's, without a passphrase?"
    if "Host key verification failed" in last_words:
        if not holds_host_keys(credentials.content["known_hosts"]):
            return unusable(f"{known_hosts} holds no host keys: put in lines as ssh-keyscan prints them, once you know that they are right")
        hint = f"; {known_hosts} has to hold the machine's own key"
    return EngineError(EngineReason.SSH_FAILED, f"no tunnel: {last_words or 'ssh ended without a word'}{hint}")
