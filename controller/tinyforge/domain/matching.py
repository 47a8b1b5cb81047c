"""Which workload, and which row, a container asks for: rules M1 to M8 and M10 to M12.

The first label that is present decides, and there is no falling through: a container whose deciding label names nothing known is
not tried under the later rules. Several containers may ask for one row; `tinyforge.domain.contest` settles that (rule M9). Labels
are hostile until proved otherwise: they are looked up in dictionaries and compared, never interpreted.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from msgspec import Struct

from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.rows import MISSING, Row
from tinyforge.domain.workloads import Kind, Workload, Workloads

STACK_PREFIX = "tinyforge-"
ROLE_BYTES = 255
"""The longest role in bytes of UTF-8 (rule M10): a longer one could break the primary key, and with it a whole statement."""

_COMPOSE_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_NO_LABELS = Labels()


class Outcome(StrEnum):
    """What became of a container that was seen."""

    MATCHED = "matched"
    IGNORED = "ignored"
    REFUSED = "refused"
    DISPLACED = "displaced"


class Reason(StrEnum):
    """Why a container did not get a row: stable words, explained by `tinyforge.domain.explanation`."""

    DISPLACED = "Displaced"
    FOREIGN = "Foreign"
    KIND_CONFLICT = "KindConflict"
    NOT_MANAGED = "NotManaged"
    NO_ROW = "NoRow"
    OTHER_HOST = "OtherHost"
    ROLE_UNUSABLE = "RoleUnusable"
    UNKNOWN_PROJECT = "UnknownProject"
    UNKNOWN_REF = "UnknownRef"
    UNKNOWN_WORKLOAD = "UnknownWorkload"
    UNSTORABLE = "Unstorable"


class Claim(Struct, frozen=True):
    """A container that belongs to `workload`, and the ids of the rows it asks for, the one it would rather have first."""

    container: Container
    rule: str
    workload: Workload
    role: str
    rows: tuple[str, ...]


class Rejection(Struct, frozen=True):
    """A container that gets no row by `rule`; `workload` is the one it named, if that is known."""

    container: Container
    rule: str
    outcome: Outcome
    reason: Reason
    workload: Workload | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HostView:
    """What is known of a host before its containers are matched: the declared workloads and the rows of the index."""

    host: str
    installation: str
    workloads: Workloads
    rows: Mapping[str, Row]

    def bindings(self) -> Mapping[str, str]:
        """Return the container id that each row of this host carries, empty for a row without one."""
        return {row.id: row.container_id for row in self.rows.values() if row.host == self.host}

    def rows_by_container(self) -> Mapping[str, Sequence[str]]:
        """Return, for each container id that rows of this host carry, those rows as M8 prefers them: not missing, then the smaller id."""
        found: dict[str, list[Row]] = {}
        for row in self.rows.values():
            if row.container_id and row.host == self.host:
                found.setdefault(row.container_id, []).append(row)
        for rows in found.values():
            if len(rows) > 1:
                rows.sort(key=lambda row: (row.state == MISSING, row.id))
        return {container_id: [row.id for row in rows] for container_id, rows in found.items()}


def match(container: Container, view: HostView, bound: Mapping[str, Sequence[str]]) -> Claim | Rejection:
    """Decide by its labels which workload a container belongs to and which rows it asks for.

    Args:
        container: one entry of the host's list.
        view: the declared workloads and rows.
        bound: `view.rows_by_container()`, worked out once a pass.
    """
    labels = container.labels or _NO_LABELS
    if labels.installation and labels.installation != view.installation:
        return _ignored(container, "M12", Reason.FOREIGN)
    if labels.workload_id:
        return _match_canonical(container, labels, view.workloads, bound)
    if labels.static_site:
        return _match_site(container, labels, view.workloads)
    if labels.compose_project.startswith(STACK_PREFIX):
        return _match_stack(container, labels, view.workloads)
    return _ignored(container, "M1", Reason.NOT_MANAGED)


def _match_canonical(container: Container, labels: Labels, workloads: Workloads, bound: Mapping[str, Sequence[str]]) -> Claim | Rejection:
    workload = workloads.by_id.get(labels.workload_id)
    if workload is None:
        if labels.workload_id in workloads.elsewhere:
            return _ignored(container, "M5", Reason.OTHER_HOST)
        return _ignored(container, "M3", Reason.UNKNOWN_WORKLOAD)
    if workload.kind is Kind.SITE:
        own = f"{workload.id}:site"
    elif workload.kind is Kind.PROJECT:
        own = ""
    else:
        own = f"{workload.id}:{labels.role or container.id}"
    rows = tuple(dict.fromkeys(row for row in (*bound.get(container.id, ()), own) if row))
    return _claim(Claim(container, "M8", workload, labels.role, rows), labels)


def _match_site(container: Container, labels: Labels, workloads: Workloads) -> Claim | Rejection:
    workload = workloads.by_ref.get(labels.static_site)
    if workload is None:
        return _ignored(container, "M6", Reason.UNKNOWN_REF)
    return _claim(Claim(container, "M6", workload, "", (f"{workload.id}:site",)), labels)


def _match_stack(container: Container, labels: Labels, workloads: Workloads) -> Claim | Rejection:
    workload = workloads.by_project.get(labels.compose_project)
    if workload is None:
        return _ignored(container, "M7", Reason.UNKNOWN_PROJECT)
    role = labels.compose_service or container.name or container.id
    if labels.compose_oneoff == "True":
        return _claim(Claim(container, "M11", workload, role, (f"{workload.id}:{container.id}",)), labels)
    if _COMPOSE_NUMBER.fullmatch(labels.compose_number) and labels.compose_number != "1":
        return _claim(Claim(container, "M11", workload, role, (f"{workload.id}:{role}:{labels.compose_number}",)), labels)
    return _claim(Claim(container, "M7", workload, role, (f"{workload.id}:{role}",)), labels)


def _claim(claim: Claim, labels: Labels) -> Claim | Rejection:
    """Let a claim stand unless a rule that holds on every path speaks against it."""
    if labels.workload_kind and labels.workload_kind != claim.workload.kind:
        return Rejection(claim.container, "M4", Outcome.REFUSED, Reason.KIND_CONFLICT, claim.workload)
    if not is_usable_role(claim.role):
        return Rejection(claim.container, "M10", Outcome.REFUSED, Reason.ROLE_UNUSABLE, claim.workload)
    if not claim.rows:
        return Rejection(claim.container, claim.rule, Outcome.IGNORED, Reason.NO_ROW, claim.workload)
    if not _is_storable(claim.container):
        return Rejection(claim.container, "M10", Outcome.REFUSED, Reason.UNSTORABLE, claim.workload)
    return claim


def is_usable_role(role: str) -> bool:
    """Tell whether `role` may be part of a row's id (rule M10). A lone surrogate is not printable, so the encoding cannot fail."""
    return role.isprintable() and len(role.encode()) <= ROLE_BYTES


def _is_storable(container: Container) -> bool:
    """Tell whether the rest fits into a row. No real engine sends an id, image or state that does not, but a forged one could."""
    return is_usable_role(container.id) and "\0" not in container.image and "\0" not in container.state


def _ignored(container: Container, rule: str, reason: Reason) -> Rejection:
    return Rejection(container, rule, Outcome.IGNORED, reason)
