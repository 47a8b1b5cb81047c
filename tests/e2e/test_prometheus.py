"""A real Prometheus beside a real `tinyforge run`: alerts fire, panels show something, and points lead to traces in a real Jaeger."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.alerts.rules import DASHBOARD, RULES, panels
from tests.e2e.conftest import Start
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.servers.docker_engine import DockerEngine
from tests.servers.jaeger import Jaeger, loopback_address
from tests.servers.prometheus import Prometheus

OF_A_CLUSTER = {"tinyforge_unwritten_statuses", "tinyforge_kopf_restarts_total"}
ROOTS = {"workload.dispatch": "tinyforge_dispatch_duration_seconds_bucket", "index.pass": "tinyforge_pass_duration_seconds_bucket"}
PICKED = {"$namespace": "ops", "$job": "tinyforge", "$host": ".*", "$__rate_interval": "1m"}
"""What Grafana puts in for the variables."""


@pytest.fixture
def prometheus(run: Start, manifests: Manifests, shop: DockerEngine, index: Index, jaeger: Jaeger, tmp_path: Path) -> Iterator[Prometheus]:
    """One that scrapes a leader which has a host and a workload, and sends its traces to Jaeger."""
    place, folder = f"{loopback_address()}:8080", tmp_path / "prometheus"
    folder.mkdir()
    prometheus = Prometheus(folder, address=loopback_address(), targets=[place], rules=RULES)
    prometheus.process.launch()  # it scrapes nothing in its first five seconds
    manifests.workload("shop", "stack", source={"kind": "external"}, trigger={"kind": "manual"})
    try:
        run(TINYFORGE_HTTP_ADDRESS=place, **jaeger.settings())
        until(lambda: index.sql("SELECT status #>> '{conditions,0,reason}' FROM tinyforge.workloads"), [("Running",)])
        prometheus.process.wait_until_ready()
        until(lambda: len(prometheus.query("tinyforge_host_state")), 1)
        until(prometheus.firing, {})  # before its first scrape nothing was scraped, which is an alarm
        yield prometheus
    finally:
        prometheus.process.kill()


def has_exemplars(prometheus: Prometheus, series: str) -> bool:
    return bool(prometheus.exemplars(series))


def asked(expression: str) -> str:
    for variable, value in PICKED.items():
        expression = expression.replace(variable, value)
    return expression


def test_alerts_fire_for_a_host_that_does_not_answer_and_a_dispatch_that_fails_and_end_with_that(
    prometheus: Prometheus, manifests: Manifests, tmp_path: Path
) -> None:
    manifests.host("away", f"unix://{tmp_path}/nobody.sock")
    manifests.workload("odd", "stack", source={"kind": "nobodys"}, trigger={"kind": "manual"})
    until(lambda: sorted(prometheus.firing()), ["TinyforgeDispatchFailing", "TinyforgeHostUnreachable"])
    alerts = prometheus.firing()
    assert alerts["TinyforgeHostUnreachable"]["annotations"]["summary"] == "Host away does not answer."
    assert alerts["TinyforgeHostUnreachable"]["labels"]["host"] == "away"
    assert alerts["TinyforgeDispatchFailing"]["annotations"]["summary"] == "The dispatch of 1 workloads fails."
    manifests.host("away", f"unix://{tmp_path}/nobody.sock", suspend=True)
    manifests.remove("odd.yaml")
    until(prometheus.firing, {})


def test_the_exemplars_of_dispatches_and_passes_are_traces_that_jaeger_has(prometheus: Prometheus, jaeger: Jaeger) -> None:
    for root, series in ROOTS.items():
        until(partial(has_exemplars, prometheus, series), True)
        trace_id = prometheus.exemplars(series)[0]["labels"]["trace_id"]
        assert root in {span.name for span in jaeger.trace(trace_id) if not span.parent}


def test_every_panel_shows_something_of_what_can_be_picked(prometheus: Prometheus, manifests: Manifests, tmp_path: Path) -> None:
    manifests.host("away", f"unix://{tmp_path}/nobody.sock")
    until(lambda: bool(prometheus.query("rate(tinyforge_pass_failures_total[1m])")), True)
    for panel in panels():
        for target in panel["targets"]:
            expression = asked(target["expr"])
            assert "$" not in expression, panel["title"]
            found = prometheus.query(expression)
            if not any(name in expression for name in OF_A_CLUSTER) and "> 0" not in expression:
                assert found, f"{panel['title']}: {expression}"
    state, *_ = prometheus.query("tinyforge_host_state")
    picked = [variable["name"] for variable in json.loads(DASHBOARD.read_text())["templating"]["list"] if variable["type"] == "query"]
    assert set(picked) <= state["metric"].keys()
