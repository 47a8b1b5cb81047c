"""What the index's mirror of the declared state becomes after a reading of it.

Three things keep a stored workload as it is, neither changed nor removed: it is written but refused here, it is written but
unusable (`held`), or the reading was incomplete and does not mention it (rule P10). Whatever is kept keeps its claim to a compose
project or ref.
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
    HOST_NOT_ALLOWED = "HostNotAllowed"
    KIND_CHANGED = "KindChanged"
    CONFLICT = "Conflict"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A declared workload that is refused: the field at fault, and a sentence with the way out."""

    workload_id: str
    origin: str
    reason: RefusalReason
    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredWorkload:
    """A workload as the mirror holds it, and since when."""

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
    removed_hosts = {name for name in mirror.hosts if reading.complete and name not in hosts and name not in reading.held_hosts}
    known_hosts = {**{name: host for name, host in mirror.hosts.items() if name not in removed_hosts}, **hosts}
    declared = {workload.value.key.id: workload for workload in reading.workloads}
    refusals: dict[str, Refusal] = {}
    for workload in declared.values():
        refusal = _refuse_alone(workload, known_hosts, mirror)
        if refusal:
            refusals[workload.value.key.id] = refusal
    removed = {id_ for id_ in mirror.workloads if reading.complete and id_ not in declared and id_ not in reading.held_workloads}
    losers: set[str] = set()
    while lost := _losers(_effective(declared, refusals.keys() | losers, removed, mirror), mirror):
        losers |= lost
    holders = _holders(_effective(declared, refusals.keys() | losers, removed, mirror).wanted_and_kept)
    refusals |= {id_: _conflict(declared[id_], holders) for id_ in losers}
    return MirrorPlan(
        hosts=tuple(host for name, host in hosts.items() if host != mirror.hosts.get(name)),
        removed_hosts=tuple(sorted(removed_hosts)),
        workloads=tuple(
            workload.value
            for id_, workload in declared.items()
            if id_ not in refusals and (id_ not in mirror.workloads or mirror.workloads[id_].value != workload.value)
        ),
        removed_workloads=tuple(sorted(removed)),
        refusals=tuple(refusals[id_] for id_ in sorted(refusals)),
    )


def _refuse_alone(declared: Declared[DeclaredWorkload], hosts: Mapping[str, Host], mirror: Mirror) -> Refusal | None:
    """Return why a workload is refused whatever the others are."""
    key = declared.value.key
    namespace = key.id.partition("/")[0]
    host = hosts.get(key.host)
    stored = mirror.workloads.get(key.id)
    if host is None:
        return _refusal(
            declared,
            RefusalReason.HOST_NOT_FOUND,
            "spec.host",
            f'no DockerHost "{key.host}" is declared; declared are: {", ".join(sorted(hosts)) or "none"}',
        )
    if namespace not in host.allowed_namespaces and EVERY_NAMESPACE not in host.allowed_namespaces:
        message = f'DockerHost "{key.host}" does not allow namespace "{namespace}"; add it to its spec.allowedNamespaces'
        return _refusal(declared, RefusalReason.HOST_NOT_ALLOWED, "spec.host", message)
    if stored and stored.value.key.kind is not key.kind:
        message = f'is "{stored.value.key.kind}" and cannot become "{key.kind}"; give the workload another name, or remove it first'
        return _refusal(declared, RefusalReason.KIND_CHANGED, "spec.kind", message)
    return None


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


def _losers(effective: _Effective, mirror: Mirror) -> set[str]:
    """Return the wanted workloads whose compose project or ref another one keeps. Refusing them may bring others into conflict."""
    claimants: dict[Claim, list[str]] = {}
    for id_, workload in effective.wanted_and_kept.items():
        for claim in _claims(workload):
            claimants.setdefault(claim, []).append(id_)

    def rank(claim: Claim, id_: str) -> tuple[bool, bool, float, str]:
        stored = mirror.workloads.get(id_)
        since = stored.created_at.timestamp() if stored else float("inf")
        return id_ not in effective.kept, stored is None or claim not in _claims(stored.value), since, id_

    losers: set[str] = set()
    for claim, ids in claimants.items():
        losers.update(sorted(ids, key=partial(rank, claim))[1:])
    return losers & effective.wanted.keys()


def _holders(workloads: Mapping[str, DeclaredWorkload]) -> Mapping[Claim, str]:
    return {claim: id_ for id_, workload in workloads.items() for claim in _claims(workload)}


def _conflict(declared: Declared[DeclaredWorkload], holders: Mapping[Claim, str]) -> Refusal:
    claim = next(claim for claim in _claims(declared.value) if claim in holders)
    field, claimed, host = claim
    message = f'"{claimed}" on host "{host}" belongs to workload "{holders[claim]}"; give "{declared.value.key.id}" another one'
    return _refusal(declared, RefusalReason.CONFLICT, field, message)


def _claims(workload: DeclaredWorkload) -> tuple[Claim, ...]:
    claims = (("spec.ref", workload.key.ref, workload.key.host), ("spec.composeProject", workload.key.compose_project, workload.key.host))
    return tuple(claim for claim in claims if claim[1])


def _refusal(declared: Declared[DeclaredWorkload], reason: RefusalReason, field: str, message: str) -> Refusal:
    return Refusal(workload_id=declared.value.key.id, origin=declared.origin, reason=reason, field=field, message=message)
