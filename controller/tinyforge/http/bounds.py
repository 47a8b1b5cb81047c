"""What strangers may cost this process, by way of its HTTP port."""

from dataclasses import dataclass

LINE_BYTES = 2048
"""The longest path and query of a request."""
FIELD_BYTES = 4096
"""The longest name and the longest value of a header; the cookies of a browser may be that long."""
FIELDS = 32
"""How many headers a request may have. Prometheus sends 6, a browser about 20."""
UNREAD_BYTES = 8192
"""How much the kernel may have for us at once; it takes twice that. aiohttp keeps what it read last of a request that is none, until Python
next looks through all its garbage: with a kernel's own choice that came to 256 KiB for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How many connections there may be, and for how long.

    The default costs at most 25 MiB, measured with 300 clients that each send 250 KiB of headers and come again once they are cut.

    Args:
        connections: how many are open at most; one more closes the oldest. So nobody can keep a kubelet out by holding them all.
        seconds: how long each may last, whatever it does. Prometheus gives up after 10 s by default, a kubelet after 1.
    """

    connections: int = 32
    seconds: float = 10.0

    @property
    def accepted_at_once(self) -> int:
        """How many new ones one turn of the event loop accepts: so few that none is the oldest before its request was looked at."""
        return max(1, self.connections // 8)
