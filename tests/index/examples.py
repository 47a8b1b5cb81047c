"""Values that the tests of the index are made of; each says only what its test is about."""

from collections.abc import Sequence
from typing import Any

from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.hosts import EngineIdentity, Host
from tinyforge.domain.index_plan import Change
from tinyforge.domain.mirror import MirrorPlan
from tinyforge.domain.rows import Row
from tinyforge.domain.workloads import Kind, Workload
from tinyforge.ports import CompletePass

HOST = "local"
ENGINE = EngineIdentity(engine_id="engine-1", version="28.0.0", api_version="1.48")
STALE_AFTER = 120.0

DEPLOYER_COLUMNS = ("subdomain", "proxy_route_id", "npm_proxy_id", "image_tag", "stage_id")
"""What a deployer owns (rule W2)."""


def row(id_: str = "default/app:web", **changes: Any) -> Row:
    """A row that is bound to a running container."""
    columns: dict[str, Any] = {
        "id": id_,
        "workload_id": id_.partition(":")[0],
        "workload_kind": "stack",
        "role": id_.partition(":")[2],
        "container_id": f"container of {id_}",
        "image_ref": "image:1",
        "host": HOST,
        "state": "running",
        "state_reason": "",
        "port": 80,
        "seen": True,
    }
    return Row(**(columns | changes))


def new(*rows: Row) -> tuple[Change, ...]:
    """Changes that make rows where there are none."""
    return tuple(Change(row=it, over=None) for it in rows)


def complete(changes: Sequence[Change] = (), **facts: Any) -> CompletePass:
    """A complete pass of the host, whose list was asked for just now."""
    about: dict[str, Any] = {"host": HOST, "listed": 0, "matched": 0, "elapsed": 0.0, "stale_after": STALE_AFTER}
    return CompletePass(changes=tuple(changes), **(about | facts))


def host(name: str = HOST, **changes: Any) -> Host:
    """A declared host."""
    return Host(name=name, **({"endpoint": "unix:///var/run/docker.sock"} | changes))


def workload(id_: str = "default/app", *, on: str = HOST, kind: Kind = Kind.STACK, **key: str) -> DeclaredWorkload:
    """A declared workload."""
    default = {Kind.STACK: {"compose_project": f"tinyforge-{id_.replace('/', '_')}"}, Kind.SITE: {"ref": id_}}.get(kind, {})
    return DeclaredWorkload(key=Workload(id=id_, kind=kind, host=on, **(default | key)))


def declare(*what: Host | DeclaredWorkload, remove_hosts: Sequence[str] = (), remove_workloads: Sequence[str] = ()) -> MirrorPlan:
    """A plan that mirrors what is declared, and takes out what no longer is."""
    return MirrorPlan(
        hosts=tuple(it for it in what if isinstance(it, Host)),
        removed_hosts=tuple(remove_hosts),
        workloads=tuple(it for it in what if isinstance(it, DeclaredWorkload)),
        removed_workloads=tuple(remove_workloads),
        refusals=(),
    )
