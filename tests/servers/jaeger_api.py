"""Jaeger's query API as the tests ask it: its v3, spelled as version 1.62 has it, with spans that are plain values.

Used by `tests.servers.jaeger`. On purpose it shares nothing with the product's own way of asking. Jaeger 1 drops the attributes of links,
and writes arrays down as text.
"""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

SECONDS = 10
EVER = {"query.start_time_min": "2000-01-01T00:00:00Z", "query.start_time_max": "2200-01-01T00:00:00Z"}
"""Jaeger asks for both times, and knows only of what it was told since it was started."""
KINDS = ("unspecified", "internal", "server", "client", "producer", "consumer")
STATUSES = ("unset", "ok", "error")

Value = str | int | float | bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened during a span, at a time in nanoseconds since 1970."""

    name: str
    at: int
    attributes: Mapping[str, Value]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place in a trace: what a span links to, and where it is itself. The ids are in hexadecimal."""

    trace_id: str
    span_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One span, with times in nanoseconds since 1970. `parent` is the id of a span of its trace, empty for a root."""

    place: Place
    parent: str
    name: str
    kind: str
    status: str
    message: str
    began: int
    ended: int
    attributes: Mapping[str, Value]
    events: Sequence[Event]
    links: Sequence[Place]
    resource: Mapping[str, Value]

    @property
    def trace_id(self) -> str:
        """The id of its trace."""
        return self.place.trace_id


class JaegerApi:
    """What answers queries at `place`, a host and a port."""

    def __init__(self, place: str) -> None:
        self._place = place

    def answers(self) -> bool:
        """Whether it can be asked."""
        try:
            self.services()
        except OSError:
            return False
        return True

    def services(self) -> list[str]:
        """The services that it has spans of."""
        return list(self._get("/api/v3/services").get("services", ()))

    def trace(self, trace_id: str) -> list[Span]:
        """The spans of one trace; none if it has no such trace."""
        try:
            return list(_spans(self._get(f"/api/v3/traces/{trace_id}")))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise

    def spans(self, service: str) -> list[Span]:
        """All spans of the traces that a service takes part in."""
        query = urllib.parse.urlencode({"query.service_name": service, **EVER})
        return list(_spans(self._get(f"/api/v3/traces?{query}")))

    def _get(self, path: str) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://{self._place}{path}", timeout=SECONDS) as answer:
            return dict(json.load(answer))


def _spans(answer: Mapping[str, Any]) -> Iterator[Span]:
    for one in answer["result"].get("resourceSpans", ()):
        resource = _attributes(one["resource"])
        for scope in one["scopeSpans"]:
            yield from (_span(span, resource) for span in scope["spans"])


def _span(written: Mapping[str, Any], resource: Mapping[str, Value]) -> Span:
    return Span(
        place=_place(written),
        parent=written["parentSpanId"],
        name=written["name"],
        kind=KINDS[written.get("kind", 0)],
        status=STATUSES[written["status"].get("code", 0)],
        message=written["status"].get("message", ""),
        began=int(written["startTimeUnixNano"]),
        ended=int(written["endTimeUnixNano"]),
        attributes=_attributes(written),
        events=[Event(name=it["name"], at=int(it["timeUnixNano"]), attributes=_attributes(it)) for it in written.get("events", ())],
        links=[_place(it) for it in written.get("links", ())],
        resource=resource,
    )


def _place(written: Mapping[str, Any]) -> Place:
    return Place(trace_id=written["traceId"], span_id=written["spanId"])


def _attributes(written: Mapping[str, Any]) -> dict[str, Value]:
    return {it["key"]: _value(it["value"]) for it in written.get("attributes", ())}


def _value(written: Mapping[str, Any]) -> Value:
    ((kind, value),) = written.items()
    return int(value) if kind == "intValue" else value  # OTLP's JSON has 64 bits as text
