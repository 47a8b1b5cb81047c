"""Writes the dashboards into a folder, as JSON that Grafana imports: `scripts/generate-dashboards` calls it."""

import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from scripts.dashboards import tinyforge

_BOARDS = {"tinyforge.json": tinyforge.board}


def write(folder: Path) -> None:
    """Write each dashboard into a file of its own; the folder is made if it is missing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, board in _BOARDS.items():
        (folder / name).write_text(json.dumps(board().build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
