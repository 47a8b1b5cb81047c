"""The collector that traces are sent to, if any are."""

import asyncio
import os
from collections.abc import Mapping

from tinyforge.cli.checks.check import Check, fail, ok, warn
from tinyforge.telemetry import ask_collector, trace_faults

_SUBJECT = "traces"


async def check_traces(environment: Mapping[str, str] = os.environ) -> list[Check]:
    """Send the collector an export of nothing, and return whether it takes it; nothing where no traces are sent."""
    faults = trace_faults(environment)
    if faults:
        return [fail(_SUBJECT, fault, "correct it, or `run` and `controller` refuse to start") for fault in faults]
    asked = await asyncio.to_thread(ask_collector, environment)
    if asked is None:
        return []
    place, why = asked
    if why:
        return [
            warn(_SUBJECT, f"{place} takes none: {why}", "start the collector, or correct OTEL_EXPORTER_OTLP_*; until then none is kept")
        ]
    return [ok(_SUBJECT, f"{place} takes them")]
