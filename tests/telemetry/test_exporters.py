"""The exporter for each protocol, and what is counted before one."""

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider  # noqa: TID251 - what is recorded with it is looked at
from opentelemetry.sdk.trace.export import SimpleSpanProcessor  # noqa: TID251 - as above
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter  # noqa: TID251 - as above
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, AlwaysRecordSampler  # noqa: TID251 - as above

from tinyforge.telemetry.environment import trace_export
from tinyforge.telemetry.exporting import exporter_of
from tinyforge.telemetry.gate import Gate
from tinyforge.telemetry.statistics import TraceStatistics


def test_grpc_is_spoken_by_the_package_for_it_with_the_same_endpoint_and_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in: Any = ModuleType("opentelemetry.exporter.otlp.proto.grpc.trace_exporter")  # the real one is optional, and big
    stand_in.OTLPSpanExporter = SimpleNamespace
    monkeypatch.setitem(sys.modules, stand_in.__name__, stand_in)
    package = stand_in.__name__.rpartition(".")[0]
    monkeypatch.setitem(sys.modules, package, ModuleType(package))
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4317",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "500",
    }
    export = trace_export(environment)
    assert export
    assert vars(exporter_of(export)) == {"endpoint": "http://collector:4317", "timeout": 0.5}


def test_what_is_recorded_and_not_sampled_is_neither_sent_nor_counted() -> None:
    statistics, behind = TraceStatistics(), InMemorySpanExporter()
    provider = TracerProvider(sampler=AlwaysRecordSampler(ALWAYS_OFF), shutdown_on_exit=False)
    provider.add_span_processor(Gate(SimpleSpanProcessor(behind), capacity=10, statistics=statistics))
    provider.get_tracer("tests").start_span("work").end()
    assert (behind.get_finished_spans(), statistics.queued) == ((), 0)
