"""Free-form configuration of a plugin: any JSON object that the index can hold, within bounds.

The plugin's own model says which fields it knows; until then the bounds here keep what nobody has checked from hurting anybody.
PostgreSQL's jsonb holds every JSON text but those with U+0000 or half a surrogate pair.
"""

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20

Path = tuple[str | int, ...]


def _bounded(config: dict[str, Any]) -> dict[str, Any]:
    """Return `config` if the index can hold it; the first fault ends the search, so a repeated value costs no more than the bound."""
    size = 0
    for path, text in _texts(config, ()):
        if "\0" in text:
            raise _refused(path, "holds the character U+0000, which PostgreSQL cannot store")
        size += _stored_bytes(path, text)
        if size > MAX_BYTES:
            raise _refused((), f"is longer than {MAX_BYTES // 1024} KiB of JSON, the most a config may have")
    return config


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Walk through a JSON value: every key and every scalar as text, with its path; a list or mapping as its brackets."""
    if len(path) > MAX_DEPTH:
        raise _refused(path, f"is nested more than {MAX_DEPTH} levels deep")
    if isinstance(value, dict):
        yield path, "{}"
        for key, item in value.items():
            yield (*path, key), key
            yield from _texts(item, (*path, key))
    elif isinstance(value, list):
        yield path, "[]"
        for index, item in enumerate(value):
            yield from _texts(item, (*path, index))
    else:
        yield path, str(value)


def _stored_bytes(path: Path, text: str) -> int:
    try:
        return len(text.encode()) + 1  # and the comma or colon behind it
    except UnicodeEncodeError as error:
        raise _refused(path, "holds half a surrogate pair, which is no text") from error


def _refused(path: Path, message: str) -> PydanticCustomError:
    return PydanticCustomError("config", "{message}", {"message": message, "path": path})


Config = Annotated[
    dict[str, Any],
    Field(max_length=1024, json_schema_extra={"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
    AfterValidator(_bounded),
]
