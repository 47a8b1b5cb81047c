"""What metrics are told of passes, and what they show, by its name without the prefix."""

from typing import Any

from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.http.metrics import Metrics
from tinyforge.ports import EngineReason

NOW = 1_700_000_000.0


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"tinyforge_{name}", labels)


def series(metrics: Metrics) -> set[tuple[str, ...]]:
    """What is shown of Tinyforge itself; of the process and of Python there is always the same."""
    families = (family for family in metrics.registry.collect() if family.name.startswith("tinyforge_"))
    return {(it.name, *it.labels.values()) for family in families for it in family.samples}


def labels(metrics: Metrics, name: str) -> set[str]:
    return {it.labels[name] for family in metrics.registry.collect() for it in family.samples if name in it.labels}


def report(outcome: PassOutcome = PassOutcome.CHANGED, **facts: Any) -> PassReport:
    return PassReport(**{"host": "shop", "outcome": outcome, **facts})


COMPLETE = report(listed=7, matched=5, ignored=2, written=3, missing=1, duration_seconds=0.25)
FAILED = report(PassOutcome.FAILED, reason=EngineReason.TIMEOUT)
