"""What the use cases need from the world: protocols, and the errors that may cross them.

The adapters (`tinyforge.engine`, `tinyforge.index`) implement these; `tinyforge.reconcile` knows nothing else of them. A foreign
exception stops at its adapter and is chained to one of these:

    TinyforgeError
    ├── EngineError              an engine gave no usable answer; `reason` is one of the constants of `EngineReason`
    ├── IndexUnavailable         PostgreSQL gave no usable answer: try again later
    │   └── RowsMoved            rows changed since they were read (rule W7): a pass reads and plans again at once
    ├── IndexRefused             PostgreSQL answered, and the answer is no until somebody acts
    │   └── Fenced               somebody else leads: this process writes nothing any more
    ├── MutationRefused          an engine was not to be changed now, and was not
    └── MutationUnanswered       a change of an engine was begun, and nobody knows whether it is done
"""

from tinyforge.ports.engines import Engine, Listing, Secrets
from tinyforge.ports.errors import (
    EngineError,
    EngineReason,
    Fenced,
    IndexRefused,
    IndexUnavailable,
    MutationRefused,
    MutationUnanswered,
    RowsMoved,
    TinyforgeError,
)
from tinyforge.ports.index import (
    CompletePass,
    ContainersIndex,
    ContainersReader,
    CountedRow,
    FailedPass,
    HostSnapshot,
    Housekeeping,
    LedIndex,
    MirrorIndex,
    RequestQueue,
    WorkloadsIndex,
    WorkloadSnapshot,
)
from tinyforge.ports.leadership import Attendant, Claim, Claiming, Leases, Presence, Term
from tinyforge.ports.mutations import Intents, Validity

__all__ = [
    "Attendant",
    "Claim",
    "Claiming",
    "CompletePass",
    "ContainersIndex",
    "ContainersReader",
    "CountedRow",
    "Engine",
    "EngineError",
    "EngineReason",
    "FailedPass",
    "Fenced",
    "HostSnapshot",
    "Housekeeping",
    "IndexRefused",
    "IndexUnavailable",
    "Intents",
    "Leases",
    "LedIndex",
    "Listing",
    "MirrorIndex",
    "MutationRefused",
    "MutationUnanswered",
    "Presence",
    "RequestQueue",
    "RowsMoved",
    "Secrets",
    "Term",
    "TinyforgeError",
    "Validity",
    "WorkloadSnapshot",
    "WorkloadsIndex",
]
