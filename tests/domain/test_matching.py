"""Which workload, and which row, the labels of a single container give it: rules M1 to M8 and M10 to M12, one by one."""

import pytest

from tests.domain.strategies import UNUSABLE
from tests.domain.world import (
    BLOG,
    DOCS,
    ELSEWHERE,
    FAR_SITE,
    FAR_STACK,
    HOST,
    MAIL,
    OURS,
    SHOP,
    World,
    container,
    fate,
    fates,
    project,
    row,
)
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.matching import HostView, Outcome, Reason, Rejection, is_usable_role, match
from tinyforge.domain.workloads import Kind, Workload, Workloads


def rejection(labels: Labels, *workloads: Workload) -> Rejection:
    view = HostView(host=HOST, installation=OURS, workloads=Workloads.of(HOST, workloads), rows={})
    verdict = match(container("c1", labels), view, {})
    assert isinstance(verdict, Rejection)
    return verdict


def test_m1_the_canonical_label_goes_before_the_others() -> None:
    assert fate(Labels(workload_id=BLOG.id, static_site=DOCS.ref, compose_project=MAIL.compose_project)) == "default/blog:site"


def test_m1_a_static_site_goes_before_a_compose_project() -> None:
    assert fate(Labels(static_site=DOCS.ref, compose_project=MAIL.compose_project, compose_service="web")) == "team/docs:site"


@pytest.mark.parametrize("labels", [Labels(), project("mail"), Labels(role="web", workload_kind="stack"), project("x-tinyforge-mail")])
def test_m1_a_container_without_a_deciding_label_leaves_no_row(labels: Labels) -> None:
    assert fate(labels) == Reason.NOT_MANAGED


def test_m1_a_compose_project_without_our_prefix_is_nobodys_even_if_a_stack_has_it() -> None:
    assert fate(project("mail"), workloads=[Workload(id="a/b", kind=Kind.STACK, host=HOST, compose_project="mail")]) == Reason.NOT_MANAGED


def test_m2_an_empty_canonical_label_leaves_the_word_to_the_next_rule() -> None:
    assert fate(Labels(workload_id="", static_site="blog", workload_kind="", role="")) == "default/blog:site"


def test_m2_an_empty_installation_is_no_foreign_one() -> None:
    assert fate(Labels(installation="", static_site="blog")) == "default/blog:site"


def test_m3_an_unknown_workload_is_ignored_and_not_tried_under_later_rules() -> None:
    labels = Labels(workload_id="default/forged", static_site="blog", compose_project=MAIL.compose_project)
    assert rejection(labels, BLOG, MAIL) == Rejection(container("c1", labels), "M3", Outcome.IGNORED, Reason.UNKNOWN_WORKLOAD)


@pytest.mark.parametrize(
    "labels",
    [
        Labels(workload_id=MAIL.id, workload_kind="site"),
        Labels(static_site=BLOG.ref, workload_kind="project"),
        Labels(compose_project=MAIL.compose_project, workload_kind="Stack"),
    ],
)
def test_m4_a_kind_that_is_not_the_stored_one_is_refused_on_every_path(labels: Labels) -> None:
    verdict = rejection(labels, MAIL, BLOG)
    assert (verdict.rule, verdict.outcome, verdict.reason) == ("M4", Outcome.REFUSED, Reason.KIND_CONFLICT)


@pytest.mark.parametrize("kind", ["", "stack"])
def test_m4_a_kind_that_is_absent_or_the_stored_one_is_fine(kind: str) -> None:
    world = World(containers=(container("c1", Labels(workload_id=MAIL.id, workload_kind=kind, role="web")),))
    assert world.after().row("default/mail:web").workload_kind == "stack"


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (Labels(workload_id=FAR_SITE.id), Reason.UNKNOWN_WORKLOAD),
        (Labels(static_site=FAR_SITE.ref), Reason.UNKNOWN_REF),
        (project(FAR_STACK.compose_project, "web"), Reason.UNKNOWN_PROJECT),
    ],
)
def test_m5_a_workload_of_another_host_matches_nothing_here(labels: Labels, reason: Reason) -> None:
    assert fate(labels) == reason


def test_m5_who_knows_the_other_hosts_can_tell_a_wrong_host_from_a_forged_label() -> None:
    verdict = rejection(Labels(workload_id=FAR_SITE.id), FAR_SITE)
    assert (verdict.rule, verdict.outcome, verdict.reason) == ("M5", Outcome.IGNORED, Reason.OTHER_HOST)


def test_m5_two_hosts_may_use_one_ref() -> None:
    twin = Workload(id="default/twin", kind=Kind.SITE, host=ELSEWHERE, ref=BLOG.ref)
    assert fate(Labels(static_site=BLOG.ref), workloads=[BLOG, twin]) == "default/blog:site"


def test_m6_a_static_site_is_found_by_its_ref_and_has_no_role() -> None:
    world = World(containers=(container("c1", Labels(static_site="team/docs", role="ignored")),)).after()
    assert (world.row("team/docs:site").role, world.row("team/docs:site").workload_id) == ("", "team/docs")


def test_m6_an_unknown_ref_is_ignored_and_not_tried_under_the_next_rule() -> None:
    verdict = rejection(Labels(static_site="gone", compose_project=MAIL.compose_project), MAIL)
    assert (verdict.rule, verdict.outcome, verdict.reason) == ("M6", Outcome.IGNORED, Reason.UNKNOWN_REF)


def test_m6_a_ref_finds_sites_only() -> None:
    odd = Workload(id="default/odd", kind=Kind.PROJECT, host=HOST, ref="odd")
    assert fate(Labels(static_site="odd"), workloads=[odd]) == Reason.UNKNOWN_REF


def test_m7_a_compose_service_is_the_role_of_its_row() -> None:
    world = World(containers=(container("c1", project("tinyforge-mail", "smtp"), name="mail-smtp-1"),)).after()
    assert (world.row("default/mail:smtp").role, world.row("default/mail:smtp").workload_id) == ("smtp", "default/mail")


def test_m7_without_a_service_the_name_is_the_role_and_without_a_name_the_id() -> None:
    assert fate(project("tinyforge-mail"), name="postfix") == "default/mail:postfix"
    assert fate(project("tinyforge-mail")) == "default/mail:c1"


def test_m7_an_unknown_project_is_ignored() -> None:
    verdict = rejection(project("tinyforge-gone", "web"), MAIL)
    assert (verdict.rule, verdict.outcome, verdict.reason) == ("M7", Outcome.IGNORED, Reason.UNKNOWN_PROJECT)


def test_m7_a_compose_project_finds_stacks_only() -> None:
    odd = Workload(id="default/odd", kind=Kind.PROJECT, host=HOST, compose_project="tinyforge-odd")
    assert fate(project("tinyforge-odd", "web"), workloads=[odd]) == Reason.UNKNOWN_PROJECT


def test_m7_a_row_that_carries_the_container_is_not_looked_for() -> None:
    assert fate(project("tinyforge-mail", "web"), row("somewhere", MAIL, "c1")) == "default/mail:web"


def test_m8_a_row_that_carries_the_container_is_the_one_updated_whatever_its_own_id() -> None:
    for workload in (SHOP, BLOG, MAIL):
        assert fate(Labels(workload_id=workload.id), row("anything at all", workload, "c1")) == "anything at all"


def test_m8_of_several_rows_one_that_is_not_missing_is_updated_then_the_smallest_id() -> None:
    labels = Labels(workload_id=SHOP.id)
    missing = [row("a", SHOP, "c1", state="missing"), row("b", SHOP, "c1", state="missing")]
    assert fate(labels, *reversed(missing)) == "a"
    assert fate(labels, *missing, row("z", SHOP, "c1", state="failed")) == "z"


def test_m8_a_row_of_another_host_binds_nothing_here() -> None:
    assert fate(Labels(workload_id=SHOP.id), row("a", SHOP, "c1", host=ELSEWHERE)) == Reason.NO_ROW


def test_m8_no_row_is_invented_for_a_project() -> None:
    labels = Labels(workload_id=SHOP.id, role="web")
    verdict = rejection(labels, SHOP)
    assert (verdict.rule, verdict.outcome, verdict.reason) == ("M8", Outcome.IGNORED, Reason.NO_ROW)
    assert fate(labels, row("default/shop:web", SHOP)) == Reason.NO_ROW


def test_m8_an_unbound_site_has_one_row_whatever_its_role() -> None:
    assert fate(Labels(workload_id=BLOG.id, role="web")) == "default/blog:site"


def test_m8_an_unbound_container_of_a_stack_has_the_row_of_its_role_or_else_of_its_id() -> None:
    assert fate(Labels(workload_id=MAIL.id, role="web")) == "default/mail:web"
    assert fate(Labels(workload_id=MAIL.id), name="postfix") == "default/mail:c1"


@pytest.mark.parametrize("workload", [SHOP, BLOG, MAIL])
def test_m8_the_role_is_the_label_or_empty_whatever_the_kind(workload: Workload) -> None:
    for role in ("", "web"):
        labels = Labels(workload_id=workload.id, role=role, compose_service="other")
        world = World(rows=(row("r", workload, "c1"),), containers=(container("c1", labels, name="name"),))
        assert world.after().row("r").role == role


def test_m8_compose_labels_number_nothing_on_the_canonical_path() -> None:
    assert fate(Labels(workload_id=MAIL.id, role="web", compose_number="2", compose_oneoff="True")) == "default/mail:web"


@pytest.mark.parametrize("role", UNUSABLE)
def test_m10_an_unusable_role_is_refused_wherever_it_comes_from(role: str) -> None:
    for labels in (Labels(workload_id=MAIL.id, role=role), Labels(workload_id=BLOG.id, role=role), project("tinyforge-mail", role)):
        verdict = rejection(labels, MAIL, BLOG)
        assert (verdict.rule, verdict.outcome, verdict.reason) == ("M10", Outcome.REFUSED, Reason.ROLE_UNUSABLE)
    assert fate(project("tinyforge-mail"), name=role) == Reason.ROLE_UNUSABLE


def test_m10_a_container_without_any_labels_is_nobodys() -> None:
    assert fates(World(containers=(container("c1", None),)).plan()) == {"c1": Reason.NOT_MANAGED}


@pytest.mark.parametrize("role", ["web 1", "ü" * 127, "w" * 255, "a:b/c", "__proto__", "🦊", "e\u0301", "\ufffd", "; rm -rf /", "%s"])
def test_m10_every_other_role_is_stored_as_it_is(role: str) -> None:
    world = World(containers=(container("c1", Labels(workload_id=MAIL.id, role=role)),)).after()
    assert world.row(f"default/mail:{role}").role == role


def test_m10_a_role_may_have_255_bytes_and_not_one_more() -> None:
    assert [is_usable_role("w" * 255), is_usable_role("w" * 256), is_usable_role("ü" * 127 + "w"), is_usable_role("ü" * 128)] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "forged",
    [
        Container(id="c\0", image="", state="running", created=0, labels=Labels(static_site="blog")),
        Container(id="c" * 300, image="", state="running", created=0, labels=Labels(static_site="blog")),
        Container(id="c\x1b[2J", image="", state="running", created=0, labels=Labels(static_site="blog")),
        Container(id="c1", image="\0", state="running", created=0, labels=Labels(static_site="blog")),
        Container(id="c1", image="", state="run\0", created=0, labels=Labels(static_site="blog")),
    ],
)
def test_m10_what_postgresql_cannot_store_costs_a_container_its_row(forged: Container) -> None:
    assert fates(World(containers=(forged,)).plan()) == {forged.id: Reason.UNSTORABLE}


@pytest.mark.parametrize("number", ["2", "10", "999999999"])
def test_m11_a_scaled_service_has_a_row_a_number(number: str) -> None:
    assert fate(project("tinyforge-mail", "web", number=number)) == f"default/mail:web:{number}"


@pytest.mark.parametrize("number", ["", "1", "0", "01", "02", "-2", "+2", "2 ", "2\n", "1000000000", "٢", "2.0", "two"])
def test_m11_any_other_number_counts_as_one(number: str) -> None:
    assert fate(project("tinyforge-mail", "web", number=number)) == "default/mail:web"


def test_m11_a_one_off_never_takes_its_services_row_and_keeps_its_role() -> None:
    world = World(containers=(container("c1", project("tinyforge-mail", "web", number="2", oneoff="True")),)).after()
    assert [(it.id, it.role) for it in world.rows] == [("default/mail:c1", "web")]


@pytest.mark.parametrize("oneoff", ["", "False", "true", "1", "True "])
def test_m11_only_the_word_true_makes_a_one_off(oneoff: str) -> None:
    assert fate(project("tinyforge-mail", "web", oneoff=oneoff)) == "default/mail:web"


@pytest.mark.parametrize("labels", [Labels(), Labels(workload_id=BLOG.id), Labels(static_site="blog"), project("tinyforge-mail", "\0")])
def test_m12_a_container_of_another_installation_is_ignored_before_anything_else(labels: Labels) -> None:
    foreign = Labels(installation="another", workload_id=labels.workload_id, static_site=labels.static_site)
    verdict = rejection(foreign, BLOG, MAIL)
    assert (verdict.rule, verdict.outcome, verdict.reason) == ("M12", Outcome.IGNORED, Reason.FOREIGN)


def test_m12_our_own_installation_is_no_obstacle() -> None:
    assert fate(Labels(installation=OURS, static_site="blog")) == "default/blog:site"
