"""`ssh://`: a real sshd in front of a real engine, and what becomes of the tunnel in bad times."""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from getpass import getuser
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engine.conftest import Open
from tests.engine.opening import failure
from tests.engine.sshd import Sshd, new_key
from tests.servers.docker_engine import DockerEngine
from tinyforge.engine import private_files
from tinyforge.ports import Engine, EngineError, EngineReason

Connect = Callable[..., Engine]
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def sshd() -> Iterator[Sshd]:
    with TemporaryDirectory(prefix="sshd-") as folder, closing(Sshd(Path(folder))) as server:
        yield server


@pytest.fixture
def secrets(tmp_path: Path, sshd: Sshd) -> Path:
    """A folder of Secrets, with the right one in it."""
    sshd.write_secret(tmp_path / "right")
    return tmp_path


@pytest.fixture(autouse=True)
def scratch(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder where tunnels make theirs; after a test, nothing may be left in it and no ssh may run."""
    with TemporaryDirectory(prefix="tun-") as folder:
        monkeypatch.setattr(private_files, "MEMORY", Path(folder))
        yield Path(folder)
        assert modes(Path(folder)) == {}
        assert tunnels(os.getpid()) == []


def tunnels(parent: int) -> list[int]:
    """Return the process numbers of the ssh that `parent` started."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, name, _, its_parent, *_ = stat.read_text().split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if name == "(ssh)" and int(its_parent) == parent:
            found.append(int(number))
    return found


def runs(process: int) -> bool:
    """Whether a process is there, be it as a zombie."""
    return Path(f"/proc/{process}").exists()


def modes(folder: Path) -> dict[str, int]:
    """Return the permissions of all files and folders below."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.rglob("*")}


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something in another process."""
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(0.01)


@pytest.fixture
async def connect(sshd: Sshd, docker_engine: DockerEngine, secrets: Path, scratch: Path, opened: Open) -> Connect:
    """Open the engine behind ssh; `scratch` is looked at after `opened` has closed it."""

    def connect(name: str = "right", endpoint: str = "", **limits: float) -> Engine:
        return opened(endpoint or sshd.endpoint(docker_engine), ssh_secret=name, secrets=secrets, **limits)

    return connect


async def test_an_engine_behind_ssh_is_listed_over_one_tunnel(connect: Connect, docker_engine: DockerEngine):
    container_id = docker_engine.create("web")
    engine = connect()
    assert [container.id for container in (await engine.containers()).containers] == [container_id]
    [ssh] = tunnels(os.getpid())
    assert (await engine.identity()).engine_id == docker_engine.id
    assert tunnels(os.getpid()) == [ssh]


async def test_two_calls_at_once_share_the_tunnel(connect: Connect):
    engine = connect()
    await asyncio.gather(engine.containers(), engine.identity())
    assert len(tunnels(os.getpid())) == 1


SLOW_TO_LISTEN = """#!{python}
import os, socket, sys, time
socket.socket(socket.AF_UNIX).bind("docker.sock")
time.sleep(0.3)
os.unlink("docker.sock")
os.execv("{ssh}", ["ssh", *sys.argv[1:]])
"""


async def test_a_tunnel_is_up_once_its_socket_takes_connections_and_not_when_it_is_there(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, docker_engine: DockerEngine
):
    """ssh binds its socket before it listens to it; this one takes its time in between."""
    slow = tmp_path / "bin" / "ssh"
    slow.parent.mkdir()
    slow.write_text(SLOW_TO_LISTEN.format(python=sys.executable, ssh=shutil.which("ssh")))
    slow.chmod(0o700)
    monkeypatch.setenv("PATH", str(slow.parent), prepend=os.pathsep)
    assert (await connect().identity()).engine_id == docker_engine.id


async def test_a_host_key_that_is_not_in_known_hosts_is_refused(connect: Connect, sshd: Sshd, secrets: Path):
    sshd.write_secret(secrets / "unknown", host="127.0.0.2")
    error = await failure(connect("unknown"))
    assert error.reason is EngineReason.SSH_FAILED
    assert "Host key verification failed" in str(error)
    assert f"the file {secrets / 'unknown' / 'known_hosts'} has to hold the machine's own key" in str(error)


async def test_a_host_key_that_changed_is_refused(connect: Connect, sshd: Sshd, secrets: Path, tmp_path: Path):
    sshd.write_secret(secrets / "changed", host_key=new_key(tmp_path / "other"))
    error = await failure(connect("changed"))
    assert error.reason is EngineReason.SSH_FAILED
    assert "has changed" in str(error)


@pytest.mark.parametrize("content", [b"canary", b"\xff\x00", b"# canary", "the public key alone"])
async def test_fault_42_known_hosts_that_are_none_are_named_and_not_shown(connect: Connect, sshd: Sshd, secrets: Path, content: object):
    file = secrets / "right" / "known_hosts"
    file.write_bytes(content if isinstance(content, bytes) else sshd.host_key.with_suffix(".pub").read_bytes())
    error = await failure(connect())
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert f"the file {file} holds no host keys" in str(error)
    assert "canary" not in str(error)


async def test_a_key_that_the_machine_does_not_know_is_refused(connect: Connect, sshd: Sshd, secrets: Path, tmp_path: Path):
    sshd.write_secret(secrets / "stranger", key=new_key(tmp_path / "other"))
    error = await failure(connect("stranger"))
    assert error.reason is EngineReason.SSH_FAILED
    assert "Permission denied" in str(error)


async def test_a_key_that_lost_its_last_line_end_works_all_the_same(connect: Connect, secrets: Path):
    file = secrets / "right" / "ssh-privatekey"
    file.write_bytes(file.read_bytes().rstrip())
    await connect().containers()


@pytest.mark.parametrize(
    "content", [None, b"", b"canary", b"-----BEGIN OPENSSH PRIVATE KEY-----\ncanary\n-----END OPENSSH PRIVATE KEY-----\n"]
)
async def test_fault_42_a_key_that_is_none_is_named_and_not_shown(connect: Connect, secrets: Path, content: bytes | None):
    file = secrets / "right" / "ssh-privatekey"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    error = await failure(connect())
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert str(file) in str(error)
    assert "canary" not in str(error)


async def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(connect: Connect, sshd: Sshd, secrets: Path, tmp_path: Path):
    sshd.write_secret(secrets / "locked", key=new_key(tmp_path / "locked-key", "canary"))
    error = await failure(connect("locked"))
    assert error.reason is EngineReason.SSH_FAILED
    assert f"is the file {secrets / 'locked' / 'ssh-privatekey'} a key of this user's, without a passphrase?" in str(error)


async def test_fault_42_a_rotated_secret_is_used_at_the_next_call_over_a_new_tunnel(
    connect: Connect, sshd: Sshd, secrets: Path, tmp_path: Path
):
    engine = connect()
    await engine.containers()
    first = tunnels(os.getpid())
    assert engine.generation == 0
    sshd.write_secret(secrets / "right", host_key=new_key(tmp_path / "other"))
    assert (await failure(engine)).reason is EngineReason.SSH_FAILED
    sshd.write_secret(secrets / "right")
    await engine.containers()
    assert engine.generation == 2
    assert tunnels(os.getpid()) != first


async def test_nobody_at_the_port_is_a_failed_ssh(connect: Connect, unused_tcp_port: int):
    error = await failure(connect(endpoint=f"ssh://root@127.0.0.1:{unused_tcp_port}"))
    assert error.reason is EngineReason.SSH_FAILED
    assert "Connection refused" in str(error)


async def test_a_machine_without_ssh_says_so(connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("PATH", str(tmp_path))
    error = await failure(connect())
    assert error.reason is EngineReason.SSH_FAILED
    assert "ssh cannot be started: [Errno 2] No such file or directory: 'ssh'" in str(error)


async def test_a_machine_without_room_for_a_tunnel_says_so(connect: Connect, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setattr(private_files, "MEMORY", tmp_path / "missing")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    error = await failure(connect())
    assert error.reason is EngineReason.SSH_FAILED
    assert "ssh cannot be started: [Errno 2] No such file or directory" in str(error)


async def test_no_engine_behind_the_tunnel_names_the_path(connect: Connect, sshd: Sshd):
    engine = connect(endpoint=f"ssh://{getuser()}@127.0.0.1:{sshd.port}/nowhere/docker.sock")
    for _ in range(2):
        error = await failure(engine)
        assert error.reason is EngineReason.CONNECT_FAILED
        assert str(error).endswith("nothing answers behind the tunnel at /nowhere/docker.sock: open failed: connect failed: open failed")


async def test_a_tunnel_that_died_is_opened_anew(connect: Connect):
    engine = connect()
    await engine.containers()
    [ssh] = tunnels(os.getpid())
    os.kill(ssh, signal.SIGKILL)
    await until(lambda: not runs(ssh))
    with suppress(EngineError):  # the very first call may still find the dead one, which ends in a failed connection
        await engine.containers()
    await engine.containers()
    assert tunnels(os.getpid()) != [ssh]


async def test_fault_22_a_frozen_tunnel_fails_in_time_and_is_opened_anew(connect: Connect):
    engine = connect(list_timeout=2)
    await engine.containers()
    [ssh] = tunnels(os.getpid())
    os.kill(ssh, signal.SIGSTOP)
    assert (await failure(engine)).reason is EngineReason.TIMEOUT
    await engine.containers()
    assert tunnels(os.getpid()) != [ssh]


async def test_p5_closing_ends_even_a_frozen_tunnel_within_a_second(connect: Connect):
    engine = connect()
    await engine.containers()
    [ssh] = tunnels(os.getpid())
    os.kill(ssh, signal.SIGSTOP)
    async with asyncio.timeout(1):
        await engine.close()
    assert not runs(ssh)


@pytest.fixture
def frozen_sshd(sshd: Sshd) -> Iterator[Sshd]:
    sshd.pause()
    yield sshd
    sshd.resume()


async def test_fault_22_an_ssh_that_gets_no_answer_fails_with_the_connect_timeout(connect: Connect, frozen_sshd: Sshd):
    error = await failure(connect(connect_timeout=0.5))
    assert error.reason is EngineReason.TIMEOUT
    assert tunnels(os.getpid()) == []


async def test_p5_a_tunnel_on_its_way_up_is_cancelled_within_a_second(connect: Connect, frozen_sshd: Sshd, scratch: Path):
    listing = asyncio.create_task(connect().containers())
    await until(lambda: tunnels(os.getpid()) != [])
    assert sorted(modes(scratch).values()) == [0o600, 0o600, 0o700]
    listing.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await listing
    assert tunnels(os.getpid()) == []
    assert modes(scratch) == {}


async def test_fault_44_no_copy_of_the_key_stays_once_the_tunnel_is_up(connect: Connect, scratch: Path):
    engine = connect()
    await engine.containers()
    assert "key" not in modes(scratch)


PROGRAM = """
import asyncio, pathlib, sys
from tests.engine.opening import open_at
from tinyforge.engine import private_files

async def main(endpoint, secrets, scratch):
    private_files.MEMORY = pathlib.Path(scratch)
    await open_at(endpoint, ssh_secret="right", secrets=pathlib.Path(secrets)).containers()
    print("up", flush=True)
    await asyncio.Event().wait()

asyncio.run(main(*sys.argv[1:]))
"""


async def test_fault_01_a_kill_9_of_the_controller_leaves_no_ssh_and_no_key(sshd: Sshd, docker_engine: DockerEngine, secrets: Path):
    with TemporaryDirectory(prefix="left-") as folder:
        controller = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", PROGRAM, sshd.endpoint(docker_engine), str(secrets), folder),
            stdout=asyncio.subprocess.PIPE,
            cwd=ROOT,
        )
        assert controller.stdout is not None
        assert await controller.stdout.readline() == b"up\n"
        [ssh] = tunnels(controller.pid)
        controller.kill()
        await controller.wait()
        await until(lambda: not runs(ssh))
        assert "key" not in modes(Path(folder))
