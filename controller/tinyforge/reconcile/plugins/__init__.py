"""The plugins that are installed, and what each makes of a workload's config.

The drivers call `load_plugins` once, at the start: importing other people's code is slow, blocks, and may do anything. The dispatch asks
`Plugins.source` and `Plugins.trigger` for each workload, and `tinyforge plugins` prints them all. Nothing of a plugin can end its caller:
whatever it raises is a sentence that names the plugin and the distribution it came with. (The one exception is KeyboardInterrupt, which
is how a person ends us.)

    loading → entry_points → what is installed
       │  └─→ contract       does it keep `tinyforge.plugin`?
       └─→ installed → configs → faults
"""

from tinyforge.reconcile.plugins.faults import FaultReason, PluginFault, PluginType
from tinyforge.reconcile.plugins.installed import Broken, Loaded, Origin, Plugins, Prepared
from tinyforge.reconcile.plugins.loading import load_plugins

__all__ = ["Broken", "FaultReason", "Loaded", "Origin", "PluginFault", "PluginType", "Plugins", "Prepared", "load_plugins"]
