"""One row of the containers index, with the columns that Docker decides (rule W1).

What a deployer owns (`subdomain`, `proxy_route_id`, `npm_proxy_id`, `image_tag`, `stage_id`) is not here, so nothing built on these
values can touch it (rule W2). Times are not here either: they are PostgreSQL's own (rule T2).
"""

from msgspec import Struct

MISSING = "missing"


class Row(Struct, frozen=True):
    """A row as read, or as it should become. `seen` tells whether a pass ever saw its container (column `last_seen_at` is set)."""

    id: str
    workload_id: str
    workload_kind: str
    role: str
    container_id: str
    image_ref: str
    host: str
    state: str
    state_reason: str
    port: int
    seen: bool

    @property
    def present(self) -> bool:
        """Whether the row is bound to a container that is not known to be gone."""
        return bool(self.container_id) and self.state != MISSING
