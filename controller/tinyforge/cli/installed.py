"""The plugins of a process that dispatches: loaded once, at its start, and whatever is wrong with them said."""

import logging

from tinyforge.reconcile.plugins import Plugins, load_plugins

logger = logging.getLogger(__name__)


def installed_plugins() -> Plugins:
    """Load the plugins; a broken one is a warning even if no workload names it yet."""
    plugins = load_plugins()
    for plugin_type, broken in plugins.broken:
        logger.warning(
            "the %s %s (%s) cannot be used: %s",
            plugin_type,
            broken.kind,
            broken.origin,
            broken.why,
            extra={"action": "plugin_broken", "plugin": broken.kind, "distribution": broken.origin.distribution},
        )
    return plugins
