"""Spans in OTLP's JSON, as somebody tells a collector of them or Jaeger answers them; they need no SDK."""

import json
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Any

from tests.servers.jaeger import Jaeger

NANOSECONDS = 1_000_000_000
BEGAN = 1_790_000_000 * NANOSECONDS
"""2026-09-21 14:13:20 UTC."""

Document = dict[str, Any]


def span(
    name: str,
    *,
    trace_id: str,
    span_id: int = 1,
    parent: int = 0,
    after: float = 0.0,
    seconds: float = 0.01,
    attributes: Mapping[str, object] | None = None,
    **more: Any,
) -> Document:
    """A span that began `after` seconds; ids within its trace are numbers."""
    began = BEGAN + int(after * NANOSECONDS)
    return {
        "traceId": trace_id,
        "spanId": f"{span_id:016x}",
        "parentSpanId": f"{parent:016x}" if parent else "",
        "name": name,
        "kind": 1,
        "startTimeUnixNano": str(began),
        "endTimeUnixNano": str(began + int(seconds * NANOSECONDS)),
        "attributes": pairs(attributes or {}),
        **more,
    }


def event(name: str, /, *, after: float = 0.0, **attributes: object) -> Document:
    """What happened `after` seconds; dots in the names of attributes are two underscores here."""
    named = {key.replace("__", "."): value for key, value in attributes.items()}
    return {"name": name, "timeUnixNano": str(BEGAN + int(after * NANOSECONDS)), "attributes": pairs(named)}


def link(trace_id: str, span_id: int = 1, /, **attributes: object) -> Document:
    """A link to a span of another trace."""
    return {
        "traceId": trace_id,
        "spanId": f"{span_id:016x}",
        "attributes": pairs({f"tinyforge.{key}": it for key, it in attributes.items()}),
    }


def error(message: str = "") -> Document:
    """The status of a span that failed."""
    return {"code": 2, "message": message}


def pairs(attributes: Mapping[str, object]) -> list[Document]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def spans(*told: Document, service: str = "tinyforge") -> Document:
    """A request to a collector; under `result`, an answer of Jaeger's."""
    resource = {"attributes": pairs({"service.name": service})}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {"name": "tinyforge"}, "spans": list(told)}]}]}


def tell(jaeger: Jaeger, *told: Document) -> None:
    """Send spans, and return when Jaeger has them."""
    body, headers = json.dumps(spans(*told)).encode(), {"Content-Type": "application/json"}
    place = jaeger.otlp_http.removeprefix("http://")
    with urllib.request.urlopen(urllib.request.Request(f"http://{place}/v1/traces", data=body, headers=headers), timeout=10) as answer:
        assert answer.status == 200
    ids = [str(it["traceId"]) for it in told]
    jaeger.until(lambda: [it for each in set(ids) for it in jaeger.api.trace(each)], lambda seen: len(seen) >= len(ids))


def _value(value: object) -> Document:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case Sequence() if not isinstance(value, str):
            return {"arrayValue": {"values": [_value(each) for each in value]}}
        case Mapping():
            return {"kvlistValue": {"values": pairs(value)}}
        case _:
            return {"stringValue": value}
