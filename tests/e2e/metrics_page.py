"""docs/metrics.md as a list: which metrics it says there are, of which type, with which labels, and who shows them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from prometheus_client import Metric

from tests.servers.kubernetes import ROOT

_LINE = re.compile(r"^\| `(tinyforge_[a-z_]+)` \| (\w+) \|([^|]*)\| ([^|]*) \|", re.MULTILINE)
_OF_OPENMETRICS = frozenset({"le"})


@dataclass(frozen=True)
class Told:
    """A metric as it is told of, and as it is shown."""

    type: str
    labels: frozenset[str]


def told(*, driver: str, traced: bool) -> dict[str, Told]:
    """What the page says that a leader of this driver shows."""
    return {
        name: Told(kind, frozenset(re.findall(r"`(\w+)`", labels)))
        for name, kind, labels, by in _LINE.findall((ROOT / "docs/metrics.md").read_text())
        if by.startswith(("both", driver)) and (traced or "if traced" not in by)
    }


def shown(families: Mapping[str, Metric]) -> dict[str, Told]:
    """What was shown of Tinyforge itself."""
    return {
        name + "_total" * (family.type == "counter"): Told(
            family.type, frozenset(label for sample in family.samples for label in sample.labels) - _OF_OPENMETRICS
        )
        for name, family in families.items()
        if name.startswith("tinyforge_")
    }
