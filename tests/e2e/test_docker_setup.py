"""The scripts that bring a Docker Engine, and the programs that the tests run: what they do, what they say, and what they leave alone."""

import socket
import subprocess
from collections.abc import Callable

import pytest

from tests.servers.bare_machine import APT_GET, APT_GET_DOCKER, NOBODY, SYSTEMCTL, WITH_SYSTEMD, WITHOUT_DOCKERD, Project, bare_machine
from tests.servers.docker_engine import DockerEngine


def test_an_engine_that_answers_is_left_alone_and_nothing_is_said(project: Project, docker_engine: DockerEngine):
    assert project.run("scripts/docker-engine", DOCKER_HOST=docker_engine.endpoint) == (0, "")


def test_an_engine_elsewhere_is_looked_after_elsewhere(project: Project):
    assert project.run("scripts/docker-engine", DOCKER_HOST="tcp://127.0.0.1:1") == (0, "")


def test_without_an_engine_debians_is_installed_and_started_and_stays(project: Project):
    project.stub("apt-get", APT_GET_DOCKER)
    with bare_machine(project, WITHOUT_DOCKERD) as run:
        code, printed = run("docker-engine")
        assert code == 0, printed
        assert "no Docker Engine is installed here: apt-get install docker.io" in printed
        assert "It stays running; to stop it: kill $(cat /var/run/docker.pid)" in printed
        assert run("docker-engine") == (0, "")
    calls = project.calls.read_text().splitlines()
    assert calls[0].startswith("apt-get update")
    assert "--no-install-recommends --no-remove" in calls[1]
    assert " docker.io" in calls[1]


def test_where_systemd_runs_it_starts_the_engine(project: Project):
    project.stub("systemctl", SYSTEMCTL)
    with bare_machine(project, WITH_SYSTEMD) as run:
        code, printed = run("docker-engine")
        assert code == 0, printed
        assert "to stop it: systemctl stop docker.socket docker" in printed
        assert run("docker-engine") == (0, "")
    assert project.calls.read_text() == "systemctl start docker\n"


@pytest.mark.parametrize("lacking", [pytest.param(WITHOUT_DOCKERD, id="installed"), pytest.param(":", id="running")])
def test_tinyforge_setup_never_installs_and_starts_nothing(lacking: str, project: Project):
    project.stub("apt-get", APT_GET)
    with bare_machine(project, lacking) as run:
        code, printed = run("docker-engine", TINYFORGE_SETUP="never")
    assert code == 1
    assert printed.startswith("tinyforge: no Docker Engine ")
    assert "TINYFORGE_SETUP=never: not doing this: " in printed
    assert not project.calls.exists()


def test_an_engine_that_does_not_start_shows_its_last_lines(project: Project):
    with bare_machine(project, "echo '{' >/etc/docker/daemon.json") as run:
        code, printed = run("docker-engine")
    assert code == 1
    assert "unable to configure the Docker daemon with file /etc/docker/daemon.json" in printed
    assert printed.endswith("the Docker Engine did not start; above are the last lines of /var/log/tinyforge-dockerd.log\n")


@pytest.mark.parametrize(
    ("lacking", "advice"),
    [
        pytest.param(
            WITHOUT_DOCKERD, "Install and start one, then try again (Debian, Ubuntu: sudo apt-get install docker.io; ", id="installed"
        ),
        pytest.param(":", "Start it, then try again: sudo systemctl start docker", id="running"),
    ],
)
def test_without_root_it_says_what_to_do(lacking: str, advice: str, project: Project):
    project.stub("apt-get", APT_GET)
    with bare_machine(project, lacking) as run:
        code, printed = run("docker-engine", *NOBODY)
    assert code == 1
    assert advice in printed
    assert not project.calls.exists()


def test_nobody_at_docker_host_is_named_and_no_other_engine_is_started(project: Project):
    code, printed = project.run("scripts/docker-engine", DOCKER_HOST="unix:///nowhere/docker.sock")
    assert code == 1
    assert "no Docker Engine answers at DOCKER_HOST=unix:///nowhere/docker.sock. Start it, or unset DOCKER_HOST" in printed


def test_a_socket_that_refuses_permission_is_an_engine(project: Project, make_engine: Callable[..., DockerEngine]):
    project.stub("apt-get", APT_GET)
    engine = make_engine()
    engine.folder.chmod(0o711)
    code, printed = project.run(*NOBODY, "scripts/docker-engine", DOCKER_HOST=engine.endpoint)
    assert code == 1
    assert f"the Docker Engine at {engine.socket} refuses nobody. Join its group, then log in again: " in printed
    assert f"sudo usermod -aG {engine.socket.group()} nobody" in printed
    assert not project.calls.exists()


def test_what_listens_and_is_no_engine_is_named(project: Project):
    path = project.folder / "docker.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        with subprocess.Popen(
            ["scripts/docker-engine"],
            cwd=project.folder,
            env=project.environment(DOCKER_HOST=f"unix://{path}"),
            stderr=subprocess.PIPE,
            text=True,
        ) as script:
            with listener.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"HTTP/1.0 404 Not Found\r\n\r\n")
            _, printed = script.communicate()
    assert script.returncode == 1
    assert f"something listens at {path}, but gives no Docker Engine's answer" in printed


def test_nothing_is_said_where_the_tests_have_all_their_programs(project: Project):
    assert project.run("scripts/test-tools") == (0, "")


def test_programs_that_the_tests_lack_are_named_and_installed(project: Project):
    project.stub("apt-get", APT_GET_DOCKER)
    with bare_machine(project, WITHOUT_DOCKERD) as run:
        assert run("test-tools") == (0, "tinyforge: programs that the tests run are missing: apt-get install docker.io\n")
        assert run("test-tools") == (0, "")
    assert project.calls.read_text().splitlines()[-1].endswith(" docker.io")


def test_programs_that_the_tests_lack_are_not_installed_where_that_is_refused(project: Project):
    project.stub("apt-get", APT_GET_DOCKER)
    with bare_machine(project, WITHOUT_DOCKERD) as run:
        code, printed = run("test-tools", TINYFORGE_SETUP="never")
    assert code == 1
    assert "TINYFORGE_SETUP=never: not doing this: apt-get install docker.io" in printed
    assert not project.calls.exists()


def test_what_apt_get_says_is_shown_when_it_fails(project: Project):
    project.stub("apt-get", 'echo "E: no such package"; exit 100')
    with bare_machine(project, WITHOUT_DOCKERD) as run:
        code, printed = run("test-tools")
    assert code == 1
    assert printed.endswith("E: no such package\ntinyforge: apt-get could not install: docker.io\n")


def test_the_tests_take_root_and_say_so(project: Project):
    code, printed = project.run(*NOBODY, "scripts/test-tools")
    assert code == 1
    assert "sudo make test" in printed
