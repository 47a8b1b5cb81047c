"""Docker Engines for the tests: real ones, several side by side, each sealed off from this machine's and from the others.

Fixtures (a plugin of tests/conftest.py):

* `docker_engine`, `another_docker_engine`: two engines that all tests share; a test finds and leaves them without containers, and
  breaks nothing else of them (`engine` and `second_engine` are the same, for fixtures that outlive a test);
* `make_engine`: makes engines for one test alone, to be stopped, killed, frozen and started again; takes DockerEngine's arguments.
"""

import io
import os
import shutil
import signal
import socket
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from functools import cached_property
from pathlib import Path

import pytest
from docker import APIClient

from tests.servers.enclosure import Enclosure, pid_of
from tests.servers.folders import roomy
from tests.servers.kernel import is_frozen, processes_of, remove_cgroups, thaw_cgroups

START_SECONDS = 60
IMAGE = "busybox"


class DockerEngine:
    """An engine on a unix socket, with its data in a folder of its own and an image `busybox` in it. It runs from the start.

    `arguments` go to dockerd, such as `--live-restore`. An engine's id comes from the folder `identity`, by default one of its own; engines
    with the same folder are clones, as all engines of one machine were before version 24. With `tls`, a folder with Docker's `ca.pem`,
    `cert.pem` and `key.pem`, it also listens on `tcp_port` of 127.0.0.1, for clients with a certificate of that CA.
    """

    def __init__(self, *, arguments: Sequence[str] = (), identity: Path | None = None, tls: Path | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="tinyforge-engine-", dir=roomy()))
        self.socket = self.folder / "docker.sock"
        self.log = self.folder / "dockerd.log"
        self.identity = identity or self.folder / "identity"
        self.tcp_port = 0
        self._arguments = arguments
        self._tls = tls
        self._process: subprocess.Popen[bytes] | None = None
        self.identity.mkdir(exist_ok=True)
        # The machine's own containerd is hidden, for dockerd would use it if it saw one.
        self._enclosure = Enclosure(
            f"mkdir -p /etc/docker /run/containerd && mount --bind {self.identity} /etc/docker && mount -t tmpfs none /run/containerd"
        )
        try:
            self.start()
            self.client.import_image_from_data(busybox_image(), repository=IMAGE, tag="latest")
        except BaseException:
            self.close()
            raise

    @property
    def endpoint(self) -> str:
        """The address of its socket, as a DockerHost names it."""
        return f"unix://{self.socket}"

    @cached_property
    def client(self) -> APIClient:
        """Docker's own client, which the environment cannot lead elsewhere."""
        client = APIClient(self.endpoint, version="auto", timeout=60)
        client.trust_env = False
        return client

    @property
    def pid(self) -> int:
        """The process number of dockerd."""
        assert self._process, "the engine does not run"
        return pid_of(self._process)

    @property
    def id(self) -> str:
        """What the engine calls itself."""
        return str(self.client.info()["ID"])

    def create(
        self,
        name: str | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        image: str = IMAGE,
        command: Sequence[str] = ("sleep", "1000000"),
        ports: Sequence[int] = (),
        start: bool = False,
    ) -> str:
        """Create a container, start it if wanted, and return its id.

        A port is one that the container exposes inside itself; it is on the engine's bridge then, for without a network Docker lists none.
        """
        container = self.client.create_container(
            image,
            list(command),
            name=name,
            labels=dict(labels or {}),
            ports=list(ports),
            host_config=self.client.create_host_config(network_mode="bridge" if ports else "none"),
            stop_signal="SIGKILL",  # the busybox programs are process 1 and heed no other: a stop would take 10 s
        )
        if start:
            self.client.start(container)
        return str(container["Id"])

    def remove_all(self) -> None:
        """Remove all containers, running or not."""
        for container in self.client.containers(all=True):
            self.client.remove_container(container, v=True, force=True)

    def start(self) -> None:
        """Start dockerd, and wait until it answers."""
        assert self._process is None, "the engine runs already"
        with ExitStack() as stack, self.log.open("ab") as log:
            command = ["dockerd", *self._options(), *self._arguments]
            keep: list[int] = []
            if self._tls:
                listener = stack.enter_context(self._listener())
                keep = [listener.fileno()]
                command = [*passing(listener), *command, *tls_options(self._tls)]
            self._process = self._enclosure.start(command, output=log, keep=keep)
        self._wait_until_it_answers()

    def stop(self, signal_number: signal.Signals = signal.SIGTERM) -> None:
        """End dockerd, and wait until it is gone; nothing happens if it does not run."""
        if self._process is None:
            return
        os.kill(pid := self.pid, signal_number)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)  # a frozen one would not notice
        self._process.wait()
        self._process = None

    def kill(self) -> None:
        """kill -9 dockerd; its containers go on."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop dockerd and start it again."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """Freeze dockerd: it listens and never answers."""
        os.kill(pid := self.pid, signal.SIGSTOP)
        while not is_frozen(pid):
            time.sleep(0.001)  # the kernel stops its threads one after another

    def resume(self) -> None:
        """Let a frozen dockerd go on."""
        os.kill(self.pid, signal.SIGCONT)

    def reimage(self) -> None:
        """Make another engine of it under the same address: new id, no containers, no images."""
        self.stop()
        shutil.rmtree(self.folder / "data")
        for file in self.identity.iterdir():
            file.unlink()
        self.start()

    def close(self) -> None:
        """End it and everything it ever started, and remove its traces; idempotent."""
        self.client.close()
        thaw_cgroups(self.folder.name)
        self._enclosure.close()
        if self._process:
            self._process.wait()
            self._process = None
        remove_cgroups(self.folder.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        assert not processes_of(self.folder), f"left behind: {processes_of(self.folder)}"

    def _options(self) -> list[str]:
        return [
            f"--host=unix://{self.socket}",
            f"--data-root={self.folder / 'data'}",
            f"--exec-root={self.folder / 'exec'}",
            f"--pidfile={self.folder / 'pid'}",
            f"--cgroup-parent=/{self.folder.name}",
            "--exec-opt=native.cgroupdriver=cgroupfs",
            "--iptables=false",
        ]

    @contextmanager
    def _listener(self) -> Iterator[socket.socket]:
        """A socket that listens in the network of this machine, which dockerd in its own can accept from all the same."""
        with socket.create_server(("127.0.0.1", self.tcp_port)) as listener:
            self.tcp_port = listener.getsockname()[1]
            yield listener

    def _wait_until_it_answers(self) -> None:
        assert self._process
        deadline = time.monotonic() + START_SECONDS
        while not answers(self.socket):
            assert self._process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)


def tls_options(folder: Path) -> list[str]:
    """How dockerd is told to serve TLS on the socket it was handed, only to clients with a certificate."""
    files = {"--tlscacert": "ca.pem", "--tlscert": "cert.pem", "--tlskey": "key.pem"}
    return ["--host=fd://", "--tlsverify", *(f"{option}={folder / name}" for option, name in files.items())]


def passing(listener: socket.socket) -> list[str]:
    """The front of a command that hands a listening socket to it, as systemd does (sd_listen_fds)."""
    return ["bash", "-c", f'exec 3<&{listener.fileno()}; LISTEN_FDS=1 LISTEN_PID=$$ exec "$@"', "bash"]


def answers(path: Path) -> bool:
    """Whether a Docker Engine answers at a socket."""
    with socket.socket(socket.AF_UNIX) as engine:
        engine.settimeout(START_SECONDS)
        try:
            engine.connect(str(path))
            engine.sendall(b"GET /_ping HTTP/1.0\r\n\r\n")
            return b" 200 " in engine.recv(64)
        except OSError:
            return False


def busybox_image() -> bytes:
    """An image's root file system as a tar: the one program of Debian's busybox-static, under the names of all it can be."""
    program = shutil.which("busybox")
    assert program, "busybox is missing: scripts/test-tools"
    names = subprocess.run([program, "--list"], check=True, capture_output=True, text=True).stdout.split()
    image = io.BytesIO()
    with tarfile.open(fileobj=image, mode="w") as tar:
        tar.add(program, "bin/busybox")
        for name in set(names) - {"busybox"}:
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    return image.getvalue()


@pytest.fixture(scope="session")
def engine() -> Iterator[DockerEngine]:
    with closing(DockerEngine()) as engine:
        yield engine


@pytest.fixture(scope="session")
def second_engine() -> Iterator[DockerEngine]:
    with closing(DockerEngine()) as engine:
        yield engine


@pytest.fixture
def docker_engine(engine: DockerEngine) -> Iterator[DockerEngine]:
    yield engine
    engine.remove_all()


@pytest.fixture
def another_docker_engine(second_engine: DockerEngine) -> Iterator[DockerEngine]:
    yield second_engine
    second_engine.remove_all()


@pytest.fixture
def make_engine() -> Iterator[Callable[..., DockerEngine]]:
    with ExitStack() as engines:
        yield lambda **arguments: engines.enter_context(closing(DockerEngine(**arguments)))
