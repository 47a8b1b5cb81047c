"""The first label that is present decides, and there is no falling through: whatever the later labels hold, nothing changes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.strategies import any_labels, canonical_labels, label_sets, quick, site_labels, stack_labels, worlds
from tests.domain.world import ELSEWHERE, HOST, World, container
from tinyforge.domain.containers import Labels
from tinyforge.domain.matching import Claim, Reason, match

COMPOSE = ("compose_project", "compose_service", "compose_number", "compose_oneoff")


def decision(labels: Labels, world: World) -> Any:
    """Everything that is decided about a container, less the container itself."""
    verdict = match(container("c1", labels, name="name"), world.view, world.view.rows_by_container())
    if isinstance(verdict, Claim):
        return verdict.rule, verdict.workload, verdict.role, verdict.rows
    return verdict.rule, verdict.outcome, verdict.reason, verdict.workload


def with_labels(labels: Labels, other: Labels, *names: str) -> Labels:
    return replace(labels, **{name: getattr(other, name) for name in names})


@quick
@given(canonical_labels(), any_labels(), worlds())
def test_m1_m3_m8_beside_a_canonical_label_no_other_rule_is_tried(labels: Labels, others: Labels, world: World) -> None:
    assert decision(labels, world) == decision(with_labels(labels, others, "static_site", *COMPOSE), world)


@quick
@given(site_labels(), any_labels(), worlds())
def test_m1_m6_beside_a_static_site_no_compose_label_and_no_role_is_looked_at(labels: Labels, others: Labels, world: World) -> None:
    assert decision(labels, world) == decision(with_labels(labels, others, "role", *COMPOSE), world)


@quick
@given(stack_labels(), any_labels(), worlds())
def test_m7_beside_a_compose_project_our_role_label_is_not_looked_at(labels: Labels, others: Labels, world: World) -> None:
    assert decision(labels, world) == decision(with_labels(labels, others, "role"), world)


@quick
@given(label_sets(), st.text(min_size=1), worlds())
def test_m12_whatever_else_it_says_a_foreign_container_is_ignored_as_foreign(labels: Labels, installation: str, world: World) -> None:
    decided = decision(replace(labels, installation=installation), world)
    assert (decided[2] is Reason.FOREIGN) == (installation != world.view.installation)


@quick
@given(label_sets(), worlds())
def test_m5_the_workloads_of_other_hosts_might_as_well_not_exist(labels: Labels, world: World) -> None:
    here = World(workloads=tuple(it for it in world.workloads if it.host == HOST), rows=world.rows)
    assert decision(labels, world) == decision(labels, here)
    nobody = World(workloads=tuple(it for it in world.workloads if it.host == ELSEWHERE), rows=world.rows)
    assert not isinstance(match(container("c1", labels), nobody.view, {}), Claim)
