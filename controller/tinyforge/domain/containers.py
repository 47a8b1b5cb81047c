"""What a Docker Engine says of one container, as frozen values.

The fields carry Docker's own names on the wire, so that an answer of `GET /containers/json` is decoded straight into them and
nothing else of it is kept: a container may have a hundred thousand labels, and Tinyforge knows nine. `null`, where Docker may send
it, means empty (rule M10).
"""

from typing import Annotated

from msgspec import Meta, Struct


class Labels(
    Struct,
    frozen=True,
    kw_only=True,
    rename={
        "installation": "tinyforge.installation",
        "workload_id": "tinyforge.workload.id",
        "workload_kind": "tinyforge.workload.kind",
        "role": "tinyforge.role",
        "static_site": "tinyforge.static-site",
        "compose_project": "com.docker.compose.project",
        "compose_service": "com.docker.compose.service",
        "compose_number": "com.docker.compose.container-number",
        "compose_oneoff": "com.docker.compose.oneoff",
    },
):
    """The labels Tinyforge knows. An empty value counts as absent (rule M2), so absent is the empty string."""

    installation: str = ""
    workload_id: str = ""
    workload_kind: str = ""
    role: str = ""
    static_site: str = ""
    compose_project: str = ""
    compose_service: str = ""
    compose_number: str = ""
    compose_oneoff: str = ""


class Port(Struct, frozen=True, rename={"private": "PrivatePort"}):
    """One port of a container, inside it."""

    private: Annotated[int, Meta(ge=0, le=65535)]


class Container(
    Struct,
    frozen=True,
    kw_only=True,
    rename={"id": "Id", "names": "Names", "image": "Image", "state": "State", "created": "Created", "ports": "Ports", "labels": "Labels"},
):
    """One entry of a container list. `created` is in whole seconds since 1970, by the engine's clock."""

    id: Annotated[str, Meta(min_length=1)]
    image: str
    state: str
    created: int
    names: tuple[str, ...] | None = None
    ports: tuple[Port, ...] | None = None
    labels: Labels | None = None

    @property
    def name(self) -> str:
        """The container's own name without its slash, empty if it has none.

        Docker lists the names that legacy links give it too (`/linker/alias`), in any order: the own name is one without a second
        slash, and the smallest wins, so that the order never matters.
        """
        names = [name.removeprefix("/") for name in self.names or ()]
        return min(names, key=lambda name: ("/" in name, name), default="")

    @property
    def lowest_port(self) -> int:
        """The lowest private port by number, 0 if there is none (rule W3: Docker's order is random)."""
        return min([port.private for port in self.ports]) if self.ports else 0
