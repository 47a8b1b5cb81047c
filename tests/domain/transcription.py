"""The rules M1 to M12, W3, W4, S1 and S4 once more, slowly and word by word: what the planner is compared with.

It reads labels by Docker's own names, goes through everything for every container, and settles contests as the text of rule M9 says:
the strongest container first, each takes the best row that is left.
"""

from dataclasses import dataclass

from msgspec import to_builtins
from msgspec.structs import replace

from tests.domain.world import HOST, OURS, World
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.rows import Row
from tinyforge.domain.workloads import Workload


@dataclass(frozen=True)
class Asks:
    """What a container asks for: rows of a workload, the best first."""

    workload: Workload
    role: str
    rows: list[str]


def verdict(container: Container, world: World) -> Asks | str:
    """What the rules say of one container alone: what it asks for, or why it gets nothing."""
    labels = {key: value for key, value in to_builtins(container.labels or Labels()).items() if value}  # M2
    if "tinyforge.installation" in labels and labels["tinyforge.installation"] != OURS:
        return "Foreign"  # M12
    here = [workload for workload in world.workloads if workload.host == HOST]  # M5
    if "tinyforge.workload.id" in labels:  # M1
        asks = _canonical(container, labels, here, world)
    elif "tinyforge.static-site" in labels:
        asks = _site(labels, here)
    elif labels.get("com.docker.compose.project", "").startswith("tinyforge-"):
        asks = _stack(container, labels, here)
    else:
        return "NotManaged"
    return asks if isinstance(asks, str) else _unless_refused(asks, labels, container)


def _canonical(container: Container, labels: dict[str, str], here: list[Workload], world: World) -> Asks | str:
    for workload in here:
        if workload.id == labels["tinyforge.workload.id"]:
            carrying = [row for row in world.rows if row.host == HOST and row.container_id == container.id]
            role = labels.get("tinyforge.role", "")
            rows = [row.id for row in sorted(carrying, key=lambda row: (row.state == "missing", row.id))]  # M8
            if workload.kind == "site":
                rows.append(f"{workload.id}:site")
            elif workload.kind == "stack":
                rows.append(f"{workload.id}:{role}" if role else f"{workload.id}:{container.id}")
            return Asks(workload, role, rows)
    return "UnknownWorkload"  # M3


def _site(labels: dict[str, str], here: list[Workload]) -> Asks | str:
    for workload in here:
        if workload.kind == "site" and workload.ref == labels["tinyforge.static-site"]:
            return Asks(workload, "", [f"{workload.id}:site"])  # M6
    return "UnknownRef"


def _stack(container: Container, labels: dict[str, str], here: list[Workload]) -> Asks | str:
    for workload in here:
        if workload.kind == "stack" and workload.compose_project == labels["com.docker.compose.project"]:
            own_names = sorted(name[1:] for name in container.names or () if "/" not in name[1:])
            linked = sorted(name[1:] for name in container.names or ())
            role = labels.get("com.docker.compose.service") or [*own_names, *linked, container.id][0]  # M7
            number = labels.get("com.docker.compose.container-number", "1")
            digits = all(digit in "0123456789" for digit in number)
            if labels.get("com.docker.compose.oneoff") == "True":
                return Asks(workload, role, [f"{workload.id}:{container.id}"])  # M11
            if digits and number[0] != "0" and len(number) <= 9 and int(number) > 1:
                return Asks(workload, role, [f"{workload.id}:{role}:{number}"])
            return Asks(workload, role, [f"{workload.id}:{role}"])
    return "UnknownProject"


def _unless_refused(asks: Asks, labels: dict[str, str], container: Container) -> Asks | str:
    if labels.get("tinyforge.workload.kind", asks.workload.kind) != asks.workload.kind:
        return "KindConflict"  # M4
    if not asks.role.isprintable() or len(asks.role.encode()) > 255:
        return "RoleUnusable"  # M10
    if not asks.rows:
        return "NoRow"  # M8
    return "Unstorable" if "\0" in container.image else asks


def settled(world: World) -> tuple[dict[str, str], dict[str, Row]]:
    """What becomes of every container, and every row after the pass."""
    asking = {container: verdict(container, world) for container in world.containers}
    fates = {container.id: asks for container, asks in asking.items() if isinstance(asks, str)}
    rows = {row.id: row for row in world.rows}
    taken: set[str] = set()
    for container in sorted(asking, key=lambda it: (it.state == "running", it.created, it.id), reverse=True):  # M9
        asks = asking[container]
        if isinstance(asks, Asks):
            free = [row for row in asks.rows if row not in taken]
            fates[container.id] = free[0] if free else "Displaced"
            for won in free[:1]:
                taken.add(won)
                rows[won] = _written(won, asks, container)
    listed = {container.id for container in world.containers}
    declared_here = {workload.id for workload in world.workloads if workload.host == HOST}
    for row in world.rows:
        if row.id not in taken and row.host == HOST and row.container_id and row.state != "missing":  # S1, S4
            gone = "ContainerGone" if row.container_id not in listed else ""
            reason = gone or ("NotMatched" if row.workload_id in declared_here else "WorkloadRemoved")
            rows[row.id] = replace(row, state="missing", state_reason=reason)
    return fates, rows


def _written(row: str, asks: Asks, container: Container) -> Row:
    ports = sorted(port.private for port in container.ports or ())
    return Row(
        id=row,
        workload_id=asks.workload.id,
        workload_kind=asks.workload.kind,
        role=asks.role,
        container_id=container.id,
        image_ref=container.image,
        host=HOST,
        state={"exited": "stopped", "dead": "stopped"}.get(container.state, container.state),  # W4
        state_reason="",
        port=[*ports, 0][0],  # W3
        seen=True,
    )
