"""A folder of installed packages, put in front of this environment's own, and what tests put into it.

A distribution is written as an installer leaves it, since the broken ones could not be built. Every module has a name of its own, so that
no test sees another's.
"""

import itertools
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = """
from pydantic import BaseModel
from tinyforge.plugin import Unchanged

class Config(BaseModel, extra="forbid"):
    at: str = ""

class Plugin:
    api = 1
    config = Config

    async def reconcile(self, seen):
        return Unchanged()

    async def deploy(self, seen, intent):
        return Unchanged()

    async def teardown(self, seen):
        return Unchanged()
"""
TRIGGER = """
from pydantic import BaseModel

class Config(BaseModel, extra="forbid"):
    pass

class Plugin:
    api = 1
    config = Config

    async def check(self, seen):
        return None

    async def receive(self, seen, event):
        return None
"""

_numbers = itertools.count()


class Site:
    """The folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def module(self, code: str) -> str:
        """Write a module, and return its name."""
        name = f"plugin_of_tests_{next(_numbers)}"
        (self.folder / f"{name}.py").write_text(code)
        return name

    def distribution(self, entry_points: str | bytes, *, name: str = "their-plugins", version: str = "2.1") -> None:
        """Write what an installer leaves of a distribution, with any text as its entry_points.txt."""
        info = self.folder / f"{name.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_bytes(entry_points if isinstance(entry_points, bytes) else entry_points.encode())

    def source(self, code: str = SOURCE, *, kind: str = "theirs", name: str = "their-plugins", version: str = "2.1") -> None:
        """Write a distribution that offers one source, the name Plugin of a module of this code."""
        self.distribution(f"[tinyforge.sources]\n{kind} = {self.module(code)}:Plugin\n", name=name, version=version)

    def trigger(self, code: str = TRIGGER, *, kind: str = "theirs", name: str = "their-triggers") -> None:
        """Write a distribution that offers one trigger, the name Plugin of a module of this code."""
        self.distribution(f"[tinyforge.triggers]\n{kind} = {self.module(code)}:Plugin\n", name=name)


@contextmanager
def site_packages(folder: Path) -> Iterator[Site]:
    """The folder, in front of this environment's own, for the length of a block; what was imported from it is forgotten."""
    folder.mkdir(exist_ok=True)
    sys.path.insert(0, str(folder))
    try:
        yield Site(folder)
    finally:
        sys.path.remove(str(folder))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", "") or "").startswith(f"{folder}/"):
                del sys.modules[name]
