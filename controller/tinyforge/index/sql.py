"""The queries, read from `queries/*.sql`.

A query is a block that begins with a line `-- name: <name>` and ends where the next one begins; it is loaded as it stands, and is never put
together from parts.
"""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def queries(topic: str) -> dict[str, LiteralString]:
    """Return the queries of `queries/<topic>.sql` by name."""
    text = files("tinyforge.index").joinpath("queries", f"{topic}.sql").read_text(encoding="utf-8")
    _, *parts = _NAME.split(text)
    return {name: cast("LiteralString", block.strip()) for name, block in zip(parts[::2], parts[1::2], strict=True)}
