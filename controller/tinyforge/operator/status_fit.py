"""A status, made to fit the CRD that it has to pass: pure.

The API server refuses a status whole for one text that is too long. So what is too long is cut here, and what cannot be made to fit, which
is a mistake of ours, is left out, so that the rest can be read. `StatusWriter` calls this for every status before it is sent.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from tinyforge.objects.schema import Schema

_HALF_A_PAIR = re.compile("[\ud800-\udfff]")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_GREATEST = 2**53 - 1  # the greatest number that every reader of JSON agrees on (RFC 8259, section 6)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A status that passes; `left_out` names the fields that had to go, as `conditions[0].status`."""

    status: dict[str, Any]
    left_out: tuple[str, ...]


class _Unfit(Exception):
    """A value cannot be made to fit."""


def fit_status(status: Mapping[str, Any], schema: Schema) -> Fitted:
    """Return `status` as `schema` takes it.

    Texts are cut to their `maxLength`, counted in characters as the API server does, and then end in an ellipsis; lists are cut to their
    `maxItems`; numbers are moved to their `minimum` or `maximum`. A field that is None is left out without a word. Left out and named are
    fields that the schema does not know, values of another type or outside their `enum`, times that are none, entries of a list whose
    key an earlier one has, and whatever lacks a required part.

    Args:
        status: JSON values by field.
        schema: the structural schema (`tinyforge.objects.schema`) of a status, in which every object lists its fields.
    """
    fitting = _Fitting()
    try:
        return Fitted(fitting.part(status, schema, ""), tuple(fitting.left_out))
    except _Unfit:
        return Fitted({}, (*fitting.left_out, "status"))


class _Fitting:
    """One status on its way through its schema."""

    def __init__(self) -> None:
        self.left_out: list[str] = []

    def part(self, value: object, schema: Schema, path: str) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise _Unfit
        known: Mapping[str, Schema] = schema["properties"]
        self.left_out += [f"{path}.{name}".lstrip(".") for name in value if name not in known]
        fields = {name: (value[name], f"{path}.{name}".lstrip(".")) for name in known if value.get(name) is not None}
        fitted = {name: it for name, (given, at) in fields.items() for it in self._kept(given, known[name], at)}
        if any(name not in fitted for name in schema.get("required", ())):
            raise _Unfit
        return fitted

    def _kept(self, value: object, schema: Schema, path: str) -> Iterator[Any]:
        """Yield a value made to fit, or nothing, and take note of that."""
        try:
            yield self._value(value, schema, path)
        except _Unfit:
            self.left_out.append(path)

    def _value(self, value: object, schema: Schema, path: str) -> Any:
        match schema["type"]:
            case "object":
                return self.part(value, schema, path)
            case "array":
                return self._list(value, schema, path)
            case "string":
                return _text(value, schema)
            case "boolean" if isinstance(value, bool):
                return value
            case "integer" | "number" as kind:
                return _number(value, schema, whole=kind == "integer")
            case _:
                raise _Unfit

    def _list(self, value: object, schema: Schema, path: str) -> list[Any]:
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise _Unfit
        fitted = (it for index, item in enumerate(value) for it in self._kept(item, schema["items"], f"{path}[{index}]"))
        keys = schema.get("x-kubernetes-list-map-keys")
        return list(islice(self._distinct(fitted, keys, path) if keys else fitted, schema["maxItems"]))

    def _distinct(self, items: Iterator[dict[str, Any]], keys: Sequence[str], path: str) -> Iterator[dict[str, Any]]:
        seen: set[tuple[Any, ...]] = set()
        for item in items:
            key = tuple(item.get(name) for name in keys)
            if key in seen:
                self.left_out.append(f"{path}[{','.join(map(str, key))}]")
            else:
                seen.add(key)
                yield item


def _text(value: object, schema: Schema) -> str:
    if not isinstance(value, str):
        raise _Unfit
    if "enum" in schema and value not in schema["enum"]:
        raise _Unfit
    if schema.get("format") == "date-time" and not _is_time(value):
        raise _Unfit
    text = _HALF_A_PAIR.sub("\ufffd", value)
    longest: int = schema["maxLength"]
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _is_time(text: str) -> bool:
    if _RFC_3339.fullmatch(text) is None:
        return False
    try:
        datetime.fromisoformat(text.upper())
    except ValueError:
        return False
    return True


def _number(value: object, schema: Schema, *, whole: bool) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float) or _is_nan(value):
        raise _Unfit
    lowest: int = max(schema.get("minimum", -_GREATEST), -_GREATEST)
    highest: int = min(schema.get("maximum", _GREATEST), _GREATEST)
    return min(max(value, lowest), highest)


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
