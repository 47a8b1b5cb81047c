"""What a pass writes for a given list: bindings, states, the sweep, and the counts that people see."""

import pytest
from msgspec.structs import replace

from tests.domain.world import BLOG, ELSEWHERE, HOST, MAIL, SHOP, World, container, project, row, shared_bindings
from tinyforge.domain.containers import Container, Labels, Port
from tinyforge.domain.index_plan import Change, Evidence, IndexPlan, MissingReason, plan_index, sweeps_most
from tinyforge.domain.rows import Row
from tinyforge.domain.workloads import Kind, Workload

OF_BLOG = Labels(static_site="blog")


def test_w3_the_lowest_port_and_the_image_as_listed_are_written() -> None:
    listed = container("c1", OF_BLOG, ports=(8080, 443, 80))
    written = World(containers=(listed,)).after().row("default/blog:site")
    assert (written.port, written.image_ref) == (80, "registry.example/app:1")


def test_w3_a_container_without_ports_has_port_0() -> None:
    assert World(containers=(container("c1", OF_BLOG),)).after().row("default/blog:site").port == 0


@pytest.mark.parametrize(
    ("docker", "shown"),
    [
        ("running", "running"),
        ("exited", "stopped"),
        ("dead", "stopped"),
        ("stopped", "stopped"),
        ("created", "created"),
        ("restarting", "restarting"),
        ("paused", "paused"),
        ("removing", "removing"),
        ("hibernating", "hibernating"),
        ("", ""),
    ],
)
def test_w4_a_row_shows_dockers_state(docker: str, shown: str) -> None:
    assert World(containers=(container("c1", OF_BLOG, state=docker),)).after().row("default/blog:site").state == shown


def test_w4_a_failure_that_a_deployer_set_gives_way_to_a_container_that_is_seen() -> None:
    world = World(rows=(row("default/blog:site", BLOG, "c1", state="failed"),), containers=(container("c1", OF_BLOG),))
    assert world.after().row("default/blog:site").state == "running"


@pytest.mark.parametrize("id_", ["c1", "c2"])
def test_w6_a_container_that_comes_back_or_its_successor_leaves_missing(id_: str) -> None:
    gone = replace(row("default/blog:site", BLOG, "c1", state="missing"), state_reason="ContainerGone")
    back = World(rows=(gone,), containers=(container(id_, OF_BLOG),)).after().row("default/blog:site")
    assert (back.state, back.state_reason, back.container_id) == ("running", "", id_)


def test_w6_a_deployers_row_leaves_missing_when_its_container_is_back() -> None:
    world = World(rows=(row("blue", SHOP, "c1", state="missing"),), containers=(container("c1", Labels(workload_id=SHOP.id)),))
    assert world.after().row("blue").state == "running"


def test_w7_a_row_is_written_over_what_was_read_and_a_new_one_over_nothing() -> None:
    stored = row("default/blog:site", BLOG, "c0")
    world = World(rows=(stored,), containers=(container("c1", OF_BLOG), container("c2", project("tinyforge-mail", "web"))))
    assert [(change.row.id, change.over) for change in world.plan().changes] == [("default/blog:site", stored), ("default/mail:web", None)]


def test_a_row_that_moved_here_from_another_host_is_written_over() -> None:
    stored = row("default/blog:site", BLOG, "c0", host=ELSEWHERE)
    world = World(rows=(stored,), containers=(container("c1", OF_BLOG),))
    assert (world.after().row("default/blog:site").host, world.plan().changes[0].over) == (HOST, stored)


def test_p8_a_pass_that_finds_everything_as_stored_writes_nothing() -> None:
    steady = World(containers=(container("c1", OF_BLOG, ports=(80,)), container("c2", project("tinyforge-mail", "web")))).after()
    assert steady.plan().changes == ()


def test_p8_only_the_row_that_differs_is_written() -> None:
    steady = World(containers=(container("c1", OF_BLOG), container("c2", project("tinyforge-mail", "web")))).after()
    moved = World(rows=steady.rows, containers=(steady.containers[0], container("c2", project("tinyforge-mail", "web"), state="paused")))
    assert [change.row.id for change in moved.plan().changes] == ["default/mail:web"]


@pytest.mark.parametrize("state", ["running", "stopped", "created", "failed", "hibernating"])
def test_s1_a_bound_row_that_is_not_seen_becomes_missing(state: str) -> None:
    world = World(rows=(row("blue", SHOP, "c1", state=state),))
    assert (world.after().row("blue").state, world.after().row("blue").state_reason) == ("missing", "ContainerGone")
    assert world.plan().swept == 1


def test_s1_a_row_made_before_its_container_is_left_alone() -> None:
    world = World(rows=(row("blue", SHOP, state="created"),))
    assert world.plan().changes == ()


def test_s1_a_row_that_is_missing_already_is_left_as_it_is() -> None:
    world = World(rows=(row("blue", SHOP, "c1", state="missing"),))
    assert world.plan().changes == ()


def test_s1_rows_of_other_hosts_are_not_swept() -> None:
    assert World(rows=(row("far", SHOP, "c1", host=ELSEWHERE),)).plan().changes == ()


def test_s1_nothing_but_the_state_and_its_reason_is_changed() -> None:
    stored = Row("blue", SHOP.id, "project", "web", "c1", "app:1", HOST, "running", "", 80, seen=True)
    swept = Row("blue", SHOP.id, "project", "web", "c1", "app:1", HOST, "missing", "ContainerGone", 80, seen=True)
    assert World(rows=(stored,)).plan().changes == (Change(row=swept, over=stored),)


def test_s2_an_honest_empty_list_sweeps_everything() -> None:
    world = World(rows=(row("blue", SHOP, "c1"), row("green", SHOP, "c2")))
    assert {it.state for it in world.after().rows} == {"missing"}


def test_s2_a_list_of_named_ids_proves_the_absence_of_those_only() -> None:
    world = World(rows=(row("blue", SHOP, "c1"), row("green", SHOP, "c2")))
    plan = plan_index(world.view, Evidence(containers=(), bound_before=world.view.bindings(), asked_ids={"c2"}))
    assert [change.row.id for change in plan.changes] == ["green"]


def test_s3_a_pass_has_no_way_to_delete_a_row() -> None:
    world = World(rows=(row("blue", SHOP, "c1"), row("green", SHOP)), workloads=())
    assert {it.id for it in world.after().rows} == {"blue", "green"}


def test_s4_a_row_whose_workload_was_deleted_becomes_missing_though_its_container_is_there() -> None:
    world = World(workloads=(), rows=(row("default/blog:site", BLOG, "c1"),), containers=(container("c1", OF_BLOG),))
    assert world.after().row("default/blog:site").state_reason == MissingReason.WORKLOAD_REMOVED


def test_s4_a_row_whose_container_is_refused_becomes_missing() -> None:
    refused = Labels(workload_id=SHOP.id, workload_kind="stack")
    world = World(rows=(row("blue", SHOP, "c1"),), containers=(container("c1", refused),))
    assert world.after().row("blue").state_reason == MissingReason.NOT_MATCHED


def test_s4_a_row_whose_container_was_matched_to_another_row_becomes_missing() -> None:
    world = World(rows=(row("old", MAIL, "c1"),), containers=(container("c1", project("tinyforge-mail", "web")),))
    assert [(it.id, it.state) for it in world.after().rows] == [("old", "missing"), ("default/mail:web", "running")]


def test_s6_a_row_that_was_bound_while_the_list_was_under_way_is_not_missing() -> None:
    world = World(rows=(row("blue", SHOP, "c1"),))
    assert plan_index(world.view, Evidence(containers=(), bound_before={})).changes == ()


def test_s6_a_row_that_was_bound_to_another_container_meanwhile_is_not_missing() -> None:
    world = World(rows=(row("blue", SHOP, "c2"),))
    assert plan_index(world.view, Evidence(containers=(), bound_before={"blue": "c1"})).changes == ()


def test_w7_a_row_that_was_bound_anew_while_the_list_was_under_way_is_not_written_over() -> None:
    world = World(rows=(row("default/blog:site", BLOG, "c2"),))
    old_list = (container("c1", OF_BLOG, state="exited"),)
    assert plan_index(world.view, Evidence(containers=old_list, bound_before={"default/blog:site": "c1"})).changes == ()


def test_w7_a_row_that_was_deleted_while_the_list_was_under_way_is_not_made_again() -> None:
    old_list = (container("c1", OF_BLOG, state="exited"),)
    assert plan_index(World().view, Evidence(containers=old_list, bound_before={"default/blog:site": "c1"})).changes == ()


def test_w7_a_row_that_was_moved_to_another_host_while_the_list_was_under_way_is_not_taken_back() -> None:
    world = World(rows=(row("default/blog:site", BLOG, "c2", host=ELSEWHERE),))
    old_list = (container("c1", OF_BLOG, state="exited"),)
    assert plan_index(world.view, Evidence(containers=old_list, bound_before={"default/blog:site": "c1"})).changes == ()


def test_w7_a_row_that_was_bound_meanwhile_to_a_container_of_this_very_list_is_written() -> None:
    world = World(rows=(row("blue", SHOP, "c1", state="created"),))
    listed = (container("c1", Labels(workload_id=SHOP.id)),)
    (change,) = plan_index(world.view, Evidence(containers=listed, bound_before={"blue": ""})).changes
    assert (change.row.state, change.row.container_id) == ("running", "c1")


def test_w7_a_container_that_was_bound_meanwhile_to_another_row_is_left_to_the_next_pass() -> None:
    world = World(
        rows=(row("of-a-deployer", MAIL, "c1", state="created"),), containers=(container("c1", project("tinyforge-mail", "web")),)
    )
    plan = plan_index(world.view, Evidence(containers=world.containers, bound_before={"of-a-deployer": ""}))
    assert shared_bindings(world.after(plan).rows) == []


def test_w7_what_depended_on_a_change_that_is_left_to_the_next_pass_is_left_to_it_too() -> None:
    displaced = container("c2", Labels(workload_id=MAIL.id, role="db"), created=1)
    stronger = container("c1", project("tinyforge-mail", "web"), created=2)
    world = World(rows=(row("default/mail:web", MAIL, "c2"), row("of-a-deployer", MAIL, "c1")), containers=(displaced, stronger))
    before = {"default/mail:web": "c2", "of-a-deployer": ""}
    assert plan_index(world.view, Evidence(containers=world.containers, bound_before=before)).changes == ()


def counts(plan: IndexPlan) -> tuple[int, int, int, int, int]:
    return plan.listed, plan.matched, plan.ignored, len(plan.changes), plan.swept


def test_listed_is_matched_and_ignored_together() -> None:
    containers = (
        container("c1", OF_BLOG, created=2),
        container("c2", OF_BLOG),
        container("c3"),
        container("c4", Labels(workload_id=MAIL.id, workload_kind="site")),
    )
    world = World(rows=(row("blue", SHOP, "c9"), row("green", SHOP, "c8")), containers=containers)
    assert counts(world.plan()) == (4, 1, 3, 3, 2)


def test_w7_a_plan_without_the_rows_that_moved_still_counts_true() -> None:
    plan = World(rows=(row("blue", SHOP, "c9"), row("green", SHOP, "c8")), containers=(container("c1", OF_BLOG),)).plan()
    assert counts(plan.without({"blue"})) == (1, 1, 0, 2, 1)
    assert counts(plan.without({"default/blog:site", "unknown"})) == (1, 1, 0, 2, 2)


@pytest.mark.parametrize(("gone", "most"), [(0, False), (1, False), (2, False), (3, True), (4, True)])
def test_sweeping_more_than_half_of_the_bound_rows_is_noticed(gone: int, most: bool) -> None:
    labels = Labels(workload_id=SHOP.id)
    rows = [row(f"r{number}", SHOP, f"c{number}") for number in range(4)]
    unbound = [row("a", SHOP), row("b", SHOP, "c9", state="missing"), row("c", SHOP, "c9", host=ELSEWHERE)]
    world = World(rows=(*rows, *unbound), containers=tuple(container(f"c{number}", labels) for number in range(gone, 4)))
    assert sweeps_most(world.view, world.plan()) is most


def test_a_row_taken_over_is_not_swept() -> None:
    world = World(rows=(row("default/blog:site", BLOG, "c0"),), containers=(container("c1", OF_BLOG),))
    assert not sweeps_most(world.view, world.plan())


def test_p9_the_order_of_ports_is_no_change() -> None:
    def world(*ports: int) -> World:
        listed = Container(id="c1", image="app:1", state="running", created=1, ports=tuple(map(Port, ports)), labels=OF_BLOG)
        return World(containers=(listed,))

    assert World(rows=world(1, 2, 3).after().rows, containers=world(3, 1, 2).containers).plan().changes == ()


def test_p9_the_order_of_names_gives_no_other_row() -> None:
    def rows(*names: str) -> tuple[Row, ...]:
        return World(containers=(replace(container("c1", project("tinyforge-mail")), names=names),)).after().rows

    assert rows("/web", "/linker/db", "/app") == rows("/linker/db", "/app", "/web")


def test_a_workload_that_changed_its_kind_of_matching_keeps_its_row() -> None:
    stack = Workload(id=BLOG.id, kind=Kind.STACK, host=HOST, compose_project="tinyforge-blog")
    world = World(
        workloads=(stack,), rows=(row("default/blog:site", BLOG, "c1"),), containers=(container("c1", Labels(workload_id=BLOG.id)),)
    )
    assert world.after().row("default/blog:site").workload_kind == "stack"
