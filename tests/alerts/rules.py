"""The alert rules and the dashboard, as Prometheus and Grafana get them, and the metrics that they ask for."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.servers.kubernetes import ROOT

RULES = ROOT / "charts/tinyforge/rules/alerts.yaml"
DASHBOARD = ROOT / "charts/tinyforge/dashboards/tinyforge.json"

_METRIC = re.compile(r"\b(?:tinyforge|process|python)_[a-z0-9_]+")


@dataclass(frozen=True)
class Alert:
    name: str
    expr: str
    labels: dict[str, str]
    annotations: dict[str, str]


def alerts() -> list[Alert]:
    rules = [rule for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]]
    return [Alert(rule["alert"], rule["expr"], rule["labels"], rule["annotations"]) for rule in rules]


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[str]:
    """All that the rules and the dashboard ask Prometheus."""
    yield from (alert.expr for alert in alerts())
    yield from (target["expr"] for panel in panels() for target in panel["targets"])
    yield from (str(variable["query"]) for variable in json.loads(DASHBOARD.read_text())["templating"]["list"])


def metrics_asked_for() -> set[str]:
    return {name for expression in expressions() for name in _METRIC.findall(expression)}
