"""What Jaeger's v3 API answers: a trace in OTLP's JSON, decoded into spans.

The form is OTLP's own (opentelemetry-proto, "JSON Protobuf Encoding": ids in hexadecimal, 64-bit numbers as text or number, enums as
number, though some write their names), under `result` in newer Jaegers and bare in older ones.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec

from tinyforge.domain.texts import printable
from tinyforge.jaeger.errors import AnswerUnreadable
from tinyforge.jaeger.spans import Attributes, Event, Link, Span, Trace

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ERRORS = (2, "STATUS_CODE_ERROR")

_Number = int | Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]{1,20}$")]
_Moment = Annotated[int, msgspec.Meta(ge=0)] | Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,20}$")]
_Id = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-Za-z+/=_-]{0,64}$")]


class _Part(msgspec.Struct, frozen=True, rename="camel"):
    """Part of an answer; what is left out has its default, and what is not known is passed over."""


class _Value(_Part, frozen=True):
    string_value: str | None = None
    bool_value: bool | None = None
    int_value: _Number | None = None
    double_value: float | str | None = None  # NaN and the infinities are texts in JSON
    bytes_value: str | None = None
    array_value: "_Values | None" = None
    kvlist_value: "_Pairs | None" = None


class _Pair(_Part, frozen=True):
    key: str
    value: _Value = _Value()


class _Values(_Part, frozen=True):
    values: tuple[_Value, ...] = ()


class _Pairs(_Part, frozen=True):
    values: tuple[_Pair, ...] = ()


class _Event(_Part, frozen=True):
    name: str = ""
    time_unix_nano: _Moment = 0
    attributes: tuple[_Pair, ...] = ()


class _Link(_Part, frozen=True):
    trace_id: _Id = ""
    span_id: _Id = ""
    attributes: tuple[_Pair, ...] = ()


class _Status(_Part, frozen=True):
    code: int | str = 0
    message: str = ""


class _Span(_Part, frozen=True):
    trace_id: _Id
    span_id: _Id
    parent_span_id: _Id = ""
    name: str = ""
    start_time_unix_nano: _Moment = 0
    end_time_unix_nano: _Moment = 0
    attributes: tuple[_Pair, ...] = ()
    events: tuple[_Event, ...] = ()
    links: tuple[_Link, ...] = ()
    status: _Status = _Status()


class _ScopeSpans(_Part, frozen=True):
    spans: tuple[_Span, ...] = ()


class _Resource(_Part, frozen=True):
    attributes: tuple[_Pair, ...] = ()


class _ResourceSpans(_Part, frozen=True):
    resource: _Resource = _Resource()
    scope_spans: tuple[_ScopeSpans, ...] = ()


class _Traces(_Part, frozen=True):
    resource_spans: tuple[_ResourceSpans, ...]


class _Result(_Part, frozen=True):
    result: _Traces


class _Details(_Part, frozen=True):
    message: str


class _Complaint(_Part, frozen=True):
    error: _Details


_trace = msgspec.json.Decoder(_Result)
_bare_trace = msgspec.json.Decoder(_Traces)
_complaint = msgspec.json.Decoder(_Complaint)


def read_trace(body: bytes | bytearray) -> Trace:
    """Decode a trace.

    Raises:
        AnswerUnreadable: it is none; the message names the place, and no value.
    """
    try:
        return Trace(_spans(_read(body)))
    except (ValueError, OverflowError, RecursionError) as error:  # a nesting deeper than the interpreter's stack is a RecursionError
        raise AnswerUnreadable(printable(str(error))) from error


def read_complaint(body: bytes | bytearray) -> str | None:
    """Return what Jaeger says about an error, fit for a message; None if it is not Jaeger's v3 API that says something."""
    try:
        return printable(_complaint.decode(body).error.message)
    except (ValueError, RecursionError):
        return None


def _read(body: bytes | bytearray) -> _Traces:
    try:
        return _trace.decode(body).result
    except msgspec.ValidationError:
        try:
            return _bare_trace.decode(body)
        except msgspec.ValidationError:
            pass
        raise


def _spans(traces: _Traces) -> Iterator[Span]:
    for group in traces.resource_spans:
        service = str(_attributes(group.resource.attributes).get("service.name", ""))
        for scope in group.scope_spans:
            yield from (_span(span, service) for span in scope.spans)


def _span(span: _Span, service: str) -> Span:
    began, ended = int(span.start_time_unix_nano), int(span.end_time_unix_nano)
    return Span(
        trace_id=span.trace_id,
        span_id=span.span_id,
        parent_id="" if span.parent_span_id.strip("0") == "" else span.parent_span_id,
        name=span.name,
        service=service,
        began=_moment(began),
        seconds=max(ended - began, 0) / 1e9,
        failure=span.status.message if span.status.code in _ERRORS else None,
        attributes=_attributes(span.attributes),
        events=tuple(
            Event(name=event.name, at=_moment(int(event.time_unix_nano)), attributes=_attributes(event.attributes)) for event in span.events
        ),
        links=tuple(Link(trace_id=link.trace_id, span_id=link.span_id, attributes=_attributes(link.attributes)) for link in span.links),
    )


def _moment(nanoseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _attributes(pairs: Sequence[_Pair]) -> Attributes:
    return {pair.key: _plain(pair.value) for pair in pairs}


def _plain(value: _Value) -> object:
    if value.array_value is not None:
        return [_plain(each) for each in value.array_value.values]
    if value.kvlist_value is not None:
        return dict(_attributes(value.kvlist_value.values))
    if value.int_value is not None:
        return int(value.int_value)
    known = (value.string_value, value.bool_value, value.double_value, value.bytes_value)
    return next((each for each in known if each is not None), None)
