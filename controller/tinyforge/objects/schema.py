"""From a pydantic model to the structural schema that Kubernetes demands of a CRD.

Structural means: every part spelled out in its place, no references, no choices between forms, no `additionalProperties` beside
`properties`. Defaults are left out: what nobody wrote stays unwritten in the cluster, and Tinyforge fills it in when it reads.
"""

from collections.abc import Mapping
from functools import cache
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_KEPT = ("type", "format", "description", "enum", "pattern", "maxLength", "minimum", "maximum", "maxItems", "maxProperties", "required")
_DATE_LENGTH = 64  # far more than any RFC 3339 time has


@cache  # 4 ms each, and a file may hold 10,000 faulty objects
def structural_schema(model: type[BaseModel]) -> Schema:
    """Return the schema of `model`, with everything that it refers to in its place; not to be changed."""
    schema = model.model_json_schema()
    return _structural(schema, schema.get("$defs", {}))


def _structural(schema: Schema, parts: Mapping[str, Schema]) -> Schema:
    whole = _resolved(schema, parts)
    result = {key: whole[key] for key in _KEPT if key in whole} | _lengths(whole)
    result |= {key: value for key, value in whole.items() if key.startswith("x-kubernetes-")}
    if "properties" in whole:
        result["properties"] = {name: _structural(field, parts) for name, field in whole["properties"].items()}
    if "items" in whole:
        result["items"] = _structural(whole["items"], parts)
    return result


def _resolved(schema: Schema, parts: Mapping[str, Schema]) -> Schema:
    """Put what a reference, or the one choice beside null, stands for in its place; what is written beside it wins."""
    if reference := schema.get("$ref"):
        return _resolved(parts[reference.removeprefix("#/$defs/")], parts) | _without(schema, "$ref")
    if choices := schema.get("anyOf"):
        (choice,) = [choice for choice in choices if choice.get("type") != "null"]
        return _resolved(choice, parts) | _without(schema, "anyOf")
    return schema


def _without(schema: Schema, key: str) -> Schema:
    return {name: value for name, value in schema.items() if name != key}


def _lengths(schema: Schema) -> Schema:
    if schema.get("format") == "date-time":
        return {"maxLength": _DATE_LENGTH}
    if "enum" in schema:
        return {"maxLength": max(map(len, schema["enum"]))}
    return {}
