"""The control plane of the tests and its cluster, keep what they promise to everybody else's tests."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from tests.objects.documents import docker_host, workload
from tests.servers.cluster import Cluster, condition_is
from tests.servers.kubernetes import ROOT, ControlPlane
from tests.servers.kubernetes_api import Refused
from tests.servers.kubernetes_users import READER, WORKLOADS, reader


@pytest.mark.parametrize("turn", [1, 2])
def test_a_test_finds_a_cluster_with_our_kinds_and_nothing_in_it(turn: int, cluster: Cluster):
    kept = [cluster.list(kind) for kind in ("dh", "Workload", "Secret", "Event", "ServiceAccount", "Lease")]
    assert not any(found for found in kept[:5])
    assert not [lease for lease in kept[5] if lease["metadata"]["namespace"] == "default"]
    assert len(cluster.list("Namespace")) == 4
    namespace = cluster.new_namespace()
    cluster.apply(docker_host())
    cluster.apply(workload(namespace=namespace))
    cluster.patch("wl", "web", {"metadata": {"finalizers": ["tinyforge.dev/finalizer"]}}, namespace)
    cluster.delete("Workload", "web", namespace)
    cluster.kubectl("create", "secret", "generic", "left")
    cluster.kubectl("create", "secret", "generic", "left", f"--namespace={namespace}")
    cluster.apply(READER)


def test_what_a_test_applied_is_gone_after_it(cluster: Cluster):
    cluster.apply(READER)
    cluster.clean()
    with pytest.raises(Refused, match="404 NotFound"):
        cluster.get("ClusterRole", "reader")


def test_a_field_that_is_not_known_is_refused(cluster: Cluster):
    with pytest.raises(Refused, match="field not declared in schema"):
        cluster.apply(docker_host(sspend=True))


def test_waiting_ends_when_it_is_so(cluster: Cluster):
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(cluster.wait, "Workload", "web", lambda found: found["spec"].get("group") == "shop")
        gone = pool.submit(cluster.wait, "Workload", "web", lambda found: found["metadata"].get("deletionTimestamp"))
        cluster.apply(workload())
        cluster.patch("Workload", "web", {"spec": {"group": "shop"}, "metadata": {"finalizers": ["tinyforge.dev/finalizer"]}})
        assert waiting.result()["metadata"]["name"] == "web"
        cluster.delete("Workload", "web")
        assert gone.result()["metadata"]["finalizers"] == ["tinyforge.dev/finalizer"]
        cluster.patch("Workload", "web", {"metadata": {"finalizers": None}})
        cluster.wait_until_gone("Workload", "web")


def test_waiting_in_vain_shows_what_there_is(cluster: Cluster):
    cluster.apply(workload())
    with pytest.raises(AssertionError, match=r"after 0\.3 s Workload web in default is: .*'kind': 'project'"):
        cluster.wait("Workload", "web", lambda found: condition_is(found, type_="Ready"), seconds=0.3)


def test_a_user_is_who_their_certificate_says(control_plane: ControlPlane):
    kubeconfig = control_plane.user("ann", "readers", "people")
    who = json.loads(control_plane.kubectl("--kubeconfig", kubeconfig, "auth", "whoami", "--output=json").stdout)
    assert who["status"]["userInfo"]["username"] == "ann"
    assert set(who["status"]["userInfo"]["groups"]) == {"readers", "people", "system:authenticated"}


def test_a_service_account_may_do_what_rbac_says_and_nothing_else(cluster: Cluster):
    as_reader = ("--kubeconfig", reader(cluster), "get", "--raw")
    cluster.kubectl(*as_reader, WORKLOADS)
    assert 'cannot list resource "secrets"' in cluster.kubectl(*as_reader, "/api/v1/secrets", check=False).stderr


def test_an_api_server_that_comes_back_has_its_address_and_its_objects(own_cluster: Cluster):
    server = own_cluster.control_plane.api_server
    own_cluster.apply(workload())
    server.kill()
    assert not own_cluster.api.is_ready()
    with pytest.raises(ConnectionRefusedError):
        own_cluster.list("Workload")
    with ThreadPoolExecutor() as pool:
        changed = pool.submit(own_cluster.wait, "Workload", "web", lambda found: found["spec"].get("suspend"))
        server.start()
        own_cluster.wait("Workload", "web", bool)
        own_cluster.patch("Workload", "web", {"spec": {"suspend": True}})
        assert changed.result()
    server.freeze()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(own_cluster.get, "Workload", "web")
        time.sleep(0.2)
        assert not waiting.done()
        server.thaw()
        assert waiting.result()


def test_controllers_delete_a_namespace_where_a_test_asks_for_them(cluster: Cluster):
    namespace = cluster.new_namespace()
    cluster.control_plane.run_controllers()
    cluster.apply(workload(namespace=namespace))
    cluster.delete("Namespace", namespace)
    cluster.wait_until_gone("Workload", "web", namespace)
    cluster.wait_until_gone("Namespace", namespace)


def test_nothing_outlives_the_tests_however_they_end(kubernetes_programs: str, tmp_path: Path):
    program = """
import os, sys
from tests.servers.kubernetes import ControlPlane
control_plane = ControlPlane(sys.argv[1])
control_plane.run_controllers()
control_plane.api_server.freeze()
print(control_plane.folder, flush=True)
os.kill(os.getpid(), 9)
"""
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", program, kubernetes_programs], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    folder = Path(ended.stdout.strip())
    assert folder.is_relative_to(tmp_path)
    deadline = time.monotonic() + 10
    while running := processes_in(folder):
        assert time.monotonic() < deadline, f"left behind: {running}"
        time.sleep(0.01)


def processes_in(folder: Path) -> list[str]:
    """The names of all processes that run in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            if (process / "cwd").readlink() == folder:
                found.append((process / "comm").read_text().strip())
    return found
