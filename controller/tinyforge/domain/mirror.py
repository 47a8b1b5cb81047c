"""What the index's mirror of the declared state becomes after a reading of it.

Three things keep a stored workload as it is, neither changed nor removed: it is written but refused here, it is written but
unusable (`held`), or the reading was incomplete and does not mention it (rule P10). Whatever is kept keeps its claim to a compose
project or ref. A workload that its host does not allow (any more) is not kept: a permission that is taken back ends what it allowed.
"""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import partial

from tinyforge.domain.declarations import Declared, DeclaredWorkload, Reading
from tinyforge.domain.hosts import Host

EVERY_NAMESPACE = "*"

Claim = tuple[str, str, str]
"""What only one workload of a host may have: field, value, host."""


class RefusalReason(StrEnum):
    """Why a declared workload is refused: the stable reasons of its Ready condition."""

    HOST_NOT_FOUND = "HostNotFound"
    HOST_UNUSABLE = "HostUnusable"
    HOST_NOT_ALLOWED = "HostNotAllowed"
    KIND_CHANGED = "KindChanged"
    CONFLICT = "Conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A declared workload that is refused: the field at fault, and a sentence with the way out.

    `message` names nothing that is not the workload's own, so it may be shown to whoever sees the workload. `detail` names others: it is
    for people who may see everything.
    """

    workload_id: str
    origin: str
    reason: RefusalReason
    field: str
    message: str
    detail: str = ""

    @property
    def full_message(self) -> str:
        """The message with the detail, for people who may see everything."""
        return "; ".join(filter(None, (self.message, self.detail)))


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWorkload:
    """A workload as the mirror holds it, and since when; its value's `generation` is the one it was last written with."""

    value: DeclaredWorkload
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Mirror:
    """The mirror as read: every host that is not removed, and every workload."""

    hosts: Mapping[str, Host]
    workloads: Mapping[str, StoredWorkload]


@dataclass(frozen=True, slots=True, kw_only=True)
class MirrorPlan:
    """What to write to the mirror, what to take out of it, and what was refused."""

    hosts: tuple[Host, ...]
    removed_hosts: tuple[str, ...]
    workloads: tuple[DeclaredWorkload, ...]
    removed_workloads: tuple[str, ...]
    refusals: tuple[Refusal, ...]

    @property
    def changes_nothing(self) -> bool:
        """Whether the mirror already is what it should be."""
        return not (self.hosts or self.removed_hosts or self.workloads or self.removed_workloads)


def plan_mirror(reading: Reading, mirror: Mirror) -> MirrorPlan:
    """Decide what the mirror becomes.

    Args:
        reading: what is declared; no two of its workloads, and no two of its hosts, share a name.
        mirror: what is stored.
    """
    hosts = {declared.value.name: declared.value for declared in reading.hosts}
    removed_hosts = {name for name in mirror.hosts if name not in hosts and name not in reading.held_hosts and _is_gone(name, reading)}
    known_hosts = {**{name: host for name, host in mirror.hosts.items() if name not in removed_hosts}, **hosts}
    declared = {workload.value.key.id: workload for workload in reading.workloads}
    refusals: dict[str, Refusal] = {}
    for workload in declared.values():
        refusal = _refuse_alone(workload, known_hosts, mirror, reading.held_hosts)
        if refusal:
            refusals[workload.value.key.id] = refusal
    forbidden = {id_ for id_, refusal in refusals.items() if refusal.reason is RefusalReason.HOST_NOT_ALLOWED}
    removed = {
        id_
        for id_ in mirror.workloads
        if (id_ in forbidden and reading.complete) or (id_ not in declared and id_ not in reading.held_workloads and _is_gone(id_, reading))
    }
    losers: set[str] = set()
    while lost := _losers(_effective(declared, refusals.keys() | losers, removed, mirror), _ages(declared, mirror)):
        losers |= lost
    holders = _holders(_effective(declared, refusals.keys() | losers, removed, mirror).wanted_and_kept)
    refusals |= {id_: _conflict(declared[id_], holders) for id_ in losers}
    return MirrorPlan(
        hosts=tuple(host for name, host in hosts.items() if host != mirror.hosts.get(name)),
        removed_hosts=tuple(sorted(removed_hosts)),
        workloads=tuple(
            workload.value
            for id_, workload in declared.items()
            if id_ not in refusals and _differs(workload.value, mirror.workloads.get(id_))
        ),
        removed_workloads=tuple(sorted(removed)),
        refusals=tuple(refusals[id_] for id_ in sorted(refusals)),
    )


def _is_gone(name: str, reading: Reading) -> bool:
    """Whether what a reading does not mention is no longer declared, a host by its name or a workload by its id (rule P10)."""
    return reading.complete or name in reading.deleted


def _refuse_alone(declared: Declared[DeclaredWorkload], hosts: Mapping[str, Host], mirror: Mirror, held_hosts: Set[str]) -> Refusal | None:
    """Return why a workload is refused whatever the others are."""
    key = declared.value.key
    namespace = key.id.partition("/")[0]
    host = hosts.get(key.host)
    stored = mirror.workloads.get(key.id)
    if host is None and key.host in held_hosts:
        message = f'DockerHost "{key.host}" exists, but what is written there is invalid and cannot be used; put that right first'
        return _refusal(declared, RefusalReason.HOST_UNUSABLE, "spec.host", message)
    if host is None:
        message, detail = f'no DockerHost "{key.host}" is declared', f"declared are: {', '.join(sorted(hosts)) or 'none'}"
        return _refusal(declared, RefusalReason.HOST_NOT_FOUND, "spec.host", message, detail)
    if namespace not in host.allowed_namespaces and EVERY_NAMESPACE not in host.allowed_namespaces:
        message = f'DockerHost "{key.host}" does not allow namespace "{namespace}"; add it to its spec.allowedNamespaces'
        return _refusal(declared, RefusalReason.HOST_NOT_ALLOWED, "spec.host", message)
    if stored and stored.value.key.kind is not key.kind:
        message = f'is "{stored.value.key.kind}" and cannot become "{key.kind}"; give the workload another name, or remove it first'
        return _refusal(declared, RefusalReason.KIND_CHANGED, "spec.kind", message)
    return None


def _differs(declared: DeclaredWorkload, stored: StoredWorkload | None) -> bool:
    """Whether the mirror has to be written for a workload; a generation that nobody counts is none."""
    if stored is None or stored.value != declared:
        return True
    return declared.generation not in (0, stored.value.generation)


@dataclass(frozen=True, slots=True)
class _Effective:
    """What the mirror would hold: declared workloads that are accepted so far, and stored ones that are kept as they are."""

    wanted: Mapping[str, DeclaredWorkload]
    kept: Mapping[str, DeclaredWorkload]

    @property
    def wanted_and_kept(self) -> Mapping[str, DeclaredWorkload]:
        return {**self.kept, **self.wanted}


def _effective(declared: Mapping[str, Declared[DeclaredWorkload]], refused: Set[str], removed: Set[str], mirror: Mirror) -> _Effective:
    return _Effective(
        wanted={id_: workload.value for id_, workload in declared.items() if id_ not in refused},
        kept={id_: it.value for id_, it in mirror.workloads.items() if id_ not in removed and (id_ not in declared or id_ in refused)},
    )


@dataclass(frozen=True, slots=True)
class _Age:
    """What decides between two claimants of one name: what the mirror lets it hold, whether it knows it, and since when it is there."""

    holds: tuple[Claim, ...]
    stored: bool
    since: float


def _ages(declared: Mapping[str, Declared[DeclaredWorkload]], mirror: Mirror) -> Mapping[str, _Age]:
    new = {id_: _Age((), False, it.since.timestamp() if it.since else float("inf")) for id_, it in declared.items()}
    return {**new, **{id_: _Age(_claims(it.value), True, it.created_at.timestamp()) for id_, it in mirror.workloads.items()}}


def _losers(effective: _Effective, ages: Mapping[str, _Age]) -> set[str]:
    """Return the wanted workloads whose compose project or ref another one keeps. Refusing them may bring others into conflict."""
    claimants: dict[Claim, list[str]] = {}
    for id_, workload in effective.wanted_and_kept.items():
        for claim in _claims(workload):
            claimants.setdefault(claim, []).append(id_)

    def rank(claim: Claim, id_: str) -> tuple[bool, bool, bool, float, str]:
        age = ages[id_]
        return id_ not in effective.kept, claim not in age.holds, not age.stored, age.since, id_

    losers: set[str] = set()
    for claim, ids in claimants.items():
        losers.update(sorted(ids, key=partial(rank, claim))[1:])
    return losers & effective.wanted.keys()


def _holders(workloads: Mapping[str, DeclaredWorkload]) -> Mapping[Claim, str]:
    return {claim: id_ for id_, workload in workloads.items() for claim in _claims(workload)}


def _conflict(declared: Declared[DeclaredWorkload], holders: Mapping[Claim, str]) -> Refusal:
    claim = next(claim for claim in _claims(declared.value) if claim in holders)
    field, claimed, host = claim
    message = f'"{claimed}" on host "{host}" belongs to another workload; give "{declared.value.key.id}" another one'
    return _refusal(declared, RefusalReason.CONFLICT, field, message, f'it is held by "{holders[claim]}"')


def _claims(workload: DeclaredWorkload) -> tuple[Claim, ...]:
    claims = (("spec.ref", workload.key.ref, workload.key.host), ("spec.composeProject", workload.key.compose_project, workload.key.host))
    return tuple(claim for claim in claims if claim[1])


def _refusal(declared: Declared[DeclaredWorkload], reason: RefusalReason, field: str, message: str, detail: str = "") -> Refusal:
    return Refusal(workload_id=declared.value.key.id, origin=declared.origin, reason=reason, field=field, message=message, detail=detail)
