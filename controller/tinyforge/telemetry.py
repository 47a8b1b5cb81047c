"""OpenTelemetry's SDK, which nothing else of Tinyforge knows: everybody else speaks the API, which does nothing until this has been called.

It is set by OpenTelemetry's own variables. Without an endpoint nothing is recorded, and no status names a trace that nobody could open.
"""

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace

SERVICE = "tinyforge"
_ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_EXPORT_SECONDS = 2.0
_SHUTDOWN_SECONDS = 3.0


def is_traced(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment says where traces go."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none"
    return not disabled and any(environment.get(name) for name in _ENDPOINTS)


@contextmanager
def tracing() -> Iterator[None]:
    """Record traces for the length of a block, and send what is left of them at its end, for at most 3 s.

    The SDK ignores its own timeouts there: with a collector that is gone it would take 30 s.
    """
    if not is_traced():
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    about = {"service.name": os.environ.get("OTEL_SERVICE_NAME") or SERVICE, "service.version": version("tinyforge")}
    provider = TracerProvider(resource=Resource.create(about), shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        last = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(_SHUTDOWN_SECONDS)
