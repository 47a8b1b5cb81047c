import pytest

from tests.standalone.manifests.folder import HOST, workload
from tinyforge.domain.declarations import Declared, Reading
from tinyforge.domain.hosts import Host
from tinyforge.domain.traces import Traceparent


def test_an_empty_folder_declares_nothing_and_is_complete(folder):
    assert folder.read().reading == Reading(complete=True)
    assert folder.problems() == []


def test_an_object_is_declared_with_the_file_and_line_of_its_name(folder):
    file = folder.write("hosts.yaml", "# ours\n" + HOST)
    declared = Host(name="local", endpoint="unix:///var/run/docker.sock", allowed_namespaces=("*",))
    assert folder.read().reading.hosts == (Declared(value=declared, origin=f"{file}:4"),)


def test_a_host_that_says_nothing_of_namespaces_allows_all_and_one_that_lists_them_keeps_to_the_list(folder):
    folder.write("open.yaml", HOST)
    folder.write("closed.yaml", HOST.replace("local", "closed").replace("sock}", "sock, allowedNamespaces: []}"))
    folder.write("listed.yaml", HOST.replace("local", "listed").replace("sock}", "sock, allowedNamespaces: [team]}"))
    allowed = {it.value.name: it.value.allowed_namespaces for it in folder.read().reading.hosts}
    assert allowed == {"local": ("*",), "closed": (), "listed": ("team",)}


PLACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def annotated(value: str, name: str = "web") -> str:
    """A workload with this for its annotation, as YAML writes it."""
    return workload(name).replace("spec:", f"  annotations: {{tracing.k8s.io/traceparent: {value}, other: x}}\nspec:")


def test_a_workload_says_where_it_is_traced_by_whoever_wrote_it(folder):
    folder.write("web.yaml", annotated(PLACE))
    assert folder.read().reading.traceparents == {"default/web": Traceparent.parse(PLACE)}


@pytest.mark.parametrize("value", ["''", "here", f"'{PLACE} '", "7", "[1, 2]", "{a: b}", "null", f'"{PLACE}\\u0000"'])
def test_m10_what_is_no_place_in_a_trace_is_no_fault_of_a_workload(folder, value: str):
    odd = workload("db").replace("spec:", f"  annotations: {value}\nspec:")
    folder.write("all.yaml", "---\n".join([annotated(value), odd, annotated(PLACE, "cache")]))
    assert folder.problems() == []
    assert folder.workloads() == ["default/web", "default/db", "default/cache"]
    assert folder.read().reading.traceparents == {"default/cache": Traceparent.parse(PLACE)}


def test_a_file_may_hold_several_documents_and_empty_ones_between_them(folder):
    folder.write("all.yaml", "---\n" + "\n---\n# nothing\n---\n\n---\n".join([HOST, workload("web"), workload("db")]) + "---\n")
    assert folder.workloads() == ["default/web", "default/db"]
    assert folder.read().reading.complete


def test_p10_a_document_that_is_invalid_makes_the_reading_incomplete_and_leaves_the_others(folder):
    folder.write("all.yaml", "---\n".join([workload("web"), workload("Wrong"), "a: [b\n", workload("db")]))
    folder.write("other.yaml", workload("cache"))
    assert folder.workloads() == ["default/web", "default/db", "default/cache"]
    assert not folder.read().reading.complete
    assert [problem.split(": ", 1)[0] for problem in folder.problems()] == ["manifests/all.yaml:10", "manifests/all.yaml:13"]


def test_p10_a_file_that_cannot_be_read_makes_the_reading_incomplete_and_leaves_the_others(folder):
    folder.write("web.yaml", workload("web"))
    (folder.path / "gone.yaml").symlink_to("nowhere")
    assert folder.workloads() == ["default/web"]
    assert not folder.read().reading.complete
    assert folder.problems() == ["manifests/gone.yaml: cannot be read: No such file or directory"]


def test_two_objects_of_one_name_are_both_refused_and_name_each_other(folder):
    folder.write("a.yaml", workload("web"))
    folder.write("b.yaml", HOST + "---\n" + workload("web", "site"))
    assert folder.problems() == [
        "manifests/a.yaml:4: metadata.name: Workload default/web is written here and in manifests/b.yaml:9; "
        "none of them counts until only one is left",
        "manifests/b.yaml:9: metadata.name: Workload default/web is written here and in manifests/a.yaml:4; "
        "none of them counts until only one is left",
    ]


def test_two_objects_of_one_name_are_held_and_the_reading_is_complete(folder):
    folder.write("a.yaml", "---\n".join([workload("web"), workload("web"), workload("db"), HOST, HOST]))
    reading = folder.read().reading
    assert reading.held_workloads == {"default/web"}
    assert reading.held_hosts == {"local"}
    assert folder.workloads() == ["default/db"]
    assert reading.hosts == ()
    assert reading.complete


def test_a_host_of_which_only_the_name_can_be_used_is_held_unless_it_is_written_properly_too(folder):
    bad = HOST.replace("endpoint", "endpiont")
    folder.write("bad.yaml", bad)
    folder.write("nameless.yaml", bad.replace("local", "Not a name") + "---\n" + bad.replace("{name: local}", "7"))
    assert folder.read().reading.held_hosts == {"local"}
    folder.write("good.yaml", HOST)
    reading = folder.read().reading
    assert ([it.value.name for it in reading.hosts], reading.held_hosts) == (["local"], frozenset())


def test_a_host_and_a_workload_may_share_a_name_and_so_may_workloads_of_two_namespaces(folder):
    folder.write("a.yaml", "---\n".join([HOST, workload("local"), workload("local\n  namespace: shop")]))
    assert folder.problems() == []
    assert folder.workloads() == ["default/local", "shop/local"]


def test_of_many_objects_of_one_name_each_names_three_others_and_how_many_more(folder):
    folder.write("a.yaml", "---\n".join([workload("web")] * 6))
    assert folder.problems()[0].endswith(
        "in manifests/a.yaml:10, manifests/a.yaml:16, manifests/a.yaml:22 and 2 more places; none of them counts until only one is left"
    )


def test_an_object_of_another_kind_or_group_is_refused_and_told_what_belongs_here(folder):
    folder.write("a.yaml", "apiVersion: apps/v1\nkind: Deployment\n---\nkind: Worklod\n---\nfoo: bar\n---\nkind: [a]\n")
    allowed = "allowed: DockerHost and Workload of tinyforge.dev/v1alpha1"
    assert folder.problems() == [
        f'manifests/a.yaml:2: kind: "Deployment" — {allowed}; other objects have no place in this folder',
        f'manifests/a.yaml:4: kind: "Worklod" — {allowed}; did you mean Workload?',
        f"manifests/a.yaml:6: kind: is missing; {allowed}",
        f"manifests/a.yaml:8: kind: must be text; {allowed}",
    ]
    assert not folder.read().reading.complete


def test_another_version_of_an_object_of_ours_is_refused(folder):
    folder.write("a.yaml", HOST.replace("v1alpha1", "v9"))
    assert folder.problems() == ['manifests/a.yaml:1: apiVersion: "tinyforge.dev/v9" — allowed: tinyforge.dev/v1alpha1']


def test_a_document_that_is_no_mapping_is_refused(folder):
    folder.write("a.yaml", "- a\n---\ntext\n---\n7\n---\n[]\n---\nfalse\n")
    assert [problem.split(": ", 1) for problem in folder.problems()] == [
        [f"manifests/a.yaml:{line}", "a document must be a mapping with apiVersion, kind, metadata and spec"] for line in (1, 3, 5, 7, 9)
    ]


def test_of_very_many_problems_of_a_file_the_first_are_told_and_the_rest_counted(folder):
    folder.write("a.yaml", "---\n".join(["kind: Worklod\n"] * 250))
    told = folder.problems()
    assert len(told) == 101
    assert told[-1] == "manifests/a.yaml: 150 more problems are not shown"
