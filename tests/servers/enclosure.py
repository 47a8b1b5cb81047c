"""Namespaces for servers that tests start, so that no server can outlive its test or reach what is not its own.

Used by `tests.servers.docker_engine`, and by the tests of the scripts that set a machine up. Needs root and Debian's util-linux.
"""

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Self

HOLD = "echo ready; cat >/dev/null; exit"  # not the last command of the shell, which stays and so buries orphans, as a process 1 must


class Enclosure:
    """A network, a process and a mount namespace of its own, that last until `close`, or until this process ends, however it does.

    Whatever runs in it ends with it, and its mounts and its network with that: the kernel sees to it. Process numbers in it are others than
    outside. `prepare` is a piece of shell that runs in it first, for mounts.
    """

    def __init__(self, prepare: str = ":") -> None:
        namespaces = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
        self._holder = subprocess.Popen(
            ["unshare", *namespaces, "sh", "-c", f"{{ {prepare}; }} && {{ {HOLD}; }}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._holder.stdout
        if self._holder.stdout.readline() != "ready\n":
            _, complaint = self._holder.communicate()
            raise RuntimeError(f"no namespaces for a server of the tests (this takes root: sudo make test): {complaint.strip()}")
        self._first = child_of(self._holder.pid)

    def start(
        self,
        command: Sequence[str | Path],
        *,
        output: IO[bytes] | int,
        environment: Mapping[str, str] | None = None,
        keep: Sequence[int] = (),
    ) -> subprocess.Popen[bytes]:
        """Start a command inside; `keep` are file descriptors it inherits.

        The process returned waits for the command and ends as it does; the command's own number is `pid_of` it.
        """
        enter = ["nsenter", "--target", str(self._first), "--net", "--mount", "--pid"]
        shell = ["sh", "-c", '"$@"; exit', "sh"]  # between the two, for nsenter freezes with its child, and would not bury it
        return subprocess.Popen(
            [*enter, *shell, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=environment,
            pass_fds=keep,
        )

    def run(self, command: Sequence[str | Path], *, environment: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Run a command inside, and return its exit code and what it printed."""
        process = self.start(command, output=subprocess.PIPE, environment=environment)
        printed, _ = process.communicate()
        return process.returncode, printed.decode()

    def close(self) -> None:
        """End everything inside, and return when it is gone; idempotent."""
        if self._holder.returncode is None:
            self._holder.communicate()  # closes its standard input, which ends process 1 in there and so all others

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pid_of(process: subprocess.Popen[bytes]) -> int:
    """The process number, outside, of a command that `Enclosure.start` started."""
    return child_of(child_of(process.pid))


def child_of(pid: int) -> int:
    """The one child of a process."""
    (child,) = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
