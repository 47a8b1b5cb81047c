"""The pages about alerts and metrics, and the commands on them."""

import re
import shlex

from tests.servers.kubernetes import ROOT

ALERTS = (ROOT / "docs/alerts.md").read_text()
METRICS = (ROOT / "docs/metrics.md").read_text()


def commands(page: str) -> list[list[str]]:
    """The commands of a page, word by word."""
    lines = [line for block in re.findall(r"```console\n(.*?)```", page, re.DOTALL) for line in block.splitlines()]
    assert all(line.startswith("$ ") for line in lines)
    return [shlex.split(line[2:]) for line in lines]
