"""A collector of traces that is away, silent, slow or late: passes and dispatches go on as if there were none (fault 49)."""

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from tests.e2e.conftest import Start
from tests.e2e.controllers import Controller
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests
from tests.e2e.test_http import ask
from tests.e2e.traces import PASS, Traces, roots
from tests.servers.docker_engine import DockerEngine
from tests.servers.jaeger import Jaeger
from tests.servers.tardy_collector import tardy_collector

EXTERNAL: dict[str, Any] = {"source": {"kind": "external"}, "trigger": {"kind": "manual"}}
PORT = {"TINYFORGE_HTTP_ADDRESS": "127.0.0.1:0"}
WEB = "default/shop:web"
READY = "SELECT status #>> '{conditions,0,status}', status #>> '{conditions,0,reason}' FROM tinyforge.workloads"
HOLDER = "SELECT holder FROM tinyforge.leaders"
EXIT_SECONDS = 5.0
"""From SIGTERM to the end, with a collector that is gone (issue: "SIGTERM to exit < 5 s")."""
SLOW_SECONDS = 2.0
ONE_BY_ONE = {"OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}
"""Spans that are sent each by itself: whoever sends all that wait, and gives each its 2 s, takes much longer than that."""
EXPORTED, DROPPED = "tinyforge_trace_spans_exported_total", "tinyforge_trace_spans_dropped_total"
FAILURES, QUEUE = "tinyforge_trace_export_failures_total", "tinyforge_trace_queue_size"

Settings = Mapping[str, str]
Collector = Callable[[str], Settings]


@pytest.fixture
def collector(own_jaeger: Jaeger) -> Iterator[Collector]:
    """A collector with a fault, by its name; returns the variables with which traces are sent there."""
    with tardy_collector(SLOW_SECONDS) as tardy:

        def collector(fault: str) -> Settings:
            if fault == "slow":
                return own_jaeger.settings() | {"OTEL_EXPORTER_OTLP_ENDPOINT": tardy.url}
            if fault == "silent":
                own_jaeger.process.start()
                own_jaeger.process.freeze()
            return own_jaeger.settings() | ONE_BY_ONE

        yield collector


def metric(controller: Controller, name: str) -> float:
    """One of its metrics without labels."""
    place = controller.says("/healthz, /readyz and /metrics are on").rpartition(" ")[2]
    (line,) = [line for line in ask(f"http://{place}/metrics")[1].splitlines() if line.startswith(f"{name} ")]
    return float(line.rpartition(" ")[2])


def grows(controller: Controller, name: str) -> None:
    """Wait until a counter is larger than it is now."""
    before = metric(controller, name)
    until(lambda: metric(controller, name) > before, True)


@pytest.fixture
def declared(manifests: Manifests, shop: DockerEngine) -> DockerEngine:
    """The engine of the stack default/shop, which somebody else runs."""
    manifests.workload("shop", "stack", **EXTERNAL)
    return shop


@pytest.mark.parametrize("fault", ["refused", "silent", "slow"])
def test_fault_49_whatever_the_collector_does_the_index_and_every_status_are_true_and_the_end_is_quick(
    fault: str, collector: Collector, declared: DockerEngine, run: Start, index: Index
) -> None:
    controller = run(**collector(fault), **PORT)
    for _ in range(2):
        index.becomes({WEB: "running"})
        until(lambda: index.sql(READY), [("True", "Running")])
        declared.client.kill("web")
        index.becomes({WEB: "stopped"})
        until(lambda: index.sql(READY), [("False", "NotRunning")])
        declared.client.start("web")
    index.passes()
    controller.signal(signal.SIGTERM)
    assert controller.ends(within=EXIT_SECONDS) == 0
    assert index.sql(HOLDER) == [("",)]


@pytest.mark.parametrize("fault", ["refused", "silent"])
def test_fault_49_what_a_collector_does_not_take_is_counted_and_said_once(
    fault: str, collector: Collector, declared: DockerEngine, run: Start, index: Index
) -> None:
    controller = run(**collector(fault), **PORT, OTEL_EXPORTER_OTLP_TIMEOUT="500")
    index.becomes({WEB: "running"})
    for name in (DROPPED, FAILURES):
        grows(controller, name)
    assert metric(controller, EXPORTED) == 0
    assert controller.said("takes no traces") == 1
    assert "OTEL" not in str(controller), "no noise of the SDK's own"


def test_fault_49_with_a_silent_collector_the_database_is_given_back_before_anybody_waits_for_the_last_traces(
    collector: Collector, declared: DockerEngine, run: Start, index: Index
) -> None:
    controller = run(**collector("silent"), **PORT)
    index.becomes({WEB: "running"})
    controller.signal(signal.SIGTERM)
    began = time.monotonic()
    until(lambda: index.sql(HOLDER), [("",)])
    assert controller.runs, "it has still to give up on its traces"
    assert controller.ends(within=EXIT_SECONDS - (time.monotonic() - began)) == 0
    assert controller.said("takes no traces") + controller.said("were not sent") > 0


def test_fault_49_a_collector_that_is_started_later_gets_all_traces_from_then_on_under_the_name_tinyforge(
    own_jaeger: Jaeger, declared: DockerEngine, run: Start, index: Index
) -> None:
    controller = run(**own_jaeger.settings(), **PORT)
    index.becomes({WEB: "running"})
    grows(controller, DROPPED)
    own_jaeger.process.start()
    grows(controller, EXPORTED)
    controller.says("takes traces again")
    lost = metric(controller, DROPPED)
    traces = Traces(own_jaeger, "tinyforge")
    declared.client.kill("web")
    index.becomes({WEB: "stopped"})
    until(lambda: index.sql(READY), [("False", "NotRunning")])
    spans = traces.until(lambda spans: [it for it in roots(spans, PASS) if it.attributes["tinyforge.pass.outcome"] == "changed"])
    assert own_jaeger.api.services() == ["tinyforge"]
    assert spans[0].resource["service.version"]
    assert metric(controller, DROPPED) == lost
    assert metric(controller, QUEUE) <= metric(controller, EXPORTED)
