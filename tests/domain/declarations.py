"""Declarations and mirrors: shorthand for examples, and what hypothesis draws. As in `strategies`, so few things that they collide."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from tinyforge.domain.declarations import Declared, DeclaredWorkload, Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.mirror import Mirror, MirrorPlan, StoredWorkload, plan_mirror
from tinyforge.domain.workloads import Kind, Workload

DAY_ONE = datetime(2026, 1, 1, tzinfo=UTC)
HOST_NAMES = ("one", "two", "three")
WORKLOAD_IDS = ("default/a", "default/b", "team/c", "team/d", "team/e")


def host(name: str = "one", *, endpoint: str = "", namespaces: tuple[str, ...] = ("*",)) -> Host:
    return Host(name=name, endpoint=endpoint or f"unix:///{name}.sock", allowed_namespaces=namespaces)


def stack(id_: str, compose_project: str = "", *, on: str = "one") -> DeclaredWorkload:
    return DeclaredWorkload(key=Workload(id=id_, kind=Kind.STACK, host=on, compose_project=compose_project))


def site(id_: str, ref: str = "", *, on: str = "one") -> DeclaredWorkload:
    return DeclaredWorkload(key=Workload(id=id_, kind=Kind.SITE, host=on, ref=ref))


def reading(*values: Host | DeclaredWorkload, complete: bool = True, held: Iterable[str] = ()) -> Reading:
    """A reading of these objects; `held` are names of hosts or ids of workloads."""
    held = frozenset(held)
    return Reading(
        hosts=tuple(Declared(value=it, origin=f"{it.name}.yaml:1") for it in values if isinstance(it, Host)),
        workloads=tuple(Declared(value=it, origin=f"{it.key.id}.yaml:1") for it in values if isinstance(it, DeclaredWorkload)),
        complete=complete,
        held_hosts=frozenset(it for it in held if "/" not in it),
        held_workloads=frozenset(it for it in held if "/" in it),
    )


def mirror(*values: Host | DeclaredWorkload) -> Mirror:
    """A mirror that holds these, each workload a day longer than the next one."""
    workloads = [it for it in values if isinstance(it, DeclaredWorkload)]
    return Mirror(
        hosts={it.name: it for it in values if isinstance(it, Host)},
        workloads={it.key.id: StoredWorkload(value=it, created_at=DAY_ONE + timedelta(days=day)) for day, it in enumerate(workloads)},
    )


def written(stored: Mirror, plan: MirrorPlan) -> Mirror:
    """The mirror once a plan was written."""
    hosts: Mapping[str, Host] = {**stored.hosts, **{it.name: it for it in plan.hosts}}
    workloads = dict(stored.workloads)
    for it in plan.workloads:
        since = workloads[it.key.id].created_at if it.key.id in workloads else DAY_ONE + timedelta(days=99)
        workloads[it.key.id] = StoredWorkload(value=it, created_at=since)
    return Mirror(
        hosts={name: it for name, it in hosts.items() if name not in plan.removed_hosts},
        workloads={id_: it for id_, it in workloads.items() if id_ not in plan.removed_workloads},
    )


def claims(stored: Mirror) -> list[tuple[str, str, str]]:
    """What PostgreSQL lets only one workload have: the refs and compose projects of every host."""
    keys = [it.value.key for it in stored.workloads.values()]
    refs = [("ref", it.host, it.ref) for it in keys if it.ref]
    return refs + [("composeProject", it.host, it.compose_project) for it in keys if it.compose_project]


def hosts() -> st.SearchStrategy[tuple[Host, ...]]:
    each = {
        name: st.builds(
            host, st.just(name), endpoint=st.sampled_from(("", "ssh://a")), namespaces=st.sampled_from((("*",), ("*",), ("default",)))
        )
        for name in HOST_NAMES
    }
    always = {"one": each.pop("one")}
    return st.fixed_dictionaries(always, optional=each).map(lambda drawn: tuple(drawn.values()))


def workloads() -> st.SearchStrategy[tuple[DeclaredWorkload, ...]]:
    on = st.sampled_from(("one", "one", "one", "two", "gone"))
    names = st.sampled_from(("p", "q", "r"))

    def one(id_: str) -> st.SearchStrategy[DeclaredWorkload]:
        stacks = st.builds(stack, st.just(id_), names, on=on)
        sites = st.builds(site, st.just(id_), names, on=on)
        changed = st.builds(lambda it: replace(it, group_id="moved"), stacks)
        return st.one_of(stacks, changed, sites)

    return st.fixed_dictionaries({}, optional={id_: one(id_) for id_ in WORKLOAD_IDS}).map(lambda drawn: tuple(drawn.values()))


def readings() -> st.SearchStrategy[Reading]:
    held = st.frozensets(st.sampled_from((*HOST_NAMES, *WORKLOAD_IDS)), max_size=2)
    complete = st.sampled_from((True, True, False))
    drawn = st.builds(lambda some, more, **how: reading(*some, *more, **how), hosts(), workloads(), complete=complete, held=held)
    return drawn.map(_without_held)


def mirrors() -> st.SearchStrategy[Mirror]:
    """What earlier plans wrote: so a mirror never holds what plans refuse."""
    return st.builds(_mirrored, st.lists(readings(), max_size=2), st.permutations(WORKLOAD_IDS))


def _without_held(drawn: Reading) -> Reading:
    return replace(
        drawn,
        hosts=tuple(it for it in drawn.hosts if it.value.name not in drawn.held_hosts),
        workloads=tuple(it for it in drawn.workloads if it.value.key.id not in drawn.held_workloads),
    )


def _mirrored(earlier: list[Reading], order: list[str]) -> Mirror:
    stored = Mirror(hosts={}, workloads={})
    for each in earlier:
        stored = written(stored, plan_mirror(each, stored))
    ages = {id_: DAY_ONE + timedelta(days=day // 2) for day, id_ in enumerate(order)}
    return replace(stored, workloads={id_: replace(it, created_at=ages[id_]) for id_, it in stored.workloads.items()})
