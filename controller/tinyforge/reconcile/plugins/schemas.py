"""Looking things up in the JSON schema of a plugin's config: any schema, so whatever cannot be followed leads to an empty one."""

from collections.abc import Mapping, Sequence
from typing import Any

Schema = Mapping[str, Any]


def schema_at(schema: Schema, path: Sequence[str | int]) -> Schema:
    """Return the part of `schema` that speaks of the value at `path`; empty if none does, or several may."""
    part = _resolved(schema, schema)
    for step in path:
        part = _resolved(_step(part, step), schema)
    return part


def fields_at(schema: Schema, path: Sequence[str | int]) -> list[str]:
    """Return the names of the fields that are known at `path`."""
    return list(map(str, _mapping(schema_at(schema, path).get("properties"))))


def _step(part: Schema, step: str | int) -> Schema:
    if isinstance(step, int):
        return _mapping(part.get("items"))
    return _mapping(_mapping(part.get("properties")).get(step, part.get("additionalProperties")))


def _resolved(part: Schema, whole: Schema) -> Schema:
    """Put what a reference, or the one choice beside null, stands for in its place; what is written beside it wins."""
    if reference := part.get("$ref"):
        return {**_mapping(_mapping(whole.get("$defs")).get(str(reference).removeprefix("#/$defs/"))), **part}
    choices = [choice for choice in map(_mapping, part.get("anyOf") or ()) if choice.get("type") != "null"]
    return {**_resolved(choices[0], whole), **part} if len(choices) == 1 else part


def _mapping(value: object) -> Schema:
    return value if isinstance(value, Mapping) else {}
