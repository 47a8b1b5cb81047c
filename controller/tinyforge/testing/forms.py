"""Whether a config's JSON schema says enough for people, or a program, to make a form of it."""

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_SAYS_WHAT_IT_IS = frozenset({"type", "enum", "const", "$ref", "anyOf", "oneOf", "allOf"})


def faults_of_form(schema: Schema) -> Iterator[str]:
    """Yield what keeps people, or a program, from making a form of a config's JSON schema. Every model in it stands among its `$defs`."""
    if schema.get("type") != "object":
        yield "the config is no object"
    for name, part in {"the config": schema, **schema.get("$defs", {})}.items():
        if part.get("properties") and part.get("additionalProperties") is not False:
            yield f"{name} takes fields that it does not know: give its model extra='forbid'"
        for field, value in part.get("properties", {}).items():
            yield from _faults_of_field(f"{name}.{field}", value, schema)


def _faults_of_field(name: str, field: Schema, whole: Schema) -> Iterator[str]:
    if not _SAYS_WHAT_IT_IS & set(field):
        yield f"{name} may be anything: say what"
    if not any(each.get("description") for each in _forms(field, whole)):
        yield f"{name} has no description"


def _forms(field: Schema, whole: Schema) -> Iterator[Schema]:
    """Yield a field and everything that it may be, one reference and one choice deep."""
    for each in (field, *field.get("anyOf", ()), *field.get("oneOf", ()), *field.get("allOf", ())):
        yield each
        if reference := each.get("$ref"):
            yield whole.get("$defs", {}).get(reference.removeprefix("#/$defs/"), {})
