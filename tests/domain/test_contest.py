"""Rule M9, and what M8 says of the displaced: who gets a row when several containers ask for it."""

from itertools import permutations
from typing import Any

import pytest
from hypothesis import given

from tests.domain.strategies import contested_worlds, quick
from tests.domain.world import BLOG, MAIL, SHOP, World, container, fates, project, row
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.contest import settle
from tinyforge.domain.matching import Claim, Reason, match

WEB = Labels(workload_id=MAIL.id, role="web")


def stronger(one: Container, other: Container) -> bool:
    """Rule M9, said again."""
    if (one.state == "running") != (other.state == "running"):
        return one.state == "running"
    return one.created > other.created if one.created != other.created else one.id > other.id


@pytest.mark.parametrize(
    ("strong", "weak"),
    [
        ({"id_": "a", "state": "running", "created": 1}, {"id_": "z", "state": "restarting", "created": 9}),
        ({"id_": "a", "state": "running", "created": 1}, {"id_": "z", "state": "Running", "created": 9}),
        ({"id_": "a", "state": "exited", "created": 2}, {"id_": "z", "state": "paused", "created": 1}),
        ({"id_": "a", "state": "running", "created": 2}, {"id_": "z", "state": "running", "created": 1}),
        ({"id_": "b", "created": 1}, {"id_": "a", "created": 1}),
        ({"id_": "b", "created": 1}, {"id_": "aa", "created": 1}),
        ({"id_": "9", "created": 1}, {"id_": "10", "created": 1}),
    ],
)
def test_m9_running_wins_then_the_younger_then_the_greater_id_as_text(strong: dict[str, Any], weak: dict[str, Any]) -> None:
    for order in ((strong, weak), (weak, strong)):
        plan = World(containers=tuple(container(labels=WEB, **it) for it in order)).plan()
        assert fates(plan) == {strong["id_"]: "default/mail:web", weak["id_"]: "Displaced"}
        assert [(it.claim.container.id, it.by.container.id) for it in plan.displaced] == [(weak["id_"], strong["id_"])]


def test_m9_containers_of_different_rules_compete_for_one_row() -> None:
    legacy = container("c1", Labels(static_site="blog"), created=1)
    canonical = container("c2", Labels(workload_id=BLOG.id), created=2)
    assert fates(World(containers=(legacy, canonical)).plan()) == {"c1": "Displaced", "c2": "default/blog:site"}


def test_m8_m9_a_container_displaced_from_the_row_that_carries_it_gets_the_row_it_would_have_otherwise() -> None:
    bound = container("c1", Labels(workload_id=MAIL.id, role="db"), created=1)
    stronger_one = container("c2", WEB, created=2)
    for order in ((bound, stronger_one), (stronger_one, bound)):
        world = World(rows=(row("default/mail:web", MAIL, "c1"),), containers=order)
        assert fates(world.plan()) == {"c1": "default/mail:db", "c2": "default/mail:web"}


def test_m8_m9_the_displaced_may_displace_in_turn() -> None:
    containers = (
        container("c1", project("tinyforge-mail", "db"), created=1),
        container("c2", Labels(workload_id=MAIL.id, role="db"), created=2),
        container("c3", WEB, created=3),
    )
    for order in permutations(containers):
        world = World(rows=(row("default/mail:web", MAIL, "c2"),), containers=order)
        assert fates(world.plan()) == {"c1": "Displaced", "c2": "default/mail:db", "c3": "default/mail:web"}


def test_m8_a_displaced_container_of_a_project_has_no_other_row_to_compete_for() -> None:
    world = World(
        rows=(row("default/mail:web", SHOP, "c1"),),
        containers=(container("c1", Labels(workload_id=SHOP.id), created=1), container("c2", WEB, created=2)),
    )
    assert fates(world.plan()) == {"c1": "Displaced", "c2": "default/mail:web"}


def test_m8_a_row_that_carries_the_container_is_not_kept_for_it() -> None:
    world = World(
        rows=(row("default/mail:web", MAIL, "c1"),), containers=(container("c1", WEB, state="exited", created=9), container("c2", WEB))
    )
    assert fates(world.plan()) == {"c1": "Displaced", "c2": "default/mail:web"}


@quick
@given(contested_worlds())
def test_m9_nobody_is_passed_over_for_a_weaker_one(world: World) -> None:
    plan = world.plan()
    got = {claim.container.id: row_id for row_id, claim in plan.winners.items()}
    for claim in (*plan.winners.values(), *(it.claim for it in plan.displaced)):
        own = got.get(claim.container.id)
        preferred = claim.rows[: claim.rows.index(own)] if own else claim.rows
        assert all(stronger(plan.winners[row_id].container, claim.container) for row_id in preferred)


@quick
@given(contested_worlds())
def test_m9_a_row_never_flaps_while_its_containers_stay_as_they_are(world: World) -> None:
    once = world.after()
    again = World(workloads=once.workloads, rows=once.rows, containers=once.containers[::-1])
    held = {row_id: claim.container.id for row_id, claim in again.plan().winners.items()}
    for row_id, claim in world.plan().winners.items():
        assert held[row_id] == claim.container.id


@quick
@given(contested_worlds())
def test_m9_every_claim_either_holds_one_row_it_asked_for_or_is_displaced(world: World) -> None:
    verdicts = [match(it, world.view, world.view.rows_by_container()) for it in world.containers]
    claims = [it for it in verdicts if isinstance(it, Claim)]
    settled = settle(claims)
    assert all(row_id in claim.rows for row_id, claim in settled.winners.items())
    ended = [*settled.winners.values(), *(it.claim for it in settled.displaced)]
    assert sorted(it.container.id for it in ended) == sorted(it.container.id for it in claims)


def test_m9_a_container_without_a_claim_contests_nothing() -> None:
    refused = container("c2", Labels(workload_id=BLOG.id, workload_kind="stack"), created=9)
    assert fates(World(containers=(container("c1", Labels(static_site="blog")), refused)).plan()) == {
        "c1": "default/blog:site",
        "c2": Reason.KIND_CONFLICT,
    }
