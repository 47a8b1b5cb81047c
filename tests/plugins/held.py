"""A source that is really installed and whose reconcile ends when a test says so: for what a process does meanwhile."""

import os

from tests.plugins.site import SOURCE, Site

HELD = "held until it is let go"
"""What it says in the log whenever it is asked while it is not let go."""

_HELD = f"""
        if not os.path.exists("{{gate}}"):
            logging.getLogger("theirs").warning("{HELD}")
        while not os.path.exists("{{gate}}"):
            await asyncio.sleep(0.01)
        return Changed(message="let go")
"""


class HeldSource:
    """The source `theirs`; `path` is what PYTHONPATH has to be."""

    def __init__(self, site: Site) -> None:
        self._gate = site.folder / "gate"
        first, _, rest = SOURCE.partition("\n        return Unchanged()\n")
        code = f"{first}{_HELD.format(gate=self._gate)}{rest}".replace("import Unchanged", "import Changed, Unchanged")
        site.source(f"import asyncio, logging, os\n{code}")
        self.path = os.pathsep.join(filter(None, (str(site.folder), os.environ.get("PYTHONPATH"))))

    def hold(self) -> None:
        """Hold the next one again."""
        self._gate.unlink()

    def let_go(self) -> None:
        """Let every reconcile end."""
        self._gate.touch()
