"""The two commands that do all the set-up, `make run` and `make test`: what they bring along, and how they end."""

import os
import signal
import subprocess
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.servers.bare_machine import APT_GET, ROOT, Project

SCRIPTS = [*sorted(it for it in (ROOT / "scripts").iterdir() if it.is_file()), ROOT / ".ci/run"]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_finds_nothing_in(script: Path):
    checked = subprocess.run(["shellcheck", "--external-sources", script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.stdout == ""
    assert checked.returncode == 0


def test_make_alone_lists_what_can_be_made_and_does_nothing(project: Project):
    code, printed = project.run("make")
    assert code == 0
    for target in ("setup", "run", "test", "lint", "format", "bench", "clean"):
        assert f"  make {target} " in printed
    assert not (project.folder / ".venv").exists()


def test_uv_is_brought_along_where_it_is_missing_or_too_old(project: Project):
    project.stub("uv", "echo uv 0.4.0")
    code, printed = project.run("scripts/uv", "--version")
    assert code == 0, printed
    announced, version = printed.splitlines()
    assert announced.startswith("tinyforge: uv 0.13.9 is missing: pip install uv==0.13.9, into ")
    assert version.startswith("uv 0.13.9")
    assert project.run("scripts/uv", "--version") == (0, f"{version}\n")


def test_a_uv_that_is_new_enough_is_used(project: Project):
    project.stub("uv", '[ "$1" != --version ] || exec echo uv 99.0.0; echo "uv $*"')
    assert project.run("scripts/uv", "lock", "--check") == (0, "uv lock --check\n")


def test_tinyforge_setup_never_brings_no_uv(project: Project):
    project.stub("uv", "exit 127")
    code, printed = project.run("scripts/uv", "--version", TINYFORGE_SETUP="never")
    assert code == 1
    assert printed.startswith("tinyforge: uv 0.13.9 is missing. TINYFORGE_SETUP=never: not doing this: pip install uv==0.13.9")


def test_a_python_that_is_too_old_is_named(project: Project):
    for name in ("python3", "python3.11", "python3.12", "python3.13", "python3.14"):
        project.stub(name, '[ "$1" != --version ] || exec echo Python 3.9.2; exit 1')
    project.stub("apt-get", APT_GET)
    code, printed = project.run("scripts/python")
    assert code == 1
    assert "Python 3.11 or newer is missing (here: Python 3.9.2): apt-get install python3-venv" in printed
    assert "this system's own is older: install one, so that python3.11 is found on PATH" in printed


@pytest.mark.parametrize(("end", "whole_group"), [(signal.SIGINT, True), (signal.SIGTERM, False)])
def test_make_run_passes_the_end_on_and_makes_no_noise_of_its_own(end: signal.Signals, whole_group: bool, project: Project):
    stub_of_tinyforge(
        project, 'trap "echo got INT; exit 130" INT; trap "echo got TERM; exit 0" TERM; echo started "$@"; while :; do sleep 0.01; done'
    )
    with subprocess.Popen(
        ["make", "run", "ARGS=--json"],
        cwd=project.folder,
        env=project.environment(DOCKER_HOST="tcp://127.0.0.1:1"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    ) as make:
        assert make.stdout
        assert make.stdout.readline() == "started run -f manifests/examples --json\n"
        (os.killpg if whole_group else os.kill)(make.pid, end)
        printed = make.stdout.read()
    assert make.returncode == -end
    assert f"got {end.name.removeprefix('SIG')}\n" in printed
    if end is signal.SIGINT:
        assert "***" not in printed


def test_make_run_fails_when_tinyforge_fails(project: Project):
    stub_of_tinyforge(project, "exit 1")
    code, _ = project.run("make", "run", DOCKER_HOST="tcp://127.0.0.1:1")
    assert code != 0


GENERATED = {
    "manifests/crds": ("scripts/generate", "workloads.yaml"),
    "charts/tinyforge/dashboards": ("scripts/generate-dashboards", "tinyforge.json"),
}


@pytest.mark.parametrize("folder", GENERATED)
def test_a_generated_file_that_is_not_current_is_shown(folder: str, project: Project):
    (project.folder / ".venv").symlink_to(ROOT / ".venv")
    for made, (script, _) in GENERATED.items():
        project.run(script, made)
    assert project.run("scripts/check-generated") == (0, "")
    (project.folder / folder / GENERATED[folder][1]).write_text("edited: yes\n")
    code, printed = project.run("scripts/check-generated")
    assert code == 1
    assert "-edited: yes" in printed
    assert printed.endswith(f"tinyforge: {folder} is not what the code makes: make generate\n")


def test_the_wheel_has_every_file_and_runs_by_itself(tmp_path: Path):
    uv = ROOT / "scripts/uv"
    subprocess.run([uv, "build", "--quiet", "--wheel", "--out-dir", tmp_path], check=True)
    (wheel,) = tmp_path.glob("tinyforge-*.whl")
    sources = ROOT / "controller"
    ours = {str(file.relative_to(sources)) for file in sources.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    assert ours - set(ZipFile(wheel).namelist()) == set()
    with (tmp_path / "locked.txt").open("w") as locked:
        subprocess.run([uv, "export", "--quiet", "--frozen", "--no-dev", "--no-emit-project"], stdout=locked, check=True)
    subprocess.run([uv, "venv", "--quiet", tmp_path / "venv"], check=True)
    install = ["pip", "install", "--quiet", "--constraint", str(tmp_path / "locked.txt"), "--python", str(tmp_path / "venv")]
    subprocess.run([uv, *install, wheel], check=True)
    printed = subprocess.run([tmp_path / "venv/bin/tinyforge", "crds"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert printed == "---\n".join(file.read_text() for file in sorted((ROOT / "manifests/crds").glob("*.yaml")))


def stub_of_tinyforge(project: Project, text: str) -> None:
    """A .venv that is current, with a tinyforge of ours: for what make does with it, whatever it is."""
    program = project.folder / ".venv/bin/tinyforge"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{text}\n")
    program.chmod(0o755)
    for name in ("pyproject.toml", "uv.lock", ".venv/.current"):
        (project.folder / name).touch()
