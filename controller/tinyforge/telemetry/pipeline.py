"""What makes and sends spans, put together of the SDK's parts and ours.

    span ends ─▶ tail filter, if unchanged dispatches are left out ─▶ gate: is there room? ─▶ the SDK's batches ─▶ counted export

Nothing on the way waits for the collector but the exporter's own thread.
"""

import logging
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry.sdk.environment_variables import OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import SpanLimits, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON, ParentBased, Sampler, TraceIdRatioBased

from tinyforge.telemetry.environment import TraceExport
from tinyforge.telemetry.exporting import CountedExporter, Overheard, exporter_of
from tinyforge.telemetry.gate import Gate
from tinyforge.telemetry.statistics import TraceStatistics
from tinyforge.telemetry.tail import TailFilter

logger = logging.getLogger(__name__)

_LONGEST_TEXT = 16_384
"""Characters of one attribute: a plugin's error may have a stack of any length."""
_SHUTDOWN_SECONDS = 3.0


@contextmanager
def recording(
    export: TraceExport, about: Mapping[str, str], *, filtered: bool = False, shutdown_seconds: float = _SHUTDOWN_SECONDS
) -> Iterator[tuple[TracerProvider, TraceStatistics]]:
    """Record traces for the length of a block, and send what is left of them at its end, for a few seconds at most.

    The SDK ignores its own timeouts there: with a collector that is gone it would take 30 s. What is left then is dropped, counted, said.

    Args:
        export: where traces go.
        about: what this process says of itself; `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME` come before it.
        filtered: whether dispatches may say of themselves that they are to be left out.
        shutdown_seconds: how long the end may take.
    """
    statistics = TraceStatistics()
    provider = TracerProvider(
        sampler=_sampler(export),
        resource=Resource.create(about).merge(OTELResourceDetector().detect()),
        shutdown_on_exit=False,
        span_limits=SpanLimits(max_attribute_length=None if os.environ.get(OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT) else _LONGEST_TEXT),
    )
    gate = _gate(export, statistics)
    provider.add_span_processor(TailFilter(gate) if filtered else gate)
    try:
        yield provider, statistics
    finally:
        last = threading.Thread(target=provider.shutdown, name="traces", daemon=True)
        last.start()
        last.join(shutdown_seconds)
        _say_left(statistics.give_up(), export)


def _gate(export: TraceExport, statistics: TraceStatistics) -> SpanProcessor:
    exporter = CountedExporter(exporter_of(export), place=export.place, statistics=statistics, overheard=Overheard())
    batches = BatchSpanProcessor(
        exporter, max_queue_size=export.queue, max_export_batch_size=export.batch, schedule_delay_millis=export.delay * 1000
    )
    return Gate(batches, capacity=export.queue, statistics=statistics)


def _sampler(export: TraceExport) -> Sampler:
    roots: Mapping[str, Sampler] = {"always_on": ALWAYS_ON, "always_off": ALWAYS_OFF, "traceidratio": TraceIdRatioBased(export.ratio)}
    root = roots[export.sampler.removeprefix("parentbased_")]
    return ParentBased(root) if export.sampler.startswith("parentbased_") else root


def _say_left(spans: int, export: TraceExport) -> None:
    if spans:
        text = "%d spans were not sent to %s before the end, and are lost"
        logger.warning(text, spans, export.place, extra={"action": "traces_left_behind", "spans": spans})
