"""A Kubernetes control plane for the tests: the real etcd, API server and, where a test asks for them, controllers; no nodes, so no pods.

Fixtures (a plugin of tests/conftest.py):

* `control_plane`: the one that all tests of this process share; a test breaks nothing of it. Most tests want `cluster` instead
  (tests/servers/cluster.py), which is this one, clean, with our CRDs;
* `own_control_plane`: one for this test alone, whose API server may be stopped, killed, frozen and started again.

A start takes 3 s and 2 s of a core; at rest it takes 2 % of a core and 310 MiB, with the controllers 390 MiB.
"""

import itertools
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.servers import kubeconfigs
from tests.servers.certificates import Authority, Certificate, user_certificate
from tests.servers.kubernetes_api import KubernetesApi
from tests.servers.server_process import ServerProcess

ROOT = Path(__file__).parents[2]
KUBECTL_SECONDS = 60
ETCD = "unix://localhost:1"  # the socket `localhost:1` in the servers' folder: etcd wants addresses that look like one of a network
PEER = "unix://localhost:2"
ETCD_OPTIONS = [
    "--data-dir=etcd",
    f"--listen-client-urls={ETCD}",
    f"--advertise-client-urls={ETCD}",
    f"--listen-peer-urls={PEER}",
    f"--initial-advertise-peer-urls={PEER}",
    f"--initial-cluster=default={PEER}",
    "--unsafe-no-fsync",
    "--log-level=error",
]
API_SERVER_OPTIONS = [
    f"--etcd-servers={ETCD}",
    "--bind-address=127.0.0.1",
    "--permit-port-sharing",  # with the socket that keeps the port for it
    "--tls-cert-file=server.crt",
    "--tls-private-key-file=server.key",
    "--client-ca-file=ca.crt",
    "--service-account-key-file=accounts.crt",
    "--service-account-signing-key-file=accounts.key",
    "--service-account-issuer=https://kubernetes.default.svc",
    "--authorization-mode=RBAC",
    "--service-cluster-ip-range=10.96.0.0/16",
    "--endpoint-reconciler-type=none",
    "--profiling=false",
]
CONTROLLER_OPTIONS = [
    "--controllers=namespace-controller,garbage-collector-controller",
    "--leader-elect=false",
    "--secure-port=0",
    "--kube-api-qps=500",
    "--kube-api-burst=500",
]


class ControlPlane:
    """etcd and an API server, on a port of 127.0.0.1 that it keeps all its life. They run from the start until `close`.

    `api` asks the API server as its admin, whose kubeconfig is `admin`; `api_server` and `etcd` are the processes.
    """

    def __init__(self, programs: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tinyforge-kubernetes-"))  # not in memory: etcd sets 120 MiB aside at once
        self.authority = Authority.make("tests")
        self._programs = programs
        self._port = reserved_port()
        self._numbers = itertools.count(1)
        self.url = f"https://127.0.0.1:{self._port.getsockname()[1]}"
        self.admin = self.user("admin", "system:masters")
        self._write_certificates()
        self.api = KubernetesApi(self.url, self._tls())
        self.etcd = self._server("etcd", ETCD_OPTIONS)
        self.api_server = self._server("kube-apiserver", [*API_SERVER_OPTIONS, f"--secure-port={self._port.getsockname()[1]}"])
        self.controllers = self._server("kube-controller-manager", [*CONTROLLER_OPTIONS, f"--kubeconfig={self.admin}"])
        try:
            self.etcd.launch()
            self.api_server.start()
        except BaseException:
            self.close()
            raise

    def user(self, name: str, *groups: str) -> Path:
        """Return the kubeconfig of a user with a client certificate; what they may do is for RBAC to say."""
        return self._kubeconfig(kubeconfigs.by_certificate(user_certificate(self.authority, name, groups)))

    def kubeconfig_for(self, service_account: str, *, seconds: int = 3600) -> Path:
        """Return the kubeconfig of a service account that exists, `<namespace>/<name>`, with a token for at least 600 seconds."""
        namespace, name = service_account.split("/")
        asked = {"spec": {"expirationSeconds": seconds}}
        answer = self.api.request("POST", f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token", asked)
        return self._kubeconfig(kubeconfigs.by_token(answer["status"]["token"]), namespace=namespace)

    def kubectl(self, *arguments: str | Path, text: str = "", check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run kubectl in the project's folder with `text` as its input, as the admin unless `--kubeconfig` says otherwise.

        With `check` it has to succeed; else its exit code, its output and what it complains of are for the test to look at.
        """
        done = subprocess.run(
            [self._program("kubectl"), *arguments],
            env={"PATH": os.environ["PATH"], "HOME": str(self.folder), "KUBECONFIG": str(self.admin)},
            cwd=ROOT,
            input=text,
            capture_output=True,
            text=True,
            timeout=KUBECTL_SECONDS,
            check=False,
        )
        assert done.returncode == 0 or not check, f"kubectl {' '.join(map(str, arguments))}: {done.stderr}"
        return done

    def run_controllers(self) -> None:
        """Let namespaces be deleted, and what an owner leaves behind be collected; both then take seconds, as they do anywhere."""
        if not self.controllers.runs:
            self.controllers.launch()

    def close(self) -> None:
        """End everything, and remove its traces; idempotent."""
        for server in (self.controllers, self.api_server, self.etcd):
            server.kill()
        self.api.close()
        self._port.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _server(self, program: str, options: list[str]) -> ServerProcess:
        return ServerProcess([self._program(program), *options], folder=self.folder, answers=self.api.is_ready)

    def _program(self, name: str) -> str:
        program = shutil.which(name, path=self._programs)
        assert program, f"{name} is not in {self._programs}"
        return program

    def _kubeconfig(self, user: Mapping[str, str], *, namespace: str = "default") -> Path:
        file = self.folder / f"kubeconfig-{next(self._numbers)}"
        return kubeconfigs.write(file, server=self.url, authority=self.authority.root.pem, user=user, namespace=namespace)

    def _write_certificates(self) -> None:
        (self.folder / "ca.crt").write_bytes(self.authority.root.pem)
        self._write("server", self.authority.issue(ExtendedKeyUsageOID.SERVER_AUTH))
        self._write("accounts", self.authority.issue(ExtendedKeyUsageOID.SERVER_AUTH))  # any pair of keys does
        self._write("admin", user_certificate(self.authority, "admin", ["system:masters"]))

    def _write(self, name: str, issued: Certificate) -> None:
        (self.folder / f"{name}.crt").write_bytes(issued.pem)
        (self.folder / f"{name}.key").write_bytes(issued.key_pem())

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.folder / "ca.crt")
        context.load_cert_chain(self.folder / "admin.crt", self.folder / "admin.key")
        return context


def reserved_port() -> socket.socket:
    """A socket that does not listen, and keeps its port for a server that shares it: connections are refused while that is down."""
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    reserved.bind(("127.0.0.1", 0))
    return reserved


@pytest.fixture(scope="session")
def kubernetes_programs() -> str:
    """The folders of kube-apiserver and its like, as in a PATH."""
    environment = {**os.environ, "TINYFORGE_SETUP": "never"}  # a build takes longer than any test may
    found = subprocess.run([ROOT / "scripts/kubernetes"], env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, f"{found.stderr.strip()}\nTo do it: make tools"
    return found.stdout.strip()


@pytest.fixture(scope="session")
def control_plane(kubernetes_programs: str) -> Iterator[ControlPlane]:
    with closing(ControlPlane(kubernetes_programs)) as control_plane:
        yield control_plane


@pytest.fixture
def own_control_plane(kubernetes_programs: str) -> Iterator[ControlPlane]:
    with closing(ControlPlane(kubernetes_programs)) as control_plane:
        yield control_plane
