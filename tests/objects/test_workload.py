import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objects.complaints import complaints
from tests.objects.documents import read_workload, workload
from tinyforge.domain.declarations import DeclaredWorkload
from tinyforge.domain.workloads import Kind
from tinyforge.domain.workloads import Workload as Key

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?", fullmatch=True)


def test_the_smallest_workload_has_a_kind_and_a_host():
    declared = read_workload(workload()).to_declared()
    assert declared == DeclaredWorkload(key=Key(id="default/web", kind=Kind.PROJECT, host="local"))


def test_every_field_reaches_the_domain():
    document = workload(
        namespace="shop",
        group="storefront",
        parent="base",
        source={"kind": "external", "config": {"roles": {"web": {"replicas": 2}}}},
        trigger={"kind": "manual"},
        faces=[{"domain": "shop.example.com", "path": "/cart", "port": 8080, "role": "web"}, {"domain": "*.example.com"}],
        suspend=True,
    )
    assert read_workload(document).to_declared() == DeclaredWorkload(
        key=Key(id="shop/web", kind=Kind.PROJECT, host="local"),
        group_id="storefront",
        parent_id="shop/base",
        source_kind="external",
        source_config={"roles": {"web": {"replicas": 2}}},
        trigger_kind="manual",
        public_faces=(
            {"domain": "shop.example.com", "path": "/cart", "port": 8080, "role": "web"},
            {"domain": "*.example.com", "path": "/", "port": 0, "role": ""},
        ),
        suspended=True,
    )


def test_without_a_namespace_a_workload_is_in_default():
    document = workload()
    del document["metadata"]["namespace"]
    assert read_workload(document).id == "default/web"


def test_a_site_is_called_by_its_name_in_default_and_by_its_id_elsewhere():
    assert read_workload(workload(kind="site")).to_declared().key.ref == "web"
    assert read_workload(workload(kind="site", namespace="shop")).to_declared().key.ref == "shop/web"
    assert read_workload(workload(kind="site", ref="legacy-7")).to_declared().key.ref == "legacy-7"


def test_a_stack_has_a_compose_project_of_its_own():
    assert read_workload(workload(kind="stack", namespace="shop")).to_declared().key.compose_project == "tinyforge-shop_web"
    assert read_workload(workload(kind="stack", composeProject="tinyforge-x")).to_declared().key.compose_project == "tinyforge-x"


def test_only_a_site_has_a_ref_and_only_a_stack_a_compose_project():
    assert [read_workload(workload(kind=kind)).to_declared().key.ref for kind in ("project", "stack")] == ["", ""]
    assert [read_workload(workload(kind=kind)).to_declared().key.compose_project for kind in ("project", "site")] == ["", ""]
    assert complaints(workload(kind="stack", ref="x")) == ["spec.ref: is for kind site only, and this is a stack; take it out"]
    assert complaints(workload(kind="site", composeProject="tinyforge-x")) == [
        "spec.composeProject: is for kind stack only, and this is a site; take it out"
    ]


def test_a_compose_project_begins_with_the_prefix_of_tinyforge():
    (complaint,) = complaints(workload(kind="stack", composeProject="shop"))
    assert complaint.endswith("begins with tinyforge-, so this one could be tinyforge-shop")


def test_the_longest_names_have_defaults_that_may_be_written_out():
    longest = {"name": "a" * 63, "namespace": "b" * 63, "kind": "stack"}
    project = read_workload(workload(**longest)).to_declared().key.compose_project
    assert read_workload(workload(**longest, composeProject=project)).to_declared().key.compose_project == project


@given(st.tuples(LABELS, LABELS), st.tuples(LABELS, LABELS))
def test_two_workloads_never_share_a_default_by_accident(one, other):
    def defaults(kind, namespace, name):
        key = read_workload(workload(name, namespace=namespace, kind=kind)).to_declared().key
        return key.ref or key.compose_project

    for kind in ("site", "stack"):
        assert (defaults(kind, *one) == defaults(kind, *other)) == (one == other)


@pytest.mark.parametrize("port", [0, -1, 65536, 10**30, 80.0, 80.5, "80", True])
def test_fault_39_a_port_that_is_none_is_refused(port):
    assert complaints(workload(faces=[{"domain": "a.example.com", "port": port}]))[0].startswith("spec.faces[0].port: ")


@pytest.mark.parametrize("port", [1, 65535])
def test_fault_39_the_lowest_and_the_highest_port_are_accepted(port):
    assert read_workload(workload(faces=[{"domain": "a.example.com", "port": port}])).to_declared().public_faces[0]["port"] == port


@pytest.mark.parametrize(
    "face",
    [
        {"domain": "A.example.com"},
        {"domain": "a..b"},
        {"domain": ""},
        {"domain": "a/b"},
        {"domain": "a.b", "path": "b"},
        {"domain": "a.b", "path": "/ "},
        {"path": "/"},
    ],
)
def test_a_face_without_a_usable_domain_or_path_is_refused(face):
    assert complaints(workload(faces=[face]))[0].startswith("spec.faces[0].")


@pytest.mark.parametrize("path", [{}, {"path": "/"}])
def test_no_two_faces_are_at_one_place(path):
    faces = [{"domain": "a.b"}, {"domain": "a.b", "path": "/c"}, {"domain": "a.b", "port": 80, **path}]
    assert complaints(workload(faces=faces)) == ["spec.faces: a.b/ is given twice; every face has a domain and a path that no other has"]


@pytest.mark.parametrize(
    "spec",
    [
        {"ref": "a" * 256, "kind": "site"},
        {"group": "a" * 64},
        {"faces": [{"domain": f"a{number}.b"} for number in range(65)]},
        {"host": "a" * 64},
    ],
)
def test_everything_has_a_maximum(spec):
    assert "more than" in complaints(workload(**spec))[0] or "longer than" in complaints(workload(**spec))[0]
