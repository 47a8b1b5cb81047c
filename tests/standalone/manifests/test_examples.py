from pathlib import Path

from tinyforge.domain.workloads import Kind
from tinyforge.standalone.manifests.read import read_folder

EXAMPLES = Path(__file__).parents[3] / "manifests" / "examples"


def test_the_examples_have_no_problem_and_show_one_workload_of_each_kind_on_the_local_engine():
    found = read_folder(EXAMPLES)
    assert found.problems == ()
    assert [(host.value.name, host.value.endpoint) for host in found.reading.hosts] == [("local", "unix:///var/run/docker.sock")]
    assert {workload.value.key.kind for workload in found.reading.workloads} == set(Kind)
    assert {workload.value.key.host for workload in found.reading.workloads} == {"local"}


def test_the_commands_in_the_comments_name_what_the_objects_declare():
    for declared in read_folder(EXAMPLES).reading.workloads:
        key = declared.value.key
        text = Path(declared.origin.rpartition(":")[0]).read_text()
        assert key.compose_project in text
        assert key.kind is Kind.STACK or f"tinyforge.workload.id={key.id}" in text
