"""A page of the documentation, walked through by somebody who types what it says and compares what they see.

A page has blocks: `console`, what one types; `text`, what the last command before it shows; `yaml`, a file if its first line names one.
A comment about `the first terminal` is for the test alone: that is where a controller goes on, and all else is typed into another one. Each
other command that starts a controller opens one more terminal.
"""

import re
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r"^```(console|text|yaml)\n(.*?)^```$|^<!-- the ((?:first|second) terminal: .*?) -->$", re.MULTILINE | re.DOTALL)
CONTROLLER = "tinyforge controller"
LEADS, STANDS_BY = "leads with epoch", "stands by for the Lease"
SECONDS = 60
DIFFERENT_EVERY_TIME = {
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC": "TIME",
    r"[^\s/]+/\d+/[0-9a-f]{8}": "PROCESS",
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}": "UID",
    r"\b[0-9a-f]{8} \(": "SESSION (",
    r"\b\d+\.\d s of": "SECONDS of",
    r"\b(\d+m)?\d+s\b": "AGE",
    r"\b\d+\.\d+\.\d+\S*": "VERSION",
    r" +": " ",
}


@dataclass(frozen=True)
class Block:
    """What is between two fences, or what a comment says of a terminal."""

    kind: str
    text: str


def blocks(page: str, *, section: str = "") -> list[Block]:
    """The blocks of a page, or of one of its sections."""
    text = page.partition(f"\n## {section}\n")[2].partition("\n## ")[0] if section else page
    return [Block(kind or "terminal", content or comment) for kind, content, comment in BLOCK.findall(text)]


class Terminal:
    """Where a controller goes on; `says` is what it says there."""

    def __init__(self, command: str, says: Path) -> None:
        self.command = command
        self.says = says
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, shell: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
        """Start it, and return when it leads or stands by."""
        with self.says.open("wb") as screen:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *shell],
                stdin=subprocess.DEVNULL,
                stdout=screen,
                stderr=screen,
                cwd=folder,
                env=environment,
            )
        self.wait_for(LEADS, STANDS_BY)

    def wait_for(self, *words: str) -> None:
        """Wait until it has said one of these."""
        deadline = time.monotonic() + SECONDS
        while not any(each in self.says.read_text() for each in words):
            assert self._process is None or self._process.poll() is None, self.says.read_text()
            assert time.monotonic() < deadline, self.says.read_text()
            time.sleep(0.05)

    def interrupt(self) -> None:
        """Press Ctrl-C, and see it end."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        assert self._process.wait(SECONDS) == 128 + signal.SIGINT

    def close(self) -> None:
        """End it."""
        if self._process:
            self._process.kill()
            self._process.wait()


class Walk:
    """Some terminals in a folder. `names` are what the page writes for an example, and what it is here."""

    def __init__(self, folder: Path, environment: Mapping[str, str], names: Mapping[str, str]) -> None:
        self.seen = ""
        """What the last command printed."""
        self._folder = folder
        self._environment = environment
        self._names = names
        self._state = folder / "exported"
        self._state.touch()
        self._terminals: list[Terminal] = []

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
                    self._look_into(block.text)

    def close(self) -> None:
        """End what goes on."""
        for terminal in self._terminals:
            terminal.close()

    def _type(self, command: str) -> None:
        if command.endswith(CONTROLLER):
            self._terminals.append(Terminal(command, self._folder / f"terminal-{len(self._terminals) + 1}"))
            self._start(self._terminals[-1])
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

    def _look_into(self, comment: str) -> None:
        which, _, what = comment.partition(" terminal: ")
        terminal = self._terminals[("first", "second").index(which)]
        match what:
            case "again":
                self._start(terminal)
            case "leads":
                terminal.wait_for(LEADS)
            case _:
                terminal.interrupt()

    def _start(self, terminal: Terminal) -> None:
        terminal.start(self._shell(f"exec env {terminal.command}"), self._folder, self._environment)

    def _shell(self, script: str) -> list[str]:
        return ["bash", "-ec", f". {self._state}\n{script}"]

    def _last_words(self) -> str:
        return "\n".join(terminal.says.read_text() for terminal in self._terminals)

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
