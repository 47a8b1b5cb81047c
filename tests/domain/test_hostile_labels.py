"""Rule M10: labels are anybody's text, and a hostile container may cost itself its own row, never another one its."""

from hypothesis import assume, given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.strategies import UNUSABLE, any_labels, containers, quick, value, worlds
from tests.domain.world import BLOG, DOCS, MAIL, SHOP, World, fates
from tinyforge.domain.containers import Container, Labels

NEWCOMER = "hostile"


def hopeless_labels() -> st.SearchStrategy[Labels]:
    """Labels that name a workload as well as any, and spoil it by a role that cannot be stored."""
    unusable = st.sampled_from(UNUSABLE)
    return st.builds(Labels, workload_id=value(SHOP.id, BLOG.id, MAIL.id), role=unusable) | st.builds(
        Labels, compose_project=st.just(MAIL.compose_project), compose_service=unusable
    )


@quick
@given(worlds(), hopeless_labels(), st.data())
def test_m10_a_container_that_turns_hostile_is_to_the_others_as_if_it_were_not_there(
    world: World, labels: Labels, data: st.DataObject
) -> None:
    assume(world.containers)
    victim = data.draw(st.sampled_from(world.containers))
    others = tuple(it for it in world.containers if it != victim)
    hostile = World(workloads=world.workloads, rows=world.rows, containers=(*others, replace(victim, labels=labels)))
    without = World(workloads=world.workloads, rows=world.rows, containers=others)
    assert {id_: fate for id_, fate in fates(hostile.plan()).items() if id_ != victim.id} == fates(without.plan())


@quick
@given(worlds(), containers(NEWCOMER, any_labels()))
def test_m10_whatever_its_labels_hold_who_takes_no_row_of_the_others_changes_nothing_for_them(world: World, newcomer: Container) -> None:
    before = fates(world.plan())
    after = dict(fates(World(workloads=world.workloads, rows=world.rows, containers=(newcomer, *world.containers)).plan()))
    if after.pop(NEWCOMER) not in before.values():
        assert after == before


@quick
@given(worlds(), st.lists(st.tuples(st.sampled_from(("c7", "c8", "c9")), any_labels()), max_size=3, unique_by=lambda it: it[0]))
def test_m10_no_label_fails_a_pass_and_everybody_gets_a_verdict(world: World, hostile: list[tuple[str, Labels]]) -> None:
    newcomers = tuple(Container(id=id_, image="app:1", state="running", created=1, labels=labels) for id_, labels in hostile)
    plan = World(workloads=world.workloads, rows=world.rows, containers=(*newcomers, *world.containers)).plan()
    assert fates(plan).keys() == {it.id for it in (*newcomers, *world.containers)}


@quick
@given(worlds())
def test_m10_what_is_written_can_be_stored(world: World) -> None:
    for change in world.plan().changes:
        text = [value for value in (change.row.id, change.row.role, change.row.image_ref) if value]
        assert all("\0" not in it and it.encode() for it in text)
        assert len(change.row.id.encode()) <= len(f"{DOCS.id}::999999999") + 255 + 64


@quick
@given(worlds())
def test_m10_labels_reach_the_index_as_roles_only(world: World) -> None:
    declared = {(it.id, it.kind) for it in world.workloads}
    assert all((claim.workload.id, claim.workload.kind) in declared for claim in world.plan().winners.values())
