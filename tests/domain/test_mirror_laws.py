"""What holds of every plan of the mirror, whatever is declared and stored."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.domain.declarations import claims, mirrors, readings, written
from tests.domain.strategies import quick
from tinyforge.domain.declarations import Reading
from tinyforge.domain.mirror import Mirror, RefusalReason, plan_mirror


@quick
@given(readings(), mirrors())
def test_no_two_workloads_of_a_host_ever_share_a_ref_or_a_compose_project(reading: Reading, mirror: Mirror) -> None:
    after = claims(written(mirror, plan_mirror(reading, mirror)))
    assert len(after) == len(set(after))


@quick
@given(readings(), mirrors())
def test_p9_the_same_reading_twice_changes_nothing_the_second_time(reading: Reading, mirror: Mirror) -> None:
    plan = plan_mirror(reading, mirror)
    again = plan_mirror(reading, written(mirror, plan))
    assert again.changes_nothing
    assert {it.workload_id for it in again.refusals} == {it.workload_id for it in plan.refusals}


@quick
@given(readings(), mirrors())
def test_p10_an_incomplete_reading_removes_nothing(reading: Reading, mirror: Mirror) -> None:
    plan = plan_mirror(replace(reading, complete=False), mirror)
    assert (plan.removed_hosts, plan.removed_workloads) == ((), ())


@quick
@given(readings(), mirrors())
def test_p10_a_complete_reading_removes_what_nobody_declares_or_holds_and_what_its_host_forbids(reading: Reading, mirror: Mirror) -> None:
    plan = plan_mirror(replace(reading, complete=True), mirror)
    hosts = {it.value.name for it in reading.hosts} | reading.held_hosts
    workloads = {it.value.key.id for it in reading.workloads} | reading.held_workloads
    assert set(plan.removed_hosts) == mirror.hosts.keys() - hosts
    forbidden = {it.workload_id for it in plan.refusals if it.reason is RefusalReason.HOST_NOT_ALLOWED}
    assert set(plan.removed_workloads) == mirror.workloads.keys() - (workloads - forbidden)


@quick
@given(readings(), mirrors())
def test_what_is_refused_or_held_stays_exactly_as_it_was_unless_its_host_forbids_it(reading: Reading, mirror: Mirror) -> None:
    plan = plan_mirror(reading, mirror)
    after = written(mirror, plan)
    refused = {it.workload_id for it in plan.refusals if not (it.reason is RefusalReason.HOST_NOT_ALLOWED and reading.complete)}
    for id_ in refused | reading.held_workloads:
        assert after.workloads.get(id_) == mirror.workloads.get(id_)
    for name in reading.held_hosts:
        assert after.hosts.get(name) == mirror.hosts.get(name)


@quick
@given(readings(), mirrors())
def test_what_is_declared_and_not_refused_is_mirrored_as_it_is_declared(reading: Reading, mirror: Mirror) -> None:
    plan = plan_mirror(reading, mirror)
    after = written(mirror, plan)
    assert all(after.hosts[it.value.name] == it.value for it in reading.hosts)
    refused = {it.workload_id for it in plan.refusals}
    declared = {it.value.key.id: it.value for it in reading.workloads}
    assert {id_: after.workloads[id_].value for id_ in declared.keys() - refused} == {
        id_: declared[id_] for id_ in declared.keys() - refused
    }


@quick
@given(readings(), mirrors())
def test_whoever_holds_a_name_in_the_mirror_and_still_wants_it_is_never_in_conflict(reading: Reading, mirror: Mirror) -> None:
    conflicts = {it.workload_id for it in plan_mirror(reading, mirror).refusals if it.reason is RefusalReason.CONFLICT}
    for it in reading.workloads:
        stored = mirror.workloads.get(it.value.key.id)
        if stored and stored.value.key == it.value.key:
            assert it.value.key.id not in conflicts


@quick
@given(readings(), mirrors(), st.data())
def test_the_order_in_which_things_are_read_decides_nothing(reading: Reading, mirror: Mirror, data: st.DataObject) -> None:
    other = replace(
        reading,
        hosts=tuple(data.draw(st.permutations(reading.hosts))),
        workloads=tuple(data.draw(st.permutations(reading.workloads))),
    )
    plan, shuffled = plan_mirror(reading, mirror), plan_mirror(other, mirror)
    assert written(mirror, shuffled) == written(mirror, plan)
    assert shuffled.refusals == plan.refusals
