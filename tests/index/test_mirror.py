"""The mirror is read back as it was written, whatever was declared, and changes as a whole or not at all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.index.conftest import Sql
from tests.index.examples import HOST, STALE_AFTER, complete, declare, host, new, row, workload
from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.hosts import Host
from tinyforge.domain.workloads import Kind, Workload
from tinyforge.index.led import LedIndex
from tinyforge.ports import IndexUnavailable

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
NAMES = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?", fullmatch=True)
EXACT = 2**53  # a greater number with a fraction comes back as a whole one, and equal only by luck
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(-EXACT, EXACT) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4)


@st.composite
def workloads(draw: st.DrawFn, id_: str) -> DeclaredWorkload:
    """A workload of this id; what only one workload may have is made of it."""
    kind = [Kind.PROJECT, Kind.SITE, Kind.STACK][len(id_) % 3]  # a kind never changes
    claim = f"{id_} {draw(TEXT)}"
    key = Workload(
        id=id_,
        kind=kind,
        host=draw(NAMES),
        ref=claim if kind is Kind.SITE else "",
        compose_project=claim if kind is Kind.STACK else "",
    )
    return draw(
        st.builds(
            DeclaredWorkload,
            key=st.just(key),
            group_id=TEXT,
            parent_id=TEXT,
            source_kind=TEXT,
            source_config=OBJECTS,
            trigger_kind=TEXT,
            trigger_config=OBJECTS,
            public_faces=st.lists(OBJECTS, max_size=2).map(tuple),
            suspended=st.booleans(),
        )
    )


def hosts(name: str) -> st.SearchStrategy[Host]:
    """A host of this name."""
    return st.builds(
        Host,
        name=st.just(name),
        endpoint=TEXT,
        tls_secret=TEXT,
        ssh_secret=TEXT,
        suspended=st.booleans(),
        acknowledged_engine_id=TEXT,
        allowed_namespaces=st.lists(TEXT, max_size=3).map(tuple),
    )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), names=st.lists(NAMES, max_size=4, unique=True))
async def test_what_is_declared_is_read_back_as_it_was_written_and_so_is_every_change_of_it(
    data: st.DataObject, names: list[str], index: LedIndex, sql: Sql
) -> None:
    sql("TRUNCATE tinyforge.hosts, tinyforge.workloads")
    for _ in range(2):
        declared_hosts = [data.draw(hosts(name)) for name in names]
        declared = [data.draw(workloads(f"default/{name}")) for name in names]
        await index.mirror.write(declare(*declared_hosts, *declared), stale_after=STALE_AFTER)
        mirror = await index.mirror.read()
        assert mirror.hosts == {it.name: it for it in declared_hosts}
        assert {id_: stored.value for id_, stored in mirror.workloads.items()} == {it.key.id: it for it in declared}


@pytest.mark.parametrize("kind", [Kind.SITE, Kind.STACK])
async def test_two_workloads_swap_what_only_one_may_have_in_one_write(kind: Kind, index: LedIndex) -> None:
    one, two = workload("default/one", kind=kind), workload("default/two", kind=kind)
    await index.mirror.write(declare(one, two), stale_after=STALE_AFTER)
    swapped = [replace(one, key=replace(two.key, id=one.key.id)), replace(two, key=replace(one.key, id=two.key.id))]
    await index.mirror.write(declare(*swapped), stale_after=STALE_AFTER)
    assert [stored.value for stored in (await index.mirror.read()).workloads.values()] == swapped


async def test_a_workload_inherits_a_compose_project_in_the_write_that_removes_its_owner(index: LedIndex) -> None:
    await index.mirror.write(declare(workload("default/old", compose_project="tinyforge-it")), stale_after=STALE_AFTER)
    heir = workload("default/heir", compose_project="tinyforge-it")
    await index.mirror.write(declare(heir, remove_workloads=["default/old"]), stale_after=STALE_AFTER)
    assert list((await index.mirror.read()).workloads) == ["default/heir"]


async def test_of_a_plan_that_postgresql_refuses_nothing_is_written(index: LedIndex) -> None:
    before = await index.mirror.read()
    both = [workload(f"default/{name}", compose_project="tinyforge-it") for name in ("one", "two")]
    with pytest.raises(IndexUnavailable):
        await index.mirror.write(declare(host("late"), *both, remove_hosts=[HOST]), stale_after=STALE_AFTER)
    assert await index.mirror.read() == before


async def test_a_workload_keeps_its_age_and_counts_its_changes(index: LedIndex, sql: Sql) -> None:
    facts = "SELECT generation, created_at, updated_at > created_at FROM tinyforge.workloads"
    await index.mirror.write(declare(workload()), stale_after=STALE_AFTER)
    ((_, created, _),) = sql(facts)
    await index.mirror.write(declare(replace(workload(), group_id="other")), stale_after=STALE_AFTER)
    assert sql(facts) == [(2, created, True)]
    assert (await index.mirror.read()).workloads["default/app"].created_at == created


async def test_a_change_of_what_is_declared_leaves_what_passes_have_found(index: LedIndex, sql: Sql) -> None:
    await index.containers.complete(complete(new(row()), listed=3, matched=1))
    found = "SELECT state, last_complete_pass_at, listed, matched FROM tinyforge.hosts"
    before: list[tuple[Any, ...]] = sql(found)
    await index.mirror.write(declare(host(endpoint="unix:///other", allowed_namespaces=("*",))), stale_after=STALE_AFTER)
    assert sql(found) == before


async def test_a_host_that_no_pass_has_reached_is_new_and_says_when_a_pass_of_it_would_be_stale(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(host("fresh")), stale_after=321.0)
    assert sql("SELECT state, extract(epoch FROM stale_after) FROM tinyforge.hosts WHERE name = 'fresh'") == [("new", 321)]


async def test_s5_a_removed_host_is_no_longer_in_the_mirror_and_its_row_says_why(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(remove_hosts=[HOST]), stale_after=STALE_AFTER)
    assert (await index.mirror.read()).hosts == {}
    assert sql("SELECT state, state_reason, removed_at IS NOT NULL FROM tinyforge.hosts") == [("removed", "HostRemoved", True)]


async def test_suspending_one_host_leaves_the_others(index: LedIndex, sql: Sql) -> None:
    await index.mirror.write(declare(host("other", suspended=True)), stale_after=STALE_AFTER)
    assert sql("SELECT name, state FROM tinyforge.hosts ORDER BY name") == [(HOST, "new"), ("other", "suspended")]
