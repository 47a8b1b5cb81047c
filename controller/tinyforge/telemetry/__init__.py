"""OpenTelemetry's SDK, which nothing else of Tinyforge knows: all others speak the API, which does nothing until `tracing` has been called.

It is set by OpenTelemetry's own variables. Without an endpoint nothing is recorded, and no status names a trace that nobody could open; the
SDK is not even loaded then, for it is memory that nobody needs who has no collector.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version

from opentelemetry import trace

from tinyforge.telemetry.environment import trace_export
from tinyforge.telemetry.faults import trace_faults
from tinyforge.telemetry.statistics import TraceStatistics

__all__ = ["TraceStatistics", "ask_collector", "trace_faults", "tracing"]

SERVICE = "tinyforge"


@contextmanager
def tracing(instance: str, *, filtered: bool = False, environment: Mapping[str, str] = os.environ) -> Iterator[TraceStatistics | None]:
    """Record traces for the length of a block; it yields what becomes of them, or None if the environment says that there are none.

    The end takes 3 s at most, whether the collector answers or not. What has to happen first, as giving back a Lease, belongs inside.

    Args:
        instance: who this process is among others of its kind (`service.instance.id`).
        filtered: whether dispatches may say of themselves that they are to be left out.
        environment: one in which `trace_faults` finds nothing.
    """
    export = trace_export(environment)
    if export is None:
        yield None
        return
    from tinyforge.telemetry.pipeline import recording

    about = {"service.name": SERVICE, "service.version": version("tinyforge"), "service.instance.id": instance}
    with recording(export, about, filtered=filtered) as (provider, statistics):
        trace.set_tracer_provider(provider)
        yield statistics


def ask_collector(environment: Mapping[str, str] = os.environ) -> tuple[str, str] | None:
    """Send the collector an export of nothing; return where it is and why it took none, empty if it did. None if no traces are sent.

    It waits for the collector as long as one export may take, 2 s by default.
    """
    export = trace_export(environment)
    if export is None:
        return None
    from opentelemetry.sdk.trace.export import SpanExportResult

    from tinyforge.telemetry.exporting import Overheard, exporter_of

    overheard = Overheard()
    exporter = exporter_of(export)
    is_taken = exporter.export([]) is SpanExportResult.SUCCESS
    exporter.shutdown()
    return export.place, "" if is_taken else overheard.because()
