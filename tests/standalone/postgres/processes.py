"""Processes of the tests of the embedded PostgreSQL: others that use it (holder.py), and a look at its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg

CHECKOUT = Path(__file__).parents[3]
ROOT = os.geteuid() == 0
WAIT_SECONDS = 30


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something that nothing but looking can tell."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not true():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.005)


def server_processes(folder: Path) -> set[int]:
    """The numbers of all processes that work in the data folder."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if (entry / "cwd").samefile(folder / "postgres"):
                found.add(int(entry.name))
    return found


def postmaster_pid(folder: Path) -> int:
    """The process number that the server has written down."""
    return int((folder / "postgres" / "postmaster.pid").read_text().split()[0])


def ask(conninfo: str, question: str) -> list[tuple[object, ...]]:
    """Ask the database something, in a session of its own."""
    with psycopg.connect(conninfo, autocommit=True) as session:
        cursor = session.execute(question.encode())
        return cursor.fetchall() if cursor.description else []


def answers(conninfo: str) -> bool:
    """Whether the database answers; raises psycopg's error if it does not."""
    return ask(conninfo, "SELECT 1") == [(1,)]


@dataclass
class Holder:
    """Another process that uses the embedded PostgreSQL (see holder.py)."""

    process: subprocess.Popen[str]

    def joined(self) -> str:
        """Wait until it has joined; the connection string it printed."""
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def leave(self) -> tuple[int, str, str]:
        """Let it leave; its exit code, what else it printed, and its errors."""
        printed, errors = self.process.communicate(timeout=WAIT_SECONDS)
        return self.process.returncode, printed, errors

    def interrupt(self) -> None:
        """A Ctrl-C in its terminal: every process of its group gets it."""
        os.killpg(self.process.pid, signal.SIGINT)


@contextmanager
def holding(folder: Path, *options: str, before: tuple[str, ...] = ()) -> Iterator[Holder]:
    """Start another process that uses the server of `folder`; it is killed if it has not ended by itself."""
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "tests.standalone.postgres.holder", str(folder), *options],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
        start_new_session=True,
    )
    with process:
        try:
            yield Holder(process)
        finally:
            process.kill()


def end_of(folder: Path) -> None:
    """End what a test has left running, at once; only what does not obey is killed, for that leaves shared memory behind."""
    patience = time.monotonic() + 5
    while processes := server_processes(folder):
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGQUIT if time.monotonic() < patience else signal.SIGKILL)
        time.sleep(0.02)
