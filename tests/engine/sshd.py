"""A real sshd on a port of its own, with its own host key and configuration, that lets this very user in with one key."""

import os
import shutil
import signal
import socket
import subprocess
import time
from getpass import getuser
from pathlib import Path

from tests.servers.docker_engine import DockerEngine


class Sshd:
    """The server; it runs from the start. `folder` must be empty."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host_key = new_key(folder / "host")
        self.user_key = new_key(folder / "user")
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        program = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
        assert program, "sshd is missing: install openssh-server"
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)  # it refuses to run as root without
        settings = {
            "ListenAddress": f"127.0.0.1:{self.port}",
            "HostKey": self.host_key,
            "AuthorizedKeysFile": f"{self.user_key}.pub",
            "PidFile": folder / "pid",
            "PasswordAuthentication": "no",
            "StrictModes": "no",
            "UsePAM": "no",
        }
        (folder / "config").write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        with (folder / "log").open("wb") as log:
            self._process = subprocess.Popen([program, "-D", "-e", "-f", str(folder / "config")], stderr=log)
        self._wait_until_it_listens()

    def endpoint(self, docker: DockerEngine) -> str:
        return f"ssh://{getuser()}@127.0.0.1:{self.port}{docker.socket}"

    def write_secret(self, folder: Path, *, key: Path | None = None, host_key: Path | None = None, host: str = "127.0.0.1") -> None:
        """Write a Secret for this server, or one that is wrong in a way of the caller's choice."""
        folder.mkdir(exist_ok=True)
        (folder / "ssh-privatekey").write_bytes((key or self.user_key).read_bytes())
        (folder / "known_hosts").write_text(f"[{host}]:{self.port} {(host_key or self.host_key).with_suffix('.pub').read_text()}")

    def pause(self) -> None:
        """Freeze it: it listens and never answers."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._process.send_signal(signal.SIGCONT)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()

    def _wait_until_it_listens(self) -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            assert self._process.poll() is None, (self.folder / "log").read_text()
            with socket.socket() as client:
                if client.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.02)
        raise AssertionError((self.folder / "log").read_text())


def new_key(path: Path, passphrase: str = "") -> Path:
    """Make a key pair at `path` and `path`.pub."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", passphrase, "-f", str(path)], check=True)
    return path
