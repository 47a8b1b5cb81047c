import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.objects.complaints import complaints
from tests.objects.documents import docker_host, workload
from tinyforge.objects.faults import dotted, escaped, excerpt


def test_an_unknown_field_is_answered_with_the_nearest_that_is_known():
    assert complaints(docker_host(allowednamespace=["*"])) == ["spec.allowednamespace: no such field; did you mean allowedNamespaces?"]


def test_an_unknown_field_that_is_near_to_none_is_answered_with_all_of_them():
    assert complaints(workload(source={"kind": "x", "zzz": 1})) == ["spec.source.zzz: no such field; known here: kind, config"]


def test_the_python_name_of_a_field_is_no_field():
    assert complaints(workload(kind="stack", compose_project="tinyforge-x")) == [
        "spec.compose_project: no such field; did you mean composeProject?"
    ]


def test_what_stands_under_an_unknown_field_is_never_repeated():
    assert "hunter2" not in "".join(complaints(docker_host(password="hunter2")))


def test_a_missing_field_is_explained():
    document = workload()
    del document["spec"]["host"]
    assert complaints(document) == ["spec.host: is missing: the DockerHost it runs on"]


def test_every_fault_of_an_object_is_told_at_once():
    document = workload("Web", kind="sitee", suspend="yes", faces="none", group=7, source="external", parent=None)
    assert complaints(document) == [
        "metadata.name: \"Web\" — allowed: lower-case letters, digits and '-', with a letter or digit at both ends",
        'spec.kind: "sitee" — allowed: project, site or stack',
        "spec.group: 7 — must be text; put it in quotes",
        "spec.parent: has no value; give it one",
        'spec.source: "external" — must be a mapping of fields',
        'spec.faces: "none" — must be a list',
        'spec.suspend: "yes" — must be true or false',
    ]


def test_of_very_many_faults_the_first_are_told_and_the_rest_counted():
    document = docker_host()
    document["spec"] |= {f"field{number}": 1 for number in range(50)}
    told = complaints(document)
    assert len(told) == 21
    assert told[-1].endswith("30 more faults of this object are not shown")


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (("spec", "faces", 0, "port"), "spec.faces[0].port"),
        (("spec", "a.b"), 'spec["a.b"]'),
        (("spec", "a\nb", "c"), r'spec["a\nb"].c'),
        ((), ""),
    ],
)
def test_a_path_is_written_as_people_write_it(path, text):
    assert dotted(path) == text


def test_a_long_value_is_cut_and_a_password_in_an_address_left_out():
    assert excerpt("x" * 100) == "x" * 80 + "…"
    assert excerpt("postgres://me:hunter2@db/x") == "postgres://***@db/x"
    assert excerpt("https://me:" + "hunter2" * 50 + "@db/x") == "https://***@db/x"


@given(st.text(st.characters()))
def test_fault_36_whatever_the_text_it_prints_on_one_line(text):
    assert escaped(text).isprintable()
    assert excerpt(text).isprintable()
    assert len(excerpt(text)) <= 81 * len("\\U0010ffff")
