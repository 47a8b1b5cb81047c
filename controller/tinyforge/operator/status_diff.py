"""What of an object's status is ours, and whether it is as it should be: pure.

A status is shared: whatever stands in it beside what we want may be somebody else's. So two statuses are compared by their *leaves*: each
has a path, in which a condition is told by its type, wherever it stands in the list.
"""

from collections.abc import Iterator, Mapping
from typing import Any

Path = tuple[str, ...]
Leaves = Mapping[Path, Any]


def leaves(status: Mapping[str, Any]) -> Leaves:
    """Return every value that is no object and no list by its path, and every empty object or list by its own."""
    return dict(_walk(status, ()))


def missing_from(found: Leaves, wanted: Leaves) -> bool:
    """Whether something of `wanted` is not in `found`, or is otherwise there."""
    absent = object()
    return any(found.get(path, absent) != value for path, value in wanted.items() if value not in ([], {}))


def surplus_of(found: Leaves, wanted: Leaves) -> frozenset[Path]:
    """Return the paths of what `found` has beside `wanted`."""
    return frozenset(path for path, value in found.items() if path not in wanted and value not in ([], {}))


def _walk(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    parts = _parts(value)
    if not parts:
        yield path, value
    for name, part in parts.items():
        yield from _walk(part, (*path, name))


def _parts(value: Any) -> Mapping[str, Any]:
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list):
        return {_name(item, index): item for index, item in enumerate(value)}
    return {}


def _name(item: Any, index: int) -> str:
    return str(item["type"]) if isinstance(item, Mapping) and "type" in item else str(index)
