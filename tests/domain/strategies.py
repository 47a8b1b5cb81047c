"""What hypothesis draws: small universes, so that things collide, and hostile text wherever a label can hold any."""

from dataclasses import fields
from typing import TypeVar

from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.domain.world import ELSEWHERE, EVERYTHING, HOST, MAIL, OURS, SHOP, World
from tinyforge.domain.containers import Container, Labels, Port
from tinyforge.domain.rows import MISSING, Row
from tinyforge.domain.workloads import Workload

T = TypeVar("T")

quick = settings(deadline=None, max_examples=75)
thorough = settings(deadline=None, max_examples=400)

UNUSABLE = ("\0", "\x1b[31mweb", "web\u202ebew", "w" * 300, "ü" * 128, "\ud800", "web\n", "\u200b", "\x7f")
"""What no role may be (rule M10)."""

HOSTILE = (*UNUSABLE, "a:b/c", "__proto__", "'; DROP TABLE containers; --", "../../etc/passwd", "%s{0}", " ", "0", "-1", "٢")
"""What any label may be all the same."""

CONTAINER_IDS = ("c1", "c2", "c3", "c4", "c5", "c6")
DOCKER_STATES = ("running", "running", "running", "exited", "created", "paused", "restarting", "dead", "removing", "Running", "flying")
ROW_IDS = (
    "default/blog:site",
    "team/docs:site",
    "default/mail:web",
    "default/mail:web:2",
    "default/mail:c1",
    "team/chat:web",
    "shop-blue",
    "shop-green",
)


def value(*known: str) -> st.SearchStrategy[str]:
    """A label's value: nine times in ten one of `known`, else hostile."""
    return st.sampled_from((*known * (9 * len(HOSTILE) // len(known)), *HOSTILE))


def canonical_labels() -> st.SearchStrategy[Labels]:
    return st.builds(
        Labels,
        workload_id=value(*(workload.id for workload in EVERYTHING)),
        workload_kind=value("", "", "", "project", "site", "stack"),
        role=value("", "web"),
    )


def site_labels() -> st.SearchStrategy[Labels]:
    return st.builds(Labels, static_site=value("blog", "blog", "team/docs", "far"))


def stack_labels() -> st.SearchStrategy[Labels]:
    return st.builds(
        Labels,
        compose_project=value("tinyforge-mail", "tinyforge-mail", "tinyforge-chat", "tinyforge-far", "tinyforge-", "mail"),
        compose_service=value("", "web"),
        compose_number=value("", "1", "2", "02", "999999999", "1234567890"),
        compose_oneoff=value("", "", "False", "True"),
    )


def any_labels() -> st.SearchStrategy[Labels]:
    """Any text in any label."""
    text = st.sampled_from(("", OURS, "blog", "tinyforge-mail", *(workload.id for workload in EVERYTHING), *HOSTILE)) | st.text(max_size=9)
    return st.builds(Labels, **dict.fromkeys(Labels.__struct_fields__, text))


def label_sets() -> st.SearchStrategy[Labels]:
    """Labels that decide by one rule, by several at once, or by nothing that makes sense."""
    paths = (canonical_labels(), site_labels(), stack_labels())
    installed = st.tuples(st.one_of(*paths), value("", OURS)).map(lambda drawn: replace(drawn[0], installation=drawn[1]))
    return st.one_of(*paths, installed, st.tuples(*paths).map(_together), any_labels())


def containers(id_: str, labels: st.SearchStrategy[Labels]) -> st.SearchStrategy[Container]:
    return st.builds(
        Container,
        id=st.just(id_),
        image=st.sampled_from(("app:1",) * 9 + ("app:2", "nul\0")),
        state=st.sampled_from(DOCKER_STATES),
        created=st.integers(0, 3),
        names=st.sampled_from((None, (), ("/web",), ("/linker/db", "/app"), ("/app", "/another", "/linker/db"), ("/linker/db",))),
        ports=st.sampled_from((None, (), (80,), (8080, 80, 443), (0,), (65535, 9))).map(_ports),
        labels=labels,
    )


def lists(labels: st.SearchStrategy[Labels]) -> st.SearchStrategy[tuple[Container, ...]]:
    """A whole answer: every container once."""
    return _some_of({id_: containers(id_, labels) for id_ in CONTAINER_IDS})


def rows(id_: str, carried: tuple[str, ...]) -> st.SearchStrategy[Row]:
    return st.builds(
        lambda workload, **columns: Row(id=id_, workload_id=workload.id, workload_kind=workload.kind, **columns),
        workload=st.sampled_from(EVERYTHING),
        role=st.sampled_from(("", "web")),
        container_id=st.sampled_from(carried),
        image_ref=st.sampled_from(("", "app:1")),
        host=st.sampled_from((HOST, HOST, HOST, HOST, HOST, ELSEWHERE)),
        state=st.sampled_from(("running", "running", "stopped", "created", "failed", MISSING)),
        state_reason=st.sampled_from(("", "ContainerGone")),
        port=st.sampled_from((0, 80)),
        seen=st.booleans(),
    )


def tables() -> st.SearchStrategy[tuple[Row, ...]]:
    """Stored rows as PostgreSQL holds them: no container is bound to two rows of a host that are not missing."""
    return _some_of({id_: rows(id_, ("", *CONTAINER_IDS)) for id_ in ROW_IDS}).map(_bound_once)


def declared() -> st.SearchStrategy[tuple[Workload, ...]]:
    """Most of the workloads there could be."""
    return st.frozensets(st.sampled_from(EVERYTHING), max_size=2).map(lambda left_out: tuple(it for it in EVERYTHING if it not in left_out))


def worlds() -> st.SearchStrategy[World]:
    return st.builds(World, workloads=declared(), rows=tables(), containers=lists(label_sets())) | contested_worlds()


def contested_worlds() -> st.SearchStrategy[World]:
    """Worlds in which nearly every container asks for a row of one stack that another one asks for, or that carries another one."""
    ids = CONTAINER_IDS[:4]
    rivals = st.sampled_from(
        (
            Labels(workload_id=MAIL.id, role="web"),
            Labels(workload_id=MAIL.id, role="web"),
            Labels(workload_id=MAIL.id, role="web:2"),
            Labels(workload_id=MAIL.id, role="web:2"),
            Labels(workload_id=MAIL.id),
            Labels(workload_id=SHOP.id),
            Labels(compose_project=MAIL.compose_project, compose_service="web"),
            Labels(compose_project=MAIL.compose_project, compose_service="web", compose_number="2"),
        )
    )
    bound = st.tuples(*(rows(id_, ids) for id_ in ROW_IDS[2:5])).map(_bound_once)
    return st.builds(World, workloads=st.just((SHOP, MAIL)), rows=bound, containers=st.tuples(*(containers(id_, rivals) for id_ in ids)))


def shuffled(world: World) -> st.SearchStrategy[World]:
    """The same world, told in another order."""
    return st.builds(World, **{part.name: st.permutations(getattr(world, part.name)).map(tuple) for part in fields(World)})


def _some_of(members: dict[str, st.SearchStrategy[T]]) -> st.SearchStrategy[tuple[T, ...]]:
    return st.fixed_dictionaries({}, optional=members).map(lambda drawn: tuple(drawn.values()))


def _together(every: tuple[Labels, ...]) -> Labels:
    canonical, site, stack = every
    return replace(
        stack,
        static_site=site.static_site,
        workload_id=canonical.workload_id,
        workload_kind=canonical.workload_kind,
        role=canonical.role,
    )


def _ports(numbers: tuple[int, ...] | None) -> tuple[Port, ...] | None:
    return None if numbers is None else tuple(Port(number) for number in numbers)


def _bound_once(table: tuple[Row, ...]) -> tuple[Row, ...]:
    bound = {(row.host, row.container_id): row.id for row in table if row.present}
    return tuple(row for row in table if not row.present or bound[row.host, row.container_id] == row.id)
