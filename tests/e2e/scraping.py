"""What a running program shows on `/metrics`, in OpenMetrics."""

import urllib.request
from collections.abc import Mapping
from typing import Any

from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from tests.e2e.controllers import Controller

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def place_of(controller: Controller) -> str:
    """The address of its HTTP port."""
    return controller.says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]


def scrape(place: str) -> Mapping[str, Metric]:
    """The families of metrics at an address, by name; a counter's is without `_total`."""
    request = urllib.request.Request(f"http://{place}/metrics", headers={"Accept": OPENMETRICS})
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - an address of our own
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        return {family.name: family for family in text_string_to_metric_families(answer.read().decode())}


def samples(families: Mapping[str, Metric]) -> list[Sample]:
    """All that was shown."""
    return [sample for family in families.values() for sample in family.samples]


def value(families: Mapping[str, Metric], name: str, **labels: Any) -> float | None:
    """What one series was; None if it was not shown."""
    found = [sample.value for sample in samples(families) if sample.name == name and sample.labels == labels]
    return found[0] if found else None
