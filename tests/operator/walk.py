"""A page of the documentation, walked through by somebody who types what it says and compares what they see.

A page has blocks: `console`, what one types; `text`, what the last command before it shows; `yaml`, a file if its first line names one.
A comment about `the first terminal` is for the test alone: that is where a controller goes on, and all else is typed into a second one.
"""

import re
import signal
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(console|text|yaml)\n(.*?)^```$|^<!-- the first terminal: (.*?) -->$", re.MULTILINE | re.DOTALL)
CONTROLLER = "tinyforge controller"
SECONDS = 60
DIFFERENT_EVERY_TIME = {r"\b(\d+m)?\d+s\b": "AGE", r"\b\d+\.\d+\.\d+\S*": "VERSION", r" +": " "}


@dataclass(frozen=True)
class Block:
    """What is between two fences, or what a comment says of the first terminal."""

    kind: str
    text: str


def blocks(page: str, *, section: str = "") -> list[Block]:
    """The blocks of a page, or of one of its sections."""
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0] if section else page
    return [Block(kind or "terminal", content or comment) for kind, content, comment in BLOCK.findall(text)]


class Walk:
    """Two terminals in a folder. `names` are what the page writes for an example, and what it is here."""

    def __init__(self, folder: Path, environment: Mapping[str, str], names: Mapping[str, str]) -> None:
        self.seen = ""
        """What the last command printed."""
        self.controller_says = folder / "terminal-1"
        self._folder = folder
        self._environment = environment
        self._names = names
        self._state = folder / "exported"
        self._state.touch()
        self._controller: subprocess.Popen[bytes] | None = None
        self._started_by = ""

    def go(self, page: list[Block]) -> None:
        """Do what a page says, and see what it shows."""
        for block in page:
            match block.kind:
                case "console":
                    for line in block.text.splitlines():
                        self._type(self._here(line.removeprefix("$ ")))
                case "text":
                    self._compare(block.text)
                case "yaml":
                    self._write(self._here(block.text))
                case _:
                    self._first_terminal(block.text)

    def close(self) -> None:
        """End what goes on in the first terminal."""
        if self._controller:
            self._controller.kill()
            self._controller.wait()

    def _type(self, command: str) -> None:
        if command.endswith(CONTROLLER):
            self._started_by = command
            self._start()
        else:
            done = subprocess.run(
                self._shell(f"{command}\nexport -p >{self._state}"),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=self._folder,
                env=self._environment,
                text=True,
                timeout=SECONDS,
                check=False,
            )
            self.seen = done.stdout
            assert done.returncode == 0, f"{command}: {done.stdout}\n{self._last_words()}"

    def _compare(self, shown: str) -> None:
        seen = self._there(self.seen)
        assert shape(seen) == shape(shown), f"the page shows:\n{shown}\nbut what one sees is:\n{seen}"

    def _first_terminal(self, what: str) -> None:
        if what == "again":
            self._start()
            return
        assert self._controller
        self._controller.send_signal(signal.SIGINT)
        assert self._controller.wait(SECONDS) == 128 + signal.SIGINT

    def _start(self) -> None:
        with self.controller_says.open("wb") as screen:
            self._controller = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *self._shell(f"exec env {self._started_by}")],
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
                cwd=self._folder,
                env=self._environment,
            )
        deadline = time.monotonic() + SECONDS
        while "leads with epoch" not in self._last_words():
            assert self._controller.poll() is None, self._last_words()
            assert time.monotonic() < deadline, self._last_words()
            time.sleep(0.05)

    def _shell(self, script: str) -> list[str]:
        return ["bash", "-ec", f". {self._state}\n{script}"]

    def _last_words(self) -> str:
        return self.controller_says.read_text() if self.controller_says.exists() else ""

    def _write(self, text: str) -> None:
        first = text.partition("\n")[0]
        if first.startswith("# "):
            file = self._folder / first.removeprefix("# ")
            file.parent.mkdir(exist_ok=True)
            file.write_text(text)

    def _here(self, text: str) -> str:
        for example, real in self._names.items():
            text = text.replace(example, real)
        return text

    def _there(self, text: str) -> str:
        for example, real in self._names.items():
            text = text.replace(real, example)
        return text


def shape(text: str) -> list[str]:
    """Lines without what differs from one time to the next; a table's columns are as wide as what is in them."""
    for pattern, name in DIFFERENT_EVERY_TIME.items():
        text = re.sub(pattern, name, text)
    return [line.strip() for line in text.strip().splitlines()]
