"""What is wrong with an object, in sentences for people: made from pydantic's errors, used by problems of files and by conditions.

A sentence names what is allowed; the path names the field. The value is given only where it helps and is no secret: what stands under an
unknown field, or anywhere in a plugin's config, is never repeated.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from tinyforge.objects.schema import Schema, structural_schema

_MOST_FAULTS = 20  # of one object; more of them help nobody
_SHOWN_CHARACTERS = 80
_SENTENCES = {
    "bool_type": "must be true or false",
    "dict_type": "must be a mapping of names to values",
    "greater_than_equal": "must be at least {ge}",
    "int_type": "must be a whole number",
    "less_than_equal": "must be at most {le}",
    "model_type": "must be a mapping of fields",
    "not_allowed": "allowed: {allowed}",
    "string_too_long": "is longer than {max_length} characters",
    "string_type": "must be text; put it in quotes",
    "too_long": "has more than {max_length} entries",
    "tuple_type": "must be a list",
}
_WITHOUT_VALUE = frozenset({"extra_forbidden", "missing", "value_error"})  # a ValueError's own text names the value where it may


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldFault:
    """One fault of one field: where, what was written there ("" where it would not help or may be secret), and what is allowed."""

    path: tuple[str | int, ...]
    value: str
    message: str


def field_faults(error: ValidationError, model: type[BaseModel]) -> tuple[FieldFault, ...]:
    """Put what pydantic found wrong with an object of `model` into sentences; of more than 20 faults, the number of the rest."""
    schema = structural_schema(model)
    details = error.errors(include_url=False)
    faults = [_fault(detail, schema) for detail in details[:_MOST_FAULTS]]
    if len(details) > _MOST_FAULTS:
        faults.append(FieldFault(path=(), value="", message=f"{len(details) - _MOST_FAULTS} more faults of this object are not shown"))
    return tuple(faults)


def dotted(path: Sequence[str | int]) -> str:
    """Return a path as people write it: `spec.faces[0].port`."""
    return "".join(map(_step, path)).removeprefix(".")


def excerpt(text: str) -> str:
    """Return what of `text` fits a terminal and a log: short, on one line, without control characters or a password in an address."""
    hidden = _without_password(text)
    return escaped(hidden if len(hidden) <= _SHOWN_CHARACTERS else f"{hidden[:_SHOWN_CHARACTERS]}…")


def escaped(text: str) -> str:
    r"""Return `text` with everything that would not print as itself written out, as `\n` or `\u202e`."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def _fault(detail: ErrorDetails, schema: Schema) -> FieldFault:
    value = "" if detail["type"] in _WITHOUT_VALUE else _shown(detail["input"])
    path = (*detail["loc"], *detail.get("ctx", {}).get("path", ()))
    return FieldFault(path=path, value=value, message=_sentence(detail, schema))


def _sentence(detail: ErrorDetails, schema: Schema) -> str:
    context = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return _unknown(str(detail["loc"][-1]), _known_fields(schema, detail["loc"][:-1]))
        case "enum" | "literal_error":
            return f"allowed: {context['expected'].replace(chr(39), '')}"
        case "value_error":
            return str(context["error"])
        case "missing":
            return f"is missing: {_meaning(schema, detail['loc'])}"
        case _ if detail["input"] is None:
            return "has no value; give it one"
        case kind:
            return _SENTENCES.get(kind, detail["msg"]).format_map(context)


def _unknown(field: str, known: Sequence[str]) -> str:
    by_lower = {name.lower(): name for name in known}
    near = difflib.get_close_matches(field[:_SHOWN_CHARACTERS].lower(), by_lower, n=1)
    hint = f"did you mean {by_lower[near[0]]}?" if near else f"known here: {', '.join(known)}"
    return f"no such field; {hint}"


def _known_fields(schema: Schema, path: Sequence[str | int]) -> list[str]:
    return list(_at(schema, path)["properties"])


def _meaning(schema: Schema, path: Sequence[str | int]) -> str:
    description: str = _at(schema, path)["description"]
    return description[:1].lower() + description[1:].removesuffix(".")


def _at(schema: Schema, path: Sequence[str | int]) -> Schema:
    for step in path:
        schema = schema["items"] if isinstance(step, int) else schema["properties"][step]
    return schema


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{excerpt(value)}"'
    return "" if value is None or isinstance(value, dict | list) else excerpt(str(value))


def _without_password(text: str) -> str:
    scheme, found, rest = text.partition("://")
    user, at, place = rest.rpartition("@")
    return f"{scheme}://***@{place}" if found and at and ":" in user else text


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    return f".{step}" if re.fullmatch(r"[A-Za-z0-9_-]{1,80}", step) else f'["{excerpt(step)}"]'
