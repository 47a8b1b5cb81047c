"""OpenTelemetry's own variables, as far as they decide where traces go (`faults.py` says what is wrong with them).

Names and meanings are those of the OpenTelemetry specification ("Environment Variable Specification", "OpenTelemetry Protocol Exporter"); a
variable that is empty counts as unset there, and so it does here.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from tinyforge.domain.texts import printable

HTTP, GRPC = "http/protobuf", "grpc"

ENDPOINT = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOL = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
TIMEOUT = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
"""Of each pair the first that is set counts."""
SAMPLER, RATIO = "OTEL_TRACES_SAMPLER", "OTEL_TRACES_SAMPLER_ARG"
QUEUE, BATCH, DELAY = "OTEL_BSP_MAX_QUEUE_SIZE", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_BSP_SCHEDULE_DELAY"

_EXPORT_MILLISECONDS = 2000
"""The specification has 10 s: that is longer than a process may take to end."""
_SCHEME = re.compile(r"[A-Za-z]+://")
_AFTER_HOST = re.compile(r"[/?#\\]")
_QUEUED_SPANS, _BATCH_SPANS, _DELAY_MILLISECONDS = 2048, 512, 5000


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceExport:
    """Where traces go, and how.

    Args:
        endpoint: the whole URL; it may hold a password, so `place` is what people are shown.
        variable: what it was set by.
        protocol: how it is spoken to.
        seconds: how long one export may take.
        sampler: its name, one of the six that are specified without a package of their own.
        ratio: the share of traces that is recorded, for a sampler that has one.
        queue: how many spans may wait.
        batch: how many of them are exported at once.
        delay: how many seconds after the first of them.
    """

    endpoint: str = field(repr=False)
    variable: str
    protocol: Literal["http/protobuf", "grpc"]
    seconds: float
    sampler: str
    ratio: float
    queue: int
    batch: int
    delay: float

    @property
    def place(self) -> str:
        """The scheme, host and port of the endpoint: neither a password nor a token in the path."""
        return shown(self.endpoint)


def is_off(environment: Mapping[str, str]) -> bool:
    """Tell whether the environment says that there are no traces, whatever else is set."""
    disabled = environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true"
    return disabled or environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none"


def trace_export(environment: Mapping[str, str]) -> TraceExport | None:
    """Return where traces go; None if nowhere. It takes an environment in which `trace_faults` finds nothing."""
    variable, endpoint = first_set(environment, ENDPOINT)
    if is_off(environment) or not endpoint:
        return None
    is_grpc = first_set(environment, PROTOCOL)[1].lower() == GRPC
    is_whole = is_grpc or variable == ENDPOINT[0]
    queue = int(environment.get(QUEUE) or _QUEUED_SPANS)
    return TraceExport(
        endpoint=endpoint if is_whole else f"{endpoint.rstrip('/')}/v1/traces",
        variable=variable,
        protocol="grpc" if is_grpc else "http/protobuf",
        seconds=float(first_set(environment, TIMEOUT)[1] or _EXPORT_MILLISECONDS) / 1000,
        sampler=environment.get(SAMPLER, "").lower() or "parentbased_always_on",
        ratio=float(environment.get(RATIO) or 1),
        queue=queue,
        batch=min(int(environment.get(BATCH) or _BATCH_SPANS), queue),
        delay=float(environment.get(DELAY) or _DELAY_MILLISECONDS) / 1000,
    )


def first_set(environment: Mapping[str, str], names: tuple[str, ...]) -> tuple[str, str]:
    """Return the first of some variables that is set, and its value; the last one and an empty text if none is."""
    return next(((name, value) for name in names if (value := environment.get(name, "").strip())), (names[-1], ""))


def is_url(text: str) -> bool:
    """Whether a text is a URL that a collector can have. An `@` behind the host is a password that was not encoded."""
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return is_address and text.isprintable() and " " not in text and "@" not in f"{parts.path}{parts.query}{parts.fragment}"


def shown(endpoint: str) -> str:
    """Return what of an endpoint anybody may see: its scheme, host and port, or what stands in their place in one that cannot be used."""
    _, at, behind = endpoint.rpartition("@")
    scheme = _SCHEME.match(endpoint)
    start = 0 if at or scheme is None else scheme.end()
    host = _AFTER_HOST.split(behind[start:], maxsplit=1)[0]
    before = f"{urlsplit(endpoint).scheme}://" if is_url(endpoint) else "…@" if at else behind[:start]
    return printable(f"{before}{host}", 80)
