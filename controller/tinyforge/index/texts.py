"""Anybody's text, made fit for PostgreSQL, which can hold neither U+0000 nor half a surrogate pair.

For what is only shown or looked for. What a row is told by is never changed: the domain refuses it instead (rule M10).
"""

import re
from typing import Any

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def storable(text: str) -> str:
    """Return `text` with U+FFFD for every character that PostgreSQL cannot hold."""
    return _UNSTORABLE.sub("\ufffd", text)


def storable_json(value: Any) -> Any:
    """Return a JSON value with every text in it, keys included, made storable."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): storable_json(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [storable_json(item) for item in value]
    return value
