"""The Docker Engine adapter: list, labels and identity, over `unix://`, `tcp://` with TLS, or `ssh://`.

The drivers call `open_engine` for each declared host and hand what it returns to the use cases, which know it as `tinyforge.ports.Engine`.
An engine is never trusted: its answer is whole, bounded in size and time, and of the right shape, or it is an `EngineError`. Nothing here
changes an engine.

    connect → docker_engine → requests → unix | tls | ssh → an engine
                  │               │            └→ credentials ← Secrets, read anew before every call
                  │               └→ intake (shared by all hosts)
                  └→ answers, versions
"""

from tinyforge.engine.connect import open_engine
from tinyforge.engine.intake import Intake
from tinyforge.engine.secrets import FolderSecrets

__all__ = ["FolderSecrets", "Intake", "open_engine"]
