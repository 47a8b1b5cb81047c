"""Many passes over a host on which people, Docker Compose and deployers are busy: after each of them the rows are true."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from msgspec.structs import replace

from tests.domain.strategies import DOCKER_STATES
from tests.domain.world import BLOG, EVERYTHING, HOST, MAIL, SHOP, World, container, project, row, shared_bindings
from tinyforge.domain.containers import Container, Labels
from tinyforge.domain.index_plan import Evidence, IndexPlan, docker_state, plan_index
from tinyforge.domain.rows import MISSING, Row
from tinyforge.domain.workloads import Workload

DEPLOYERS_ROWS = ("shop-blue", "shop-green", "mail-of-a-deployer")
LABELS = (
    Labels(),
    Labels(workload_id=SHOP.id),
    Labels(workload_id=BLOG.id),
    Labels(static_site=BLOG.ref),
    Labels(workload_id=MAIL.id),
    Labels(workload_id=MAIL.id, role="web"),
    Labels(workload_id=MAIL.id, role="web", workload_kind="site"),
    Labels(workload_id=MAIL.id, role="\0"),
    project(MAIL.compose_project, "web"),
    project(MAIL.compose_project, "web", number="2"),
    project(MAIL.compose_project, "web", oneoff="True"),
)

some_labels = st.sampled_from(LABELS)
some_workload = st.sampled_from(EVERYTHING)
some_row = st.sampled_from(DEPLOYERS_ROWS)
some_state = st.sampled_from(DOCKER_STATES)


def has_containers(life: "LifeOfAnIndex") -> bool:
    return bool(life.engine)


class LifeOfAnIndex(RuleBasedStateMachine):
    """One host: its engine, the mirror of what is declared, and the rows of the index."""

    def __init__(self) -> None:
        super().__init__()
        self.engine: dict[str, Container] = {}
        self.declared: dict[str, Workload] = {}
        self.rows: dict[str, Row] = {}
        self.clock = 0
        self.ids: set[str] = set()

    @initialize(workloads=st.frozensets(some_workload, min_size=4), labels=st.lists(some_labels, max_size=5))
    def begin(self, workloads: frozenset[Workload], labels: list[Labels]) -> None:
        self.declared = {it.id: it for it in workloads}
        for each in labels:
            self.created(each, state="running", seconds=1)

    @rule(labels=some_labels, state=some_state, seconds=st.integers(0, 1))
    def create(self, labels: Labels, state: str, seconds: int) -> None:
        self.created(labels, state=state, seconds=seconds)

    @precondition(has_containers)
    @rule(data=st.data(), state=some_state)
    def start_or_stop(self, data: st.DataObject, state: str) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.engine)))
        self.engine[id_] = replace(self.engine[id_], state=state)

    @precondition(has_containers)
    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        del self.engine[data.draw(st.sampled_from(sorted(self.engine)))]

    @precondition(has_containers)
    @rule(data=st.data())
    def recreate(self, data: st.DataObject) -> None:
        old = self.engine.pop(data.draw(st.sampled_from(sorted(self.engine))))
        self.created(old.labels or Labels(), state="running", seconds=1)

    @rule(workload=some_workload)
    def declare(self, workload: Workload) -> None:
        self.declared[workload.id] = workload

    @rule(workload=some_workload)
    def withdraw(self, workload: Workload) -> None:
        self.declared.pop(workload.id, None)

    @rule(id_=some_row, workload=st.sampled_from((SHOP, MAIL)))
    def deployer_makes_a_row(self, id_: str, workload: Workload) -> None:
        self.rows.setdefault(id_, row(id_, workload, state="created"))

    @precondition(has_containers)
    @rule(id_=some_row, data=st.data())
    def deployer_binds_a_row(self, id_: str, data: st.DataObject) -> None:
        chosen = data.draw(st.sampled_from(sorted(self.engine)))
        carried = {it.container_id for it in self.rows.values() if it.present}
        if id_ in self.rows and chosen not in carried:
            self.rows[id_] = replace(self.rows[id_], container_id=chosen, state="created")

    @rule(id_=some_row)
    def deployer_gives_up(self, id_: str) -> None:
        if id_ in self.rows and not self.rows[id_].present:
            self.rows[id_] = replace(self.rows[id_], state="failed")

    @rule(id_=some_row)
    def deployer_deletes_a_row(self, id_: str) -> None:
        self.rows.pop(id_, None)

    @rule()
    def a_pass(self) -> None:
        before = self.world()
        plan = before.plan()
        self.write(plan)
        self.everything_is_true(before, plan)
        assert self.world().plan().changes == ()

    @rule(id_=some_row, labels=st.sampled_from((Labels(workload_id=SHOP.id), Labels(workload_id=MAIL.id))))
    def a_pass_during_which_a_deployer_starts_a_container(self, id_: str, labels: Labels) -> None:
        before = self.world()
        late = self.created(labels, state="running", seconds=1)
        bound = replace(self.rows.get(id_, row(id_)), container_id=late, state="created")
        self.rows[id_] = bound
        self.write(plan_index(self.world().view, Evidence(containers=before.containers, bound_before=before.view.bindings())))
        assert self.rows[id_] == bound
        assert shared_bindings(self.rows.values()) == []

    def created(self, labels: Labels, *, state: str, seconds: int) -> str:
        """Create a container so many seconds after the last one, and return its id."""
        self.clock += seconds
        id_ = f"{len(self.ids) * 7919 % 1000:03}"
        self.ids.add(id_)
        self.engine[id_] = container(id_, labels, state=state, created=self.clock, name="web")
        return id_

    def world(self) -> World:
        return World(workloads=tuple(self.declared.values()), rows=tuple(self.rows.values()), containers=tuple(self.engine.values()))

    def write(self, plan: IndexPlan) -> None:
        for change in plan.changes:
            assert self.rows.get(change.row.id) == change.over
            self.rows[change.row.id] = change.row

    def everything_is_true(self, before: World, plan: IndexPlan) -> None:
        """Check what a person could check with `docker ps -a` beside the rows."""
        present = [it for it in self.rows.values() if it.present]
        assert shared_bindings(present) == []
        for it in present:
            assert it.state == docker_state(self.engine[it.container_id].state)
            assert (it.host, it.workload_id in self.declared, it.seen) == (HOST, True, True)
        assert len(present) == plan.matched == len(self.engine) - plan.ignored
        for stored in before.rows:
            assert stored.id in self.rows
            assert stored.container_id or self.rows[stored.id].container_id or self.rows[stored.id] == stored
        invented: set[Any] = self.rows.keys() - {it.id for it in before.rows}
        assert all(self.rows[id_].workload_kind != SHOP.kind and self.rows[id_].state != MISSING for id_ in invented)


TestLifeOfAnIndex = LifeOfAnIndex.TestCase
TestLifeOfAnIndex.settings = settings(deadline=None, max_examples=120, stateful_step_count=50)
