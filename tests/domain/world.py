"""One host as a pass finds it: what is declared, what is stored, what is listed. Shorthand for examples, and what strategies draw."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from tinyforge.domain.containers import Container, Labels, Port
from tinyforge.domain.index_plan import Evidence, IndexPlan, plan_index
from tinyforge.domain.matching import HostView
from tinyforge.domain.rows import MISSING, Row
from tinyforge.domain.workloads import Kind, Workload, Workloads

HOST = "one"
ELSEWHERE = "two"
OURS = "our-installation"

SHOP = Workload(id="default/shop", kind=Kind.PROJECT, host=HOST)
BLOG = Workload(id="default/blog", kind=Kind.SITE, host=HOST, ref="blog")
DOCS = Workload(id="team/docs", kind=Kind.SITE, host=HOST, ref="team/docs")
MAIL = Workload(id="default/mail", kind=Kind.STACK, host=HOST, compose_project="tinyforge-mail")
CHAT = Workload(id="team/chat", kind=Kind.STACK, host=HOST, compose_project="tinyforge-chat")
FAR_SITE = Workload(id="default/far-site", kind=Kind.SITE, host=ELSEWHERE, ref="far")
FAR_STACK = Workload(id="default/far-stack", kind=Kind.STACK, host=ELSEWHERE, compose_project="tinyforge-far")
EVERYTHING = (SHOP, BLOG, DOCS, MAIL, CHAT, FAR_SITE, FAR_STACK)


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Everything that one pass of `HOST` decides from."""

    workloads: tuple[Workload, ...] = EVERYTHING
    rows: tuple[Row, ...] = ()
    containers: tuple[Container, ...] = ()

    @property
    def view(self) -> HostView:
        return HostView(
            host=HOST,
            installation=OURS,
            workloads=replace(Workloads.of(HOST, self.workloads), elsewhere={}),
            rows={row.id: row for row in self.rows},
        )

    def plan(self) -> IndexPlan:
        """The plan of a pass with a full list, if nobody touched the rows since it was asked for."""
        return plan_index(self.view, Evidence(containers=self.containers, bound_before=self.view.bindings()))

    def after(self, plan: IndexPlan | None = None) -> "World":
        """The world once a plan was written."""
        changes = (plan or self.plan()).changes
        rows = {**{row.id: row for row in self.rows}, **{change.row.id: change.row for change in changes}}
        return replace(self, rows=tuple(rows.values()))

    def row(self, id_: str) -> Row:
        return next(row for row in self.rows if row.id == id_)


def container(
    id_: str, labels: Labels | None = None, *, state: str = "running", created: int = 0, name: str = "", ports: Iterable[int] = ()
) -> Container:
    return Container(
        id=id_,
        image="registry.example/app:1",
        state=state,
        created=created,
        names=(f"/{name}",) if name else None,
        ports=tuple(Port(port) for port in ports),
        labels=labels,
    )


def row(id_: str, workload: Workload = SHOP, container_id: str = "", *, state: str = "running", host: str = HOST) -> Row:
    return Row(
        id=id_,
        workload_id=workload.id,
        workload_kind=workload.kind,
        role="",
        container_id=container_id,
        image_ref="",
        host=host,
        state=state,
        state_reason="",
        port=0,
        seen=False,
    )


def project(name: str, service: str = "", *, number: str = "", oneoff: str = "") -> Labels:
    """The labels of a container that Docker Compose made."""
    return Labels(compose_project=name, compose_service=service, compose_number=number, compose_oneoff=oneoff)


def fates(plan: IndexPlan) -> Mapping[str, str]:
    """What became of every container: its row, or why it has none."""
    return {
        **{claim.container.id: row_id for row_id, claim in plan.winners.items()},
        **{rejection.container.id: str(rejection.reason) for rejection in plan.rejections},
        **{displaced.claim.container.id: "Displaced" for displaced in plan.displaced},
    }


def fate(labels: Labels, *rows: Row, workloads: Iterable[Workload] = EVERYTHING, name: str = "") -> str:
    """What becomes of a container `c1` with these labels that has the host for itself."""
    world = World(workloads=tuple(workloads), rows=rows, containers=(container("c1", labels, name=name),))
    return fates(world.plan())["c1"]


def shared_bindings(rows: Iterable[Row]) -> list[tuple[str, str]]:
    """The (host, container id) that more than one row carries which is not missing: what PostgreSQL refuses."""
    carried = [(row.host, row.container_id) for row in rows if row.container_id and row.state != MISSING]
    return sorted({binding for binding in carried if carried.count(binding) > 1})
