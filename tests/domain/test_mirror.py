"""What the mirror of the declared state becomes, by example: rule P10, who keeps a name, and what is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.domain.declarations import DAY_ONE, host, mirror, reading, site, stack
from tinyforge.domain.declarations import Reading
from tinyforge.domain.mirror import Mirror, MirrorPlan, RefusalReason, plan_mirror
from tinyforge.domain.workloads import Kind, Workload


def refused(plan: MirrorPlan) -> dict[str, RefusalReason]:
    return {it.workload_id: it.reason for it in plan.refusals}


def accepted(plan: MirrorPlan) -> set[str]:
    return {it.key.id for it in plan.workloads}


def test_what_is_new_or_changed_is_written_and_what_is_as_stored_is_not() -> None:
    changed = replace(stack("default/b", "q"), group_id="other")
    plan = plan_mirror(
        reading(host("one"), host("two", endpoint="ssh://b"), host("three"), stack("default/a", "p"), changed, site("default/c", "r")),
        mirror(host("one"), host("two"), stack("default/a", "p"), stack("default/b", "q")),
    )
    assert plan.hosts == (host("two", endpoint="ssh://b"), host("three"))
    assert plan.workloads == (changed, site("default/c", "r"))
    assert not plan.changes_nothing


def test_a_mirror_that_is_as_declared_is_left_alone() -> None:
    declared = (host("one"), stack("default/a", "p"), site("default/b", "p"))
    assert plan_mirror(reading(*declared), mirror(*declared)).changes_nothing


def test_p10_a_complete_reading_removes_what_it_does_not_mention() -> None:
    plan = plan_mirror(reading(host("one")), mirror(host("one"), host("two"), stack("default/a", "p", on="two")))
    assert (plan.removed_hosts, plan.removed_workloads, plan.changes_nothing) == (("two",), ("default/a",), False)


def test_p10_an_incomplete_reading_adds_and_changes_and_removes_nothing() -> None:
    stored = mirror(host("one"), host("two"), stack("default/a", "p", on="two"), stack("default/b", "q"))
    plan = plan_mirror(reading(host("one", endpoint="ssh://a"), stack("default/b", "r"), stack("default/c", "s"), complete=False), stored)
    assert (plan.removed_hosts, plan.removed_workloads) == ((), ())
    assert (plan.hosts, accepted(plan)) == ((host("one", endpoint="ssh://a"),), {"default/b", "default/c"})


def test_p10_after_an_incomplete_reading_what_it_does_not_mention_keeps_its_claim() -> None:
    plan = plan_mirror(reading(host("one"), stack("default/b", "p"), complete=False), mirror(host("one"), stack("default/a", "p")))
    assert refused(plan) == {"default/b": RefusalReason.CONFLICT}


def test_p10_a_workload_may_use_a_host_that_only_the_mirror_knows_while_the_reading_is_incomplete() -> None:
    assert accepted(plan_mirror(reading(stack("default/a", "p"), complete=False), mirror(host("one")))) == {"default/a"}


def test_what_is_written_but_unusable_is_neither_changed_nor_removed() -> None:
    stored = mirror(host("one"), host("two"), stack("default/a", "p"))
    plan = plan_mirror(reading(host("one"), stack("default/b", "p"), held=("two", "default/a")), stored)
    assert (plan.removed_hosts, plan.removed_workloads) == ((), ())
    assert refused(plan) == {"default/b": RefusalReason.CONFLICT}


def test_a_workload_may_use_a_host_that_is_held() -> None:
    assert accepted(plan_mirror(reading(stack("default/a", "p"), held=("one",)), mirror(host("one")))) == {"default/a"}


def test_a_workload_whose_host_nobody_declares_is_refused_by_the_hosts_name() -> None:
    (refusal,) = plan_mirror(reading(host("two"), host("three"), stack("default/a", "p", on="on")), mirror()).refusals
    assert (refusal.reason, refusal.field, refusal.origin) == (RefusalReason.HOST_NOT_FOUND, "spec.host", "default/a.yaml:1")
    assert refusal.full_message == 'no DockerHost "on" is declared; declared are: three, two'


def test_a_workload_whose_host_was_never_usable_is_refused_by_that_and_not_as_if_there_were_none() -> None:
    plan = plan_mirror(reading(host("two"), stack("default/a", "p"), held=("one",)), mirror())
    (refusal,) = plan.refusals
    assert (refusal.reason, refusal.field, plan.workloads) == (RefusalReason.HOST_UNUSABLE, "spec.host", ())
    assert refusal.full_message == 'DockerHost "one" exists, but what is written there is invalid and cannot be used; put that right first'


def test_a_workload_whose_host_was_just_removed_is_refused_and_kept_as_it_is() -> None:
    plan = plan_mirror(reading(replace(stack("default/a", "q"))), mirror(host("one"), stack("default/a", "p")))
    assert (refused(plan), plan.workloads, plan.removed_workloads) == ({"default/a": RefusalReason.HOST_NOT_FOUND}, (), ())
    assert plan.refusals[0].full_message.endswith("declared are: none")


@pytest.mark.parametrize(
    ("namespaces", "welcome"), [((), False), (("team",), False), (("team", "default"), True), (("*",), True), (("def",), False)]
)
def test_a_host_takes_workloads_of_the_namespaces_it_allows(namespaces: tuple[str, ...], welcome: bool) -> None:
    plan = plan_mirror(reading(host(namespaces=namespaces), stack("default/a", "p")), mirror())
    assert refused(plan) == ({} if welcome else {"default/a": RefusalReason.HOST_NOT_ALLOWED})


def test_p10_an_incomplete_reading_takes_back_no_permission() -> None:
    declared = reading(host(namespaces=("team",)), stack("default/a", "q"), stack("team/b", "p"), complete=False)
    plan = plan_mirror(declared, mirror(host(), stack("default/a", "p")))
    assert refused(plan) == {"default/a": RefusalReason.HOST_NOT_ALLOWED, "team/b": RefusalReason.CONFLICT}
    assert (plan.workloads, plan.removed_workloads) == ((), ())


def test_a_workload_that_its_host_does_not_allow_any_more_goes_and_leaves_its_name_to_others() -> None:
    declared = reading(host(namespaces=("team",)), stack("default/a", "p"), stack("team/b", "p"))
    plan = plan_mirror(declared, mirror(host(), stack("default/a", "p")))
    assert refused(plan) == {"default/a": RefusalReason.HOST_NOT_ALLOWED}
    assert (accepted(plan), plan.removed_workloads) == ({"team/b"}, ("default/a",))


def test_a_workload_that_was_never_allowed_takes_nothing_out_of_the_mirror() -> None:
    plan = plan_mirror(reading(host(namespaces=()), stack("default/a", "p")), mirror(host(namespaces=())))
    assert plan.changes_nothing


def test_what_a_workloads_owner_reads_names_no_other_workload_and_no_other_host() -> None:
    declared = reading(host("one"), host("two"), stack("default/a", "p"), stack("team/b", "p"), stack("team/c", "q", on="gone"))
    for refusal in plan_mirror(declared, mirror(host("one"), stack("default/a", "p"))).refusals:
        others = "default/a", '"one"' if refusal.reason is RefusalReason.HOST_NOT_FOUND else '"two"'
        assert not [other for other in others if other in refusal.message]
        assert refusal.detail in refusal.full_message


def test_of_two_new_ones_the_older_gets_the_name_if_their_ages_are_known() -> None:
    two = reading(host(), stack("default/a", "p"), stack("default/b", "p"))
    ages = {"default/a": DAY_ONE + timedelta(days=1), "default/b": DAY_ONE}
    known = replace(two, workloads=tuple(replace(it, since=ages[it.value.key.id]) for it in two.workloads))
    assert accepted(plan_mirror(known, mirror())) == {"default/b"}


def test_a_workload_that_was_written_again_without_a_change_is_mirrored_for_its_generation_alone() -> None:
    stored = replace(stack("default/a", "p"), generation=3)
    for generation, written in ((0, set()), (3, set()), (4, {"default/a"})):
        declared = reading(host(), replace(stored, generation=generation))
        assert accepted(plan_mirror(declared, mirror(host(), stored))) == written


def test_a_workload_never_changes_its_kind() -> None:
    plan = plan_mirror(reading(host(), site("default/a", "r"), site("default/b", "r")), mirror(host(), stack("default/a", "p")))
    assert refused(plan) == {"default/a": RefusalReason.KIND_CHANGED}
    assert 'is "stack" and cannot become "site"' in plan.refusals[0].message
    assert accepted(plan) == {"default/b"}


def test_of_two_the_one_that_the_mirror_holds_keeps_the_name_even_if_the_other_is_older_and_smaller() -> None:
    older = stack("default/a", "q")
    plan = plan_mirror(reading(host(), stack("default/a", "p"), stack("default/b", "p")), mirror(host(), older, stack("default/b", "p")))
    (refusal,) = plan.refusals
    assert (refusal.workload_id, refusal.field) == ("default/a", "spec.composeProject")
    assert refusal.message == '"p" on host "one" belongs to another workload; give "default/a" another one'
    assert refusal.detail == 'it is held by "default/b"'


def test_of_two_that_the_mirror_holds_otherwise_the_older_gets_the_name() -> None:
    stored = mirror(host(), stack("default/b", "q"), stack("default/a", "r"))
    plan = plan_mirror(reading(host(), stack("default/a", "p"), stack("default/b", "p")), stored)
    assert (accepted(plan), refused(plan)) == ({"default/b"}, {"default/a": RefusalReason.CONFLICT})


def test_of_two_one_that_the_mirror_knows_at_all_gets_the_name() -> None:
    plan = plan_mirror(reading(host(), stack("default/a", "p"), stack("default/b", "p")), mirror(host(), stack("default/b", "q")))
    assert (accepted(plan), refused(plan)) == ({"default/b"}, {"default/a": RefusalReason.CONFLICT})


def test_of_two_that_are_equally_old_the_smaller_id_gets_the_name() -> None:
    stored = mirror(host(), stack("default/b", "q"), stack("default/a", "r"))
    stored = replace(stored, workloads={id_: replace(it, created_at=DAY_ONE) for id_, it in stored.workloads.items()})
    for known in (stored, mirror()):
        plan = plan_mirror(reading(host(), stack("default/b", "p"), stack("default/a", "p")), known)
        assert (accepted(plan), refused(plan)) == ({"default/a"}, {"default/b": RefusalReason.CONFLICT})


def test_two_sites_of_one_ref_conflict_too_and_a_site_and_a_stack_do_not() -> None:
    plan = plan_mirror(reading(host(), site("default/a", "p"), site("default/b", "p"), stack("default/c", "p")), mirror())
    assert [(it.workload_id, it.field) for it in plan.refusals] == [("default/b", "spec.ref")]


def test_one_name_on_two_hosts_is_no_conflict() -> None:
    plan = plan_mirror(reading(host("one"), host("two"), stack("default/a", "p"), stack("default/b", "p", on="two")), mirror())
    assert plan.refusals == ()


def test_workloads_without_a_name_to_claim_never_conflict() -> None:
    first, second = (replace(site(id_), key=Workload(id=id_, kind=Kind.PROJECT, host="one")) for id_ in ("default/a", "default/b"))
    assert plan_mirror(reading(host(), first, second), mirror()).refusals == ()


def test_two_workloads_may_swap_their_names() -> None:
    plan = plan_mirror(
        reading(host(), stack("default/a", "q"), stack("default/b", "p")), mirror(host(), stack("default/a", "p"), stack("default/b", "q"))
    )
    assert (accepted(plan), plan.refusals) == ({"default/a", "default/b"}, ())


def test_a_name_that_its_workload_gave_up_is_free_for_another() -> None:
    stored = mirror(host(), stack("default/b", "p"), stack("default/c", "r"))
    plan = plan_mirror(reading(host(), stack("default/a", "p"), stack("default/b", "q"), stack("default/d", "r")), stored)
    assert (accepted(plan), plan.refusals) == ({"default/a", "default/b", "default/d"}, ())


def test_whoever_is_refused_keeps_the_old_name_against_others() -> None:
    stored = mirror(host(), stack("default/b", "p"), stack("default/c", "q"))
    plan = plan_mirror(reading(host(), stack("default/a", "p"), stack("default/b", "q"), stack("default/c", "q")), stored)
    assert refused(plan) == {"default/a": RefusalReason.CONFLICT, "default/b": RefusalReason.CONFLICT}


def test_a_refusal_names_the_workload_that_really_keeps_the_name() -> None:
    stored = mirror(host(), stack("default/b", "p"), stack("default/c", "q"))
    declared = (stack("default/a", "p"), stack("default/b", "q"), stack("default/c", "q"), stack("default/d", "p"))
    details = {it.workload_id: it.detail for it in plan_mirror(reading(host(), *declared), stored).refusals}
    assert details["default/d"] == 'it is held by "default/b"'


def test_refusals_come_in_the_order_of_ids() -> None:
    plan = plan_mirror(reading(stack("team/z", "p"), stack("default/a", "q"), stack("team/b", "r")), mirror())
    assert [it.workload_id for it in plan.refusals] == ["default/a", "team/b", "team/z"]


def test_nothing_declared_and_nothing_stored_is_nothing_to_do() -> None:
    assert plan_mirror(Reading(), Mirror(hosts={}, workloads={})).changes_nothing
