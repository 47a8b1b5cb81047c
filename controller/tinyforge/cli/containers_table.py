"""The rows of the index as people see them, in `ps` and while they watch."""

from collections.abc import Iterable, Mapping
from typing import Any

from tinyforge.cli.output import Cell, Table
from tinyforge.cli.texts import age, short_id, state, text

Fact = Mapping[str, Any]

_TITLES = ("WORKLOAD", "ROLE", "STATE", "CONTAINER", "IMAGE", "PORT", "HOST", "SEEN")


def containers_table(facts: Iterable[Fact]) -> Table:
    """Return rows of `container_status` as a table. SEEN is how long ago a pass last saw the container."""
    return Table(_TITLES, [_row(fact) for fact in facts])


def _row(fact: Fact) -> list[Cell]:
    return [
        text(fact["workload_id"]),
        text(fact["role"]),
        state(fact["effective_state"], fact["reason"]),
        text(short_id(fact["container_id"])),
        text(fact["image_ref"]),
        text(str(fact["port"] or "")),
        text(fact["host"]),
        Cell(age(fact["last_seen_at"])),
    ]
