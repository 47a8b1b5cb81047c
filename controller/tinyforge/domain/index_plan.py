"""What a pass writes: observed containers, stored rows and declared workloads in, the rows to write and a verdict on every container out.

The plan is a fixed point (rule P9): planned again over its own result, it writes nothing. It sweeps only what a whole list proves
absent (S2), and only rows that were bound before that list was asked for (S6).
"""

from collections.abc import Collection, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from enum import StrEnum

from msgspec.structs import replace as replace_fields

from tinyforge.domain.containers import Container
from tinyforge.domain.contest import Displaced, Settlement, settle
from tinyforge.domain.matching import Claim, HostView, Rejection, match
from tinyforge.domain.rows import MISSING, Row

_STOPPED = frozenset({"exited", "dead", "stopped"})


class MissingReason(StrEnum):
    """Why a row turned `missing` (rule T1); kept in its `state_reason`."""

    CONTAINER_GONE = "ContainerGone"
    WORKLOAD_REMOVED = "WorkloadRemoved"
    NOT_MATCHED = "NotMatched"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One row to write, and the row it is written over: None if there must be none yet (rule W7)."""

    row: Row
    over: Row | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexPlan:
    """What one pass found and what it writes.

    `changes` come in the order of their ids, in which rows are locked; `winners` maps the id of each row to the claim that holds it.
    """

    changes: tuple[Change, ...]
    swept: int
    listed: int
    winners: Mapping[str, Claim]
    rejections: tuple[Rejection, ...]
    displaced: tuple[Displaced, ...]

    @property
    def matched(self) -> int:
        """How many containers have their row."""
        return len(self.winners)

    @property
    def ignored(self) -> int:
        """How many containers got no row: ignored, refused and displaced together, so that listed = matched + ignored."""
        return self.listed - self.matched

    def without(self, ids: Set[str]) -> "IndexPlan":
        """Return the plan less the changes of these rows, which somebody else is moving: they are left to the next pass (rule W7)."""
        kept = tuple(change for change in self.changes if change.row.id not in ids)
        return replace(self, changes=kept, swept=sum(change.row.state == MISSING for change in kept))


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What may be concluded from one list.

    `asked_ids` are the ids it was asked for, None for a full list (rule S2). `bound_before` maps the rows there were before it was asked
    for to the container ids they carried, empty for none (rules S6 and W7).
    """

    containers: Collection[Container]
    bound_before: Mapping[str, str]
    asked_ids: Set[str] | None = None

    def proves_absent(self, row: Row) -> bool:
        """Tell whether a row's container was looked for and, if it was there, could have been seen."""
        looked_for = self.asked_ids is None or row.container_id in self.asked_ids
        return looked_for and self.bound_before.get(row.id) == row.container_id

    def is_outdated_for(self, row_id: str, stored: Row | None, claim: Claim, *, host: str) -> bool:
        """Tell whether somebody deleted, moved or bound a row since, so that this list must not be written over it (rule W7)."""
        before = self.bound_before.get(row_id)
        if stored is None or stored.host != host:
            return before is not None
        return stored.container_id not in ("", before, claim.container.id)


def plan_index(view: HostView, evidence: Evidence) -> IndexPlan:
    """Decide what a pass writes.

    Args:
        view: the host's workloads and rows as read; rows of other hosts among them are written over only by a claim to their very id.
        evidence: the containers of one whole, successful list, each listed once.
    """
    bound = view.rows_by_container()
    claims: list[Claim] = []
    rejections: list[Rejection] = []
    for container in evidence.containers:
        verdict = match(container, view, bound)
        if isinstance(verdict, Claim):
            claims.append(verdict)
        else:
            rejections.append(verdict)
    settlement = settle(claims)
    rejections.sort(key=lambda rejection: rejection.container.id)
    swept = tuple(_sweep(view, evidence, settlement))
    changes = _without_collisions(view, sorted((*_bind(view, evidence, settlement), *swept), key=lambda change: change.row.id))
    return IndexPlan(
        changes=tuple(changes),
        swept=len(swept),
        listed=len(evidence.containers),
        winners=settlement.winners,
        rejections=tuple(rejections),
        displaced=settlement.displaced,
    )


def sweeps_most(view: HostView, plan: IndexPlan) -> bool:
    """Tell whether a plan turns more than half of the host's bound rows missing: reason enough to ask the engine again who it is."""
    return plan.swept > 0 and 2 * plan.swept > sum(row.host == view.host and row.present for row in view.rows.values())


def docker_state(state: str) -> str:
    """Return the state a row shows for a container's state (rule W4)."""
    return "stopped" if state in _STOPPED else state


def _bind(view: HostView, evidence: Evidence, settlement: Settlement) -> Iterator[Change]:
    """Yield the changes that bring each won row in line with its container, where they differ."""
    for row_id, claim in settlement.winners.items():
        container = claim.container
        row = Row(
            id=row_id,
            workload_id=claim.workload.id,
            workload_kind=claim.workload.kind,
            role=claim.role,
            container_id=container.id,
            image_ref=container.image,
            host=view.host,
            state=docker_state(container.state),
            state_reason="",
            port=container.lowest_port,
            seen=True,
        )
        stored = view.rows.get(row_id)
        if row != stored and not evidence.is_outdated_for(row_id, stored, claim, host=view.host):
            yield Change(row=row, over=stored)


def _without_collisions(view: HostView, changes: list[Change]) -> list[Change]:
    """Leave out what would bind a container that another row keeps, because somebody bound it there since the list was asked for (rule W7).

    PostgreSQL would refuse the whole write for it (`containers_one_row_a_container`); the next pass, which may sweep that row, settles it.
    """
    while changes:
        written = {change.row.id for change in changes}
        kept = {row.container_id for row in view.rows.values() if row.host == view.host and row.present and row.id not in written}
        rest = [change for change in changes if not (change.row.present and change.row.container_id in kept)]
        if len(rest) == len(changes):
            break
        changes = rest
    return changes


def _sweep(view: HostView, evidence: Evidence, settlement: Settlement) -> Iterator[Change]:
    """Yield the changes that turn bound rows missing whose container is gone, or is no longer theirs (rules S1 and S4)."""
    listed = {container.id for container in evidence.containers}
    for row in view.rows.values():
        if row.host == view.host and row.present and row.id not in settlement.winners and evidence.proves_absent(row):
            if row.container_id not in listed:
                reason = MissingReason.CONTAINER_GONE
            elif row.workload_id not in view.workloads.by_id:
                reason = MissingReason.WORKLOAD_REMOVED
            else:
                reason = MissingReason.NOT_MATCHED
            yield Change(row=replace_fields(row, state=MISSING, state_reason=reason), over=row)
