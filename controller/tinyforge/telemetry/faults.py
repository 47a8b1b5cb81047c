"""What is wrong with OpenTelemetry's variables, before anything begins.

The SDK takes what it cannot read for its default, with a line in the log at most, and that line may hold a header with a token. Whoever
mistyped a ratio or a protocol would look in vain for traces, so a value that means nothing is refused.
"""

import math
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from urllib.parse import urlsplit

from tinyforge.domain.texts import printable
from tinyforge.telemetry.environment import (
    BATCH,
    DELAY,
    ENDPOINT,
    GRPC,
    HTTP,
    PROTOCOL,
    QUEUE,
    RATIO,
    SAMPLER,
    TIMEOUT,
    first_set,
    is_off,
    is_url,
    shown,
)

_GRPC_PACKAGE = "opentelemetry-exporter-otlp-proto-grpc"
_SAMPLERS = ("always_on", "always_off", "traceidratio", "parentbased_always_on", "parentbased_always_off", "parentbased_traceidratio")
_SHORTEST, _LONGEST = 100, 60_000
"""Milliseconds, as specified. Python's own SDK takes seconds: a 10 that means those is refused, and not a timeout that no export meets."""
_MOST = 1_000_000
_LIMIT = re.compile(r"OTEL_[A-Z_]+_LIMIT")
_HEADER = re.compile(r"\s*[!#-'*+\-.0-9A-Z^-z|~]+\s*=[^\x00-\x1f\x7f-\U0010ffff\",;\\]*")


def trace_faults(environment: Mapping[str, str]) -> list[str]:
    """Return a sentence for each variable whose value means nothing: its name, the value, and what is allowed. No secret is in it."""
    if is_off(environment):
        return []
    of_sampler, of_batches = _sampler_faults(environment), _batch_faults(environment)
    return [*_endpoint_faults(environment), *_exporter_faults(environment), *of_sampler, *of_batches, *_pair_faults(environment)]


def _endpoint_faults(environment: Mapping[str, str]) -> Iterator[str]:
    name, endpoint = first_set(environment, ENDPOINT)
    if endpoint and not is_url(endpoint):
        yield f"{name}: '{shown(endpoint)}' is no URL of a collector; allowed: http:// or https:// with a host, as http://localhost:4318"
    elif "@" in urlsplit(endpoint).netloc and first_set(environment, PROTOCOL)[1].lower() == GRPC:
        yield f"{name}: '{shown(endpoint)}' has a user name before it, which {GRPC} does not take; use OTEL_EXPORTER_OTLP_HEADERS"


def _exporter_faults(environment: Mapping[str, str]) -> Iterator[str]:
    name, protocol = first_set(environment, PROTOCOL)
    if protocol and protocol.lower() not in (HTTP, GRPC):
        yield f"{name}: {_quoted(protocol)} is no protocol that is spoken here; allowed: {HTTP}, {GRPC} (package {_GRPC_PACKAGE})"
    if protocol.lower() == GRPC and not _has_grpc():
        yield f"{name}: {_quoted(protocol)} needs the package {_GRPC_PACKAGE}, which is not installed: install it, or set {HTTP}"
    name, timeout = first_set(environment, TIMEOUT)
    if timeout and not _SHORTEST <= _number(timeout) <= _LONGEST:
        yield f"{name}: {_quoted(timeout)} is no timeout; allowed: {_SHORTEST} to {_LONGEST} milliseconds, such as 2000 for 2 s"
    exporter = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if exporter and exporter.lower() != "otlp":
        yield f"OTEL_TRACES_EXPORTER: {_quoted(exporter)} is no exporter that there is here; allowed: otlp, none"


def _sampler_faults(environment: Mapping[str, str]) -> Iterator[str]:
    sampler, ratio = environment.get(SAMPLER, ""), environment.get(RATIO, "")
    if sampler and sampler.lower() not in _SAMPLERS:
        yield f"{SAMPLER}: {_quoted(sampler)} is no sampler; allowed: {', '.join(_SAMPLERS)}"
    if ratio and not 0 <= _number(ratio) <= 1:
        yield f"{RATIO}: {_quoted(ratio)} is no ratio; allowed: a number from 0 (no trace) to 1 (every trace), such as 0.25"


def _batch_faults(environment: Mapping[str, str]) -> Iterator[str]:
    for name in (QUEUE, BATCH, DELAY):
        value = environment.get(name, "")
        if value and not (value.isascii() and value.isdigit() and len(value) < 10 and 0 < int(value) <= _MOST):
            yield f"{name}: {_quoted(value)} is out of the question; allowed: a whole number from 1 to {_MOST}"
    for name in filter(_LIMIT.fullmatch, environment):
        if (value := environment[name].strip()) and value.lower() != "unset" and not (value.isascii() and value.isdigit()):
            yield f"{name}: {_quoted(value)} is no limit; allowed: a whole number"


def _pair_faults(environment: Mapping[str, str]) -> Iterator[str]:
    for pair in filter(str.strip, environment.get("OTEL_RESOURCE_ATTRIBUTES", "").split(",")):
        if not pair.partition("=")[0].strip() or "=" not in pair:
            yield f"OTEL_RESOURCE_ATTRIBUTES: {_quoted(pair)} is no key=value; allowed: those, with commas between"
    for name in ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"):
        pairs = list(filter(str.strip, environment.get(name, "").split(",")))
        for number, pair in enumerate(pairs, start=1):
            if not _HEADER.fullmatch(pair):
                yield f"{name}: number {number} of its {len(pairs)} pairs (not shown: it may be a secret) is no key=value, URL-encoded"


def _has_grpc() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.grpc") is not None
    except ModuleNotFoundError:
        return False


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _quoted(text: str) -> str:
    return repr(printable(text, 80))
