"""Every offer becomes a plugin that can be used, or a sentence why not. It imports foreign code, so it is done once, at a start."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from tinyforge.reconcile.plugins.contract import breach, config_schema
from tinyforge.reconcile.plugins.entry_points import Offer, find_offers
from tinyforge.reconcile.plugins.faults import PluginType, bounded, told
from tinyforge.reconcile.plugins.installed import Broken, Loaded, Plugins

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123; anything else no spec could name


def load_plugins() -> Plugins:
    """Load every plugin that is installed. It never raises for a plugin's sake, and blocks for as long as their imports take."""
    return Plugins(sources=_load_all(PluginType.SOURCE), triggers=_load_all(PluginType.TRIGGER))


def _load_all(plugin_type: PluginType) -> tuple[Loaded[Any] | Broken, ...]:
    offers = defaultdict[str, list[Offer]](list)
    unreadable = []
    for found in find_offers(plugin_type):
        if isinstance(found, Broken):
            unreadable.append(found)
        else:
            offers[found.kind].append(found)
    settled = [each for rivals in offers.values() for each in _settle(rivals, plugin_type)]
    return tuple(sorted([*settled, *unreadable], key=lambda each: (each.kind, each.origin.distribution)))


def _settle(rivals: Sequence[Offer], plugin_type: PluginType) -> Iterator[Loaded[Any] | Broken]:
    """Load what has no rival: which of two somebody means is not for us to guess."""
    if len(rivals) == 1:
        yield _load(rivals[0], plugin_type)
        return
    why = f"it is offered by {' and by '.join(str(each.origin) for each in rivals)}: uninstall all but one"
    yield from (Broken(kind=each.kind, origin=each.origin, why=why) for each in rivals)


def _load(offer: Offer, plugin_type: PluginType) -> Loaded[Any] | Broken:
    try:
        found = _loaded_or_why(offer, plugin_type)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - foreign code, which may even call sys.exit while it is imported
        found = f"loading {bounded(offer.entry_point.value)} raised {told(error)}"
    return Broken(kind=offer.kind, origin=offer.origin, why=found) if isinstance(found, str) else found


def _loaded_or_why(offer: Offer, plugin_type: PluginType) -> Loaded[Any] | str:
    if not _LABEL.fullmatch(offer.kind):
        return "its name is no kind: allowed are up to 63 lower-case letters, digits and '-', with a letter or digit at both ends"
    factory = offer.entry_point.load()
    if not callable(factory):
        return f"{bounded(offer.entry_point.value)} is nothing that can be called"
    plugin = factory()
    if why := breach(plugin, plugin_type):
        return why
    return Loaded(
        kind=offer.kind, origin=offer.origin, plugin=plugin, api=plugin.api, config=plugin.config, schema=config_schema(plugin.config)
    )
