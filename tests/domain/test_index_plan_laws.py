"""What holds of every plan, whatever is declared, stored and listed."""

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.strategies import CONTAINER_IDS, quick, shuffled, worlds
from tests.domain.world import HOST, MAIL, World, container, fates, row, shared_bindings
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.index_plan import Evidence, IndexPlan, plan_index
from tinyforge.domain.rows import MISSING


def somewhat_bound(world: World) -> st.SearchStrategy[Mapping[str, str]]:
    """What rows carried before the list was asked for, if a deployer was busy meanwhile."""
    earlier = st.sampled_from(("", *CONTAINER_IDS))
    return st.fixed_dictionaries({row.id: st.just(row.container_id) | earlier for row in world.rows})


def sweeps(plan: IndexPlan) -> set[str]:
    return {change.row.id for change in plan.changes if change.row.state == MISSING}


@quick
@given(worlds(), st.data())
def test_p9_the_order_of_containers_rows_and_workloads_decides_nothing(world: World, data: st.DataObject) -> None:
    assert data.draw(shuffled(world)).plan() == world.plan()


@quick
@given(worlds(), st.data())
def test_p9_the_order_of_a_containers_ports_and_names_decides_nothing(world: World, data: st.DataObject) -> None:
    def shuffle(it: Container) -> Container:
        ports = data.draw(st.permutations(it.ports).map(tuple)) if it.ports else it.ports
        names = data.draw(st.permutations(it.names).map(tuple)) if it.names else it.names
        return replace(it, ports=ports, names=names)

    other = World(workloads=world.workloads, rows=world.rows, containers=tuple(map(shuffle, world.containers)))
    assert (other.plan().changes, fates(other.plan())) == (world.plan().changes, fates(world.plan()))


@quick
@given(worlds())
def test_p9_the_same_list_twice_changes_nothing_the_second_time(world: World) -> None:
    assert world.after().plan().changes == ()


def test_p9_a_displaced_container_that_two_rows_carry_settles_in_one_pass() -> None:
    web = Labels(workload_id=MAIL.id, role="web")
    rows = (row("default/mail:web", MAIL, "c1"), row("old", MAIL, "c1", state="missing"))
    world = World(rows=rows, containers=(container("c1", web, created=1), container("c2", web, created=2)))
    assert world.after().plan().changes == ()


@quick
@given(worlds())
def test_p8_every_change_changes_something_and_no_row_is_written_twice(world: World) -> None:
    changes = world.plan().changes
    assert all(change.row != change.over for change in changes)
    ids = [change.row.id for change in changes]
    assert ids == sorted(set(ids))


@quick
@given(worlds())
def test_w7_every_row_is_written_over_exactly_what_was_read(world: World) -> None:
    stored = {it.id: it for it in world.rows}
    assert all(change.over == stored.get(change.row.id) for change in world.plan().changes)


@quick
@given(worlds(), st.data())
def test_w7_no_binding_is_lost_that_somebody_made_while_the_list_was_under_way(world: World, data: st.DataObject) -> None:
    before = data.draw(somewhat_bound(world))
    plan = plan_index(world.view, Evidence(containers=world.containers, bound_before=before))
    for change in plan.changes:
        if change.over and change.over.host == HOST and change.over.container_id not in ("", before[change.row.id]):
            assert change.row.container_id == change.over.container_id


@quick
@given(worlds(), st.data())
def test_w7_no_container_is_bound_to_two_rows_whatever_somebody_did_meanwhile(world: World, data: st.DataObject) -> None:
    before = data.draw(somewhat_bound(world))
    plan = plan_index(world.view, Evidence(containers=world.containers, bound_before=before))
    assert shared_bindings(world.after(plan).rows) == []


@quick
@given(worlds())
def test_one_container_gets_one_row_and_one_row_gets_one_container(world: World) -> None:
    holders = [claim.container.id for claim in world.plan().winners.values()]
    assert len(holders) == len(set(holders))


@quick
@given(worlds())
def test_no_container_is_bound_to_two_rows_after_a_pass(world: World) -> None:
    assert shared_bindings(world.after().rows) == []


@quick
@given(worlds())
def test_after_a_pass_no_row_shows_a_container_that_was_not_listed(world: World) -> None:
    listed = {it.id for it in world.containers}
    assert {it.container_id for it in world.after().rows if it.host == HOST and it.present} <= listed


@quick
@given(worlds())
def test_w6_whoever_got_a_row_is_not_missing_in_it(world: World) -> None:
    after = world.after()
    for id_, claim in world.plan().winners.items():
        assert (after.row(id_).container_id, after.row(id_).state == MISSING) == (claim.container.id, False)


@quick
@given(worlds(), st.data())
def test_s1_s6_only_a_row_that_was_bound_before_and_still_is_turns_missing(world: World, data: st.DataObject) -> None:
    before = data.draw(somewhat_bound(world))
    plan = plan_index(world.view, Evidence(containers=world.containers, bound_before=before))
    assert len(sweeps(plan)) == plan.swept
    for id_ in sweeps(plan):
        stored = world.row(id_)
        assert (stored.host, stored.present, stored.container_id) == (HOST, True, before[id_])


@quick
@given(worlds(), st.frozensets(st.sampled_from(CONTAINER_IDS)))
def test_s2_a_list_of_named_ids_sweeps_those_ids_rows_only(world: World, asked: frozenset[str]) -> None:
    answered = tuple(it for it in world.containers if it.id in asked)
    plan = plan_index(world.view, Evidence(containers=answered, bound_before=world.view.bindings(), asked_ids=asked))
    assert {world.row(id_).container_id for id_ in sweeps(plan)} <= asked


@quick
@given(worlds())
def test_s4_a_listed_container_that_is_matched_nowhere_leaves_no_row_that_looks_present(world: World) -> None:
    matched = {claim.container.id for claim in world.plan().winners.values()}
    assert {it.container_id for it in world.after().rows if it.host == HOST and it.present} == matched


@quick
@given(worlds())
def test_s3_no_row_disappears_and_rows_of_other_hosts_change_only_if_they_are_claimed(world: World) -> None:
    after = {it.id: it for it in world.after().rows}
    for stored in world.rows:
        assert stored.id in after
        if stored.host != HOST and stored.id not in world.plan().winners:
            assert after[stored.id] == stored


@quick
@given(worlds())
def test_m8_no_row_of_a_project_is_invented(world: World) -> None:
    stored = {it.id for it in world.rows}
    assert all(it.id in stored for it in world.after().rows if it.workload_kind == "project")


@quick
@given(worlds())
def test_listed_matched_ignored_and_written_add_up(world: World) -> None:
    plan = world.plan()
    assert plan.matched + len(plan.rejections) + len(plan.displaced) == plan.listed == len(world.containers)
    assert plan.ignored == plan.listed - plan.matched
