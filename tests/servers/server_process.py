"""A server that the tests start as a process: it ends with them, and can be frozen, killed and started again in between.

Used by `tests.servers.kubernetes`.
"""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from tests.servers.kernel import is_frozen

START_SECONDS = 60
# The shell leaves a watcher behind, in the process group of the server that it becomes: it kills the group when the pipe ends, which
# happens when this process ends, however it does. (PR_SET_PDEATHSIG would fire when the thread ends that started the server.)
TIED = 'exec 3<&0 </dev/null; { cat <&3; kill -9 0; } >/dev/null 2>&1 & exec "$@" 3<&-'


class ServerProcess:
    """A server by its command. `answers` says whether it is ready; `folder` is where it runs, and where its log is.

    Every method returns when what it says is so.
    """

    def __init__(self, command: Sequence[str | Path], *, folder: Path, answers: Callable[[], bool]) -> None:
        self.log = folder / f"{Path(command[0]).name}.log"
        self._command = command
        self._folder = folder
        self._answers = answers
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Its process number."""
        assert self._process, "the server does not run"
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it was started, and neither stopped nor has ended by itself."""
        return self._process is not None and self._process.poll() is None

    def launch(self) -> None:
        """Start it, and do not wait until it is ready."""
        assert self._process is None, "the server runs already"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["sh", "-c", TIED, "sh", *self._command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                cwd=self._folder,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Wait until it answers."""
        assert self._process
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"it has ended: {self.last_words()}"
            assert time.monotonic() < deadline, f"it does not become ready: {self.last_words()}"
            time.sleep(0.02)

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self.launch()
        self.wait_until_ready()

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> None:
        """End it; nothing happens if it does not run."""
        if self._process is None:
            return
        self._process.send_signal(signal_number)
        self._process.send_signal(signal.SIGCONT)  # a frozen one would not notice
        self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)  # the watcher
        assert self._process.stdin
        self._process.stdin.close()
        self._process = None

    def kill(self) -> None:
        """kill -9 it."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """End it, and start it again."""
        self.stop()
        self.start()

    def freeze(self) -> None:
        """Stop its clock: connections stay, and nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)
        while not is_frozen(self.pid):
            time.sleep(0.001)  # the kernel stops its threads one after another

    def thaw(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def last_words(self) -> str:
        """The end of its log."""
        return self.log.read_text(errors="replace")[-2000:]
