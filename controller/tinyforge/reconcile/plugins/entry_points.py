"""What the installed distributions offer as plugins, by their entry points; nothing is imported yet.

`importlib.metadata.entry_points` would do, but for one line that is no entry point, in any file of any distribution, it answers nobody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distribution, distributions

from tinyforge.reconcile.plugins.faults import PluginType, bounded, told
from tinyforge.reconcile.plugins.installed import Broken, Origin

_UNKNOWN = "?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One plugin that a distribution says it has."""

    kind: str
    origin: Origin
    entry_point: EntryPoint


def find_offers(plugin_type: PluginType) -> list[Offer | Broken]:
    """Return what is offered, by distribution. A distribution whose list cannot be read is a broken plugin of the kind `?`."""
    group = f"tinyforge.{plugin_type}s"
    names = {name for each in distributions() if group in _entry_points_text(each) if (name := _text_of(each, "Name"))}
    return [offer for name in sorted(names) for offer in _offers(distribution(name), group)]


def _offers(offering: Distribution, group: str) -> Iterator[Offer | Broken]:
    origin = Origin(distribution=_text_of(offering, "Name") or _UNKNOWN, version=_text_of(offering, "Version") or _UNKNOWN)
    try:
        entry_points = offering.entry_points.select(group=group)
    except Exception as error:  # noqa: BLE001 - the standard library's parser raises whatever its parts do
        yield Broken(kind=_UNKNOWN, origin=origin, why=f"its entry_points.txt cannot be read: {told(error)}")
        return
    for entry_point in entry_points:
        yield Offer(kind=entry_point.name, origin=origin, entry_point=entry_point)


def _entry_points_text(offering: Distribution) -> str:
    try:
        return offering.read_text("entry_points.txt") or ""
    except (OSError, UnicodeDecodeError):  # whose it is nobody can tell, and it is most likely nobody of ours
        return ""


def _text_of(offering: Distribution, field: str) -> str:
    """Return a field of its metadata; empty if an installation that went wrong left none."""
    try:
        metadata = offering.metadata
        return bounded(metadata[field]) if field in metadata else ""
    except (OSError, UnicodeDecodeError):
        return ""
