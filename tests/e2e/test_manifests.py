"""A folder of manifests that is edited under a running controller: what is right applies, and a mistake takes nothing out of force."""

from pathlib import Path

from tests.e2e.conftest import Start
from tests.e2e.containers import belonging_to
from tests.e2e.index import Index, until
from tests.e2e.manifests import Manifests, document
from tests.servers.docker_engine import DockerEngine

WEB = "default/shop:web"
BOMB = "\n".join(["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 20)}]" for n in range(1, 20))])


def test_p10_a_typing_mistake_is_named_by_line_field_and_value_and_takes_nothing_out_of_force(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    blog = manifests.workload("blog", "stack")
    controller = run()
    index.becomes({WEB: "running"})
    mistaken = document("Workload", "shop", {"kind": "stak", "host": "local"})
    manifests.write("shop.yaml", mistaken)
    line = 1 + mistaken.splitlines().index("  kind: stak")
    said = controller.says("shop.yaml")
    assert said.startswith(f'{manifests.folder}/shop.yaml:{line}: spec.kind: "stak" — allowed: project, site or stack')
    assert said.endswith("what was in force stays in force")
    manifests.remove(blog)
    manifests.workload("added", "stack")
    until(lambda: workloads(index), ["default/added", "default/blog", "default/shop"])
    index.passes()
    assert index.states() == {WEB: "running"}
    manifests.workload("shop", "stack", group="mended")
    controller.says(f"all manifests in {manifests.folder} can be used again")
    until(lambda: workloads(index), ["default/added", "default/shop"])
    assert controller.said("what was in force stays in force") == 1
    assert index.states() == {WEB: "running"}


def test_p10_a_mistake_that_was_there_at_the_start_takes_nothing_out_of_what_the_last_run_left(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    manifests.workload("blog", "stack")
    first = run()
    index.becomes({WEB: "running"})
    first.kill()
    manifests.write("shop.yaml", "spec: [\n")
    manifests.remove("blog.yaml")
    manifests.remove("host-local.yaml")
    second = run()
    second.says("shop.yaml:1: is not YAML")
    shop.client.kill("web")
    index.becomes({WEB: "stopped"})
    assert workloads(index) == ["default/blog", "default/shop"]


def test_fault_38_a_bomb_and_ten_thousand_workloads_are_refused_and_the_other_files_apply(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    controller = run()
    index.becomes({WEB: "running"})
    manifests.write("bomb.yaml", BOMB)
    faces = [{"domain": f"www-{number}.example.com", "path": "/with/a/long/path"} for number in range(8)]
    service = document("Workload", "service-NUMBER", {"kind": "project", "host": "local", "faces": faces})
    manifests.write("services.yaml", "---\n".join(service.replace("NUMBER", str(number)) for number in range(10_000)))
    manifests.workload("added", "stack")
    assert "the document has more than 100,000 values, with what its aliases stand for" in controller.says("bomb.yaml")
    assert "services.yaml: is longer than 4 MiB; split it" in controller.says("services.yaml")
    shop.create("added", belonging_to("added", "web"), start=True)
    index.becomes({WEB: "running", "default/added:web": "running"})
    assert workloads(index) == ["default/added", "default/shop"]


def test_p10_a_folder_that_vanishes_leaves_all_in_force_and_applies_again_when_it_is_back(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    controller = run()
    index.becomes({WEB: "running"})
    elsewhere = manifests.folder.rename(manifests.folder.with_name("elsewhere"))
    controller.says(f"the folder of manifests {manifests.folder} cannot be read: No such file or directory")
    shop.client.kill("web")
    index.becomes({WEB: "stopped"})
    (elsewhere / "shop.yaml").unlink()
    elsewhere.rename(manifests.folder)
    index.becomes({WEB: "missing (WorkloadRemoved)"})
    assert controller.runs


def test_a_folder_that_cannot_be_read_at_the_start_ends_it_with_1(tmp_path: Path, start: Start) -> None:
    (tmp_path / "file").touch()
    started = {name: start("-f", tmp_path / name) for name in ("missing", "file")}
    for name, controller in started.items():
        assert controller.ends() == 1
        (said,) = controller.messages
        assert said.startswith(f"Error: the folder of manifests {tmp_path / name} cannot be read: ")
        assert said.endswith("name another with -f")


def test_what_contradicts_itself_is_refused_by_name_and_what_was_first_stays(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    controller = run()
    index.becomes({WEB: "running"})
    manifests.workload("lost", "site", host="gone")
    said = controller.says("default/lost is refused")
    assert 'lost.yaml:4: workload default/lost is refused: spec.host: no DockerHost "gone" is declared; declared are: local' in said
    manifests.host("pigeon", "pigeon://secret.example.com")
    manifests.workload("homing", "site", host="pigeon")
    said = controller.says("default/homing is refused")
    assert 'spec.host: DockerHost "pigeon" exists, but what is written there is invalid and cannot be used; put that right first' in said
    assert "secret" not in said
    manifests.remove("host-pigeon.yaml")
    manifests.remove("homing.yaml")
    twin = manifests.write("twin.yaml", document("Workload", "shop", {"kind": "site", "host": "local"}))
    said = controller.says("twin.yaml:4: metadata.name")
    assert f"Workload default/shop is written here and in {manifests.folder}/shop.yaml:4; none of them counts" in said
    controller.says("shop.yaml:4: metadata.name")
    manifests.remove(twin)
    manifests.workload("rival", "stack", composeProject="tinyforge-default_shop")
    said = controller.says("default/rival is refused")
    assert 'spec.composeProject: "tinyforge-default_shop" on host "local" belongs to another workload; give "default/rival"' in said
    assert workloads(index) == ["default/shop"]
    assert index.states() == {WEB: "running"}
    manifests.remove("shop.yaml")
    index.becomes({"default/rival:web": "running", WEB: "missing (WorkloadRemoved)"})


def test_of_two_that_are_new_at_once_one_has_the_project_and_keeps_it_over_a_restart(
    shop: DockerEngine, manifests: Manifests, run: Start, index: Index
) -> None:
    manifests.workload("zebra", "stack", composeProject="tinyforge-default_shop")
    manifests.remove("shop.yaml")
    first = run()
    index.becomes({"default/zebra:web": "running"})
    first.kill()
    manifests.workload("shop", "stack")
    second = run()
    assert 'give "default/shop" another one; it is held by "default/zebra"' in second.says("default/shop is refused")
    index.passes()
    assert index.states() == {"default/zebra:web": "running"}


def workloads(index: Index) -> list[str]:
    return [id_ for (id_,) in index.sql("SELECT id FROM tinyforge.workloads ORDER BY id")]
