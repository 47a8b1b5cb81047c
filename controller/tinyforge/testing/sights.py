"""What a plugin may be shown: an ordinary sight, and those that nobody thinks of. Labels and images are anybody's text."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeVar

from pydantic import BaseModel

from tinyforge.plugin import Container, PublicFace, Seen, Workload

ConfigT = TypeVar("ConfigT", bound=BaseModel)

_AS_OF = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
_STATES = ("running", "stopped", "created", "restarting", "paused", "removing", "missing", "failed", "whatever Docker says next")
_ROLES = ("", " ", "web worker", "ünïcödé", "日本語", "a" * 255, "../../etc", "{}", "%s%n", "[bold]x[/bold]", "$(id)", "'; --", "__class__")
_IMAGES = (
    "",
    ":",
    "@",
    "/",
    "nginx",
    "a:b:c@d@e",
    "sha256:" + "0" * 64,
    "0123456789ab",
    "registry.example.com:5000/team/app:1@sha256:" + "f" * 64,
    "x" * 5000,
    "\x1b[31m\u202e\n",
)
_WORKLOAD = Workload(
    id="team/shop",
    kind="stack",
    host="web1",
    compose_project="tinyforge-team_shop",
    group="shops",
    parent="team/all",
    faces=(PublicFace(domain="shop.example.com", role="web"),),
)

_BARE = Workload(id="default/x", kind="project", host="local")
_CONTAINERS: Mapping[str, tuple[Container, ...]] = {
    "no containers": (),
    "a thousand containers": tuple(
        Container(row=f"team/shop:web:{number}", container_id=f"{number:064x}", role="web", image="nginx", state="running", port=80)
        for number in range(1000)
    ),
    "every state": tuple(
        Container(row=f"team/shop:{number}", container_id=f"{number:064x}", role="web", image="nginx", state=state, port=0)
        for number, state in enumerate(_STATES)
    ),
    "roles of any text": tuple(
        Container(row=f"team/shop:{role}", container_id=f"{number:064x}", role=role, image="nginx", state="running", port=65535)
        for number, role in enumerate(_ROLES)
    ),
    "images of any text": tuple(
        Container(row=f"team/shop:{number}", container_id=f"{number:064x}", role="web", image=image, state="running", port=80)
        for number, image in enumerate(_IMAGES)
    ),
}


_SIGHTS = {name: (_WORKLOAD, containers) for name, containers in _CONTAINERS.items()} | {"a bare project": (_BARE, ())}
SIGHTS = tuple(_SIGHTS)
"""The names of what a plugin may be shown beside the ordinary: what is odd about it."""


def ordinary(config: ConfigT) -> Seen[ConfigT]:
    """Return what is seen of a workload with one container that runs and one that does not."""
    containers = (
        Container(row="team/shop:db", container_id="d" * 64, role="db", image="postgres:17", state="stopped", port=0),
        Container(row="team/shop:web", container_id="e" * 64, role="web", image="nginx:1.27", state="running", port=80),
    )
    return Seen(workload=_WORKLOAD, config=config, containers=containers, as_of=_AS_OF)


def odd(name: str, config: ConfigT) -> Seen[ConfigT]:
    """Return what is seen under one of the names of `SIGHTS`."""
    workload, containers = _SIGHTS[name]
    return Seen(workload=workload, config=config, containers=containers, as_of=_AS_OF)
