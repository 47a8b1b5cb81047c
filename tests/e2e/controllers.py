"""`tinyforge run` as somebody starts it: the installed program, in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

TINYFORGE = Path(sys.executable).with_name("tinyforge")
DEADLINE = 40.0
"""Seconds after which what has not happened will not: long enough for a machine that does much else."""
SOON = 4.0
"""Seconds that a process which ends within one may take on such a machine; every hang in these tests lasts longer."""


class Controller:
    """A process of `tinyforge run`, or of another verb that goes on, and what it says while it says it.

    `front` is a command that becomes the program. Kill it in the end, whether or not it has ended.
    """

    def __init__(self, *arguments: str | Path, environment: Mapping[str, str], verb: str = "run", front: Sequence[str] = ()) -> None:
        self.lines: list[dict[str, Any]] = []
        self._heard = threading.Condition()
        self._silent = False
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", *front, TINYFORGE, verb, *arguments],  # the tests may be killed too
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        self._listener = threading.Thread(target=self._listen, name=f"listener to {self._process.pid}")
        self._listener.start()

    @property
    def messages(self) -> list[str]:
        """What it has said so far, line by line, without times and levels."""
        return [str(line["message"]) for line in self.lines]

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._process.pid

    @property
    def runs(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def says(self, text: str, *, after: int = 0) -> str:
        """Wait until it says `text`, and return the message; `after` leaves out so many lines, for what it may have said before."""
        with self._heard:
            self._heard.wait_for(lambda: self._silent or any(text in message for message in self.messages[after:]), DEADLINE)
        found = [message for message in self.messages[after:] if text in message]
        assert found, f"{text!r} was not said:\n{self}"
        return found[0]

    def said(self, text: str) -> int:
        """How often it has said `text`."""
        return sum(text in message for message in self.messages)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._process.send_signal(number)

    def ends(self, *, within: float = DEADLINE) -> int:
        """Wait until it has ended, and return its exit code."""
        try:
            code = self._process.wait(timeout=within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it has not ended within {within} s:\n{self}") from None
        self._listener.join()
        return code

    def kill(self) -> None:
        """kill -9; idempotent."""
        if self._process.stdout and not self._process.stdout.closed:
            self._process.kill()
            self._process.wait()
            self._listener.join()
            self._process.stdout.close()

    def __repr__(self) -> str:
        return "\n".join(["--- it said:", *self.messages, "---"])

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            with self._heard:
                self.lines.append(_understood(line))
                self._heard.notify_all()
        with self._heard:
            self._silent = True
            self._heard.notify_all()


def environment_of_a_user(**settings: str | None) -> dict[str, str]:
    """The environment of somebody who has set nothing but this."""
    ours = ("TINYFORGE_", "DOCKER_", "PG", "MAKE", "MFLAGS")  # `make test` runs the tests, and a make below a make talks more
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return inherited | {name: value for name, value in settings.items() if value is not None}


def tinyforge(*arguments: str | Path, environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """Run the program to its end."""
    return subprocess.run(
        [TINYFORGE, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        env=environment,
        timeout=DEADLINE,
        check=False,
    )


def _understood(line: str) -> dict[str, Any]:
    try:
        understood = json.loads(line)
    except ValueError:
        return {"message": line.rstrip("\n")}
    return understood if isinstance(understood, dict) and "message" in understood else {"message": line.rstrip("\n")}
