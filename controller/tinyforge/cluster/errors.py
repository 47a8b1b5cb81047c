"""What can go wrong between us and a cluster. Foreign exceptions become these at `tinyforge.cluster.faults`, and are chained.

TinyforgeError
├── NoCluster                nobody said where the cluster is, or what was said is unusable
├── ClusterUnavailable       the API server gave no usable answer: try again later
└── ClusterRefused           it answered, and the answer is no until somebody acts; `status` is the HTTP status
    └── ObjectMoved          the object is not what was read any more: read it again
"""

from tinyforge.ports import TinyforgeError


class NoCluster(TinyforgeError):
    """There is no cluster to speak with; the text says what to set."""


class ClusterUnavailable(TinyforgeError):
    """The API server gave no usable answer; trying again later may work.

    Args:
        message: what happened.
        status: the HTTP status; None if there was no answer.
        retry_after: how long the server asks to be left alone, in seconds; None if it does not say.
        maybe_done: whether the request may have been carried out all the same.
    """

    def __init__(self, message: str, *, status: int | None = None, retry_after: float | None = None, maybe_done: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.retry_after = retry_after
        self.maybe_done = maybe_done


class ClusterRefused(TinyforgeError):
    """The API server answered, and the answer stays no until somebody acts; the text is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class ObjectMoved(ClusterRefused):
    """The object is not what was read any more; nothing was written."""

    def __init__(self, message: str) -> None:
        super().__init__(409, message)
