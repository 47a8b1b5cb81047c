"""A verdict as a sentence: it says why, and shows nothing of a label that could harm a terminal."""

import pytest
from hypothesis import given
from msgspec.structs import replace

from tests.domain.strategies import HOSTILE, quick, worlds
from tests.domain.world import BLOG, DOCS, FAR_SITE, HOST, MAIL, OURS, SHOP, World, container, project, row
from tinyforge.domain.containers import Labels
from tinyforge.domain.explanation import explain_claim, explain_displaced, explain_rejection
from tinyforge.domain.matching import HostView, Rejection, match
from tinyforge.domain.workloads import Workload, Workloads


def why_not(labels: Labels) -> str:
    view = HostView(host=HOST, installation=OURS, workloads=Workloads.of(HOST, (SHOP, BLOG, MAIL, FAR_SITE)), rows={})
    verdict = match(container("c1", labels), view, {})
    assert isinstance(verdict, Rejection)
    return explain_rejection(verdict)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (Labels(installation="theirs"), "tinyforge.installation names another installation"),
        (Labels(), "none of the labels that make a container managed"),
        (Labels(workload_id=FAR_SITE.id), "declared for another host"),
        (Labels(workload_id="default/forged"), "tinyforge.workload.id names no workload"),
        (Labels(static_site="forged"), "tinyforge.static-site is the ref of no site"),
        (Labels(compose_project="tinyforge-forged"), "com.docker.compose.project is the composeProject of no stack"),
        (Labels(workload_id=SHOP.id), "no row carries its id"),
        (Labels(workload_id=MAIL.id, role="\0"), "its role is not printable text of at most 255 bytes"),
        (
            Labels(workload_id=MAIL.id, workload_kind="site"),
            "tinyforge.workload.kind names another kind than the workload's, which is stack",
        ),
    ],
)
def test_a_rejection_names_the_label_that_decided(labels: Labels, words: str) -> None:
    assert words in why_not(labels)


@pytest.mark.parametrize("hostile", HOSTILE)
def test_m10_a_hostile_kind_is_shown_bounded_and_printable(hostile: str) -> None:
    sentence = why_not(Labels(workload_id=MAIL.id, workload_kind=hostile * 9))
    assert sentence.isprintable()
    assert len(sentence) < 600


def test_what_cannot_be_stored_is_said() -> None:
    (rejection,) = World(containers=(replace(container("c1", Labels(static_site="blog")), image="\0"),)).plan().rejections
    assert "U+0000" in explain_rejection(rejection)


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (Labels(workload_id=BLOG.id), "its label tinyforge.workload.id names the workload"),
        (Labels(static_site="team/docs"), "its label tinyforge.static-site is the site's ref"),
        (project("tinyforge-mail", "web"), "its label com.docker.compose.project is the stack's composeProject"),
        (project("tinyforge-mail", "web", oneoff="True"), "its label com.docker.compose.project is the stack's composeProject"),
    ],
)
def test_a_match_names_the_label_that_found_the_workload(labels: Labels, words: str) -> None:
    ((row_id, claim),) = World(workloads=(BLOG, DOCS, MAIL), containers=(container("c1", labels),)).plan().winners.items()
    assert explain_claim(claim, row_id) == words


@pytest.mark.parametrize(("workload", "id_"), [(SHOP, "blue"), (MAIL, "mail-of-a-deployer")])
def test_m8_a_match_by_a_row_that_carries_the_container_says_so(workload: Workload, id_: str) -> None:
    world = World(rows=(row(id_, workload, "c1"),), containers=(container("c1", Labels(workload_id=workload.id)),))
    assert explain_claim(world.plan().winners[id_], id_).endswith("and the row carries the container's id")


def test_m8_a_match_by_its_own_row_does_not_speak_of_bindings() -> None:
    world = World(
        rows=(row("default/mail:web", MAIL, "c1"),),
        containers=(
            container("c1", Labels(workload_id=MAIL.id, role="db")),
            container("c2", Labels(workload_id=MAIL.id, role="web"), created=1),
        ),
    )
    assert "carries" not in explain_claim(world.plan().winners["default/mail:db"], "default/mail:db")


@pytest.mark.parametrize(
    ("state", "created", "id_", "why"),
    [("running", 0, "a", "which runs"), ("exited", 2, "a", "which is younger"), ("exited", 1, "z", "whose id is greater")],
)
def test_m9_a_displaced_container_is_told_who_holds_its_row_and_why(state: str, created: int, id_: str, why: str) -> None:
    labels = Labels(static_site="blog")
    holder = container(id_ + "0123456789abcdef", labels, state=state, created=created)
    (displaced,) = World(containers=(container("c1", labels, state="exited", created=1), holder)).plan().displaced
    assert explain_displaced(displaced) == f"row default/blog:site is held by container {id_}0123456789a, {why}"


@quick
@given(worlds())
def test_m10_every_verdict_has_a_sentence_that_is_safe_to_print(world: World) -> None:
    plan = world.plan()
    sentences = [explain_claim(claim, row_id) for row_id, claim in plan.winners.items()]
    sentences += [explain_rejection(it) for it in plan.rejections]
    sentences += [explain_displaced(it) for it in plan.displaced]
    assert all(sentence.isprintable() and len(sentence) < 600 for sentence in sentences)
