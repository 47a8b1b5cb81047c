"""`tcp://`: a real engine behind `--tlsverify`, and everything that must not get to it or from it."""

import asyncio
import os
import pty
import select
import signal
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engine.certificates import DAY, Authority, write_secret
from tests.engine.conftest import Open
from tests.engine.fake_engine import response
from tests.servers.docker_engine import DockerEngine
from tinyforge.ports import Engine, EngineError, EngineReason


@pytest.fixture(scope="module")
def ours() -> Authority:
    """The authority of our engines and of ourselves."""
    return Authority.make("ours")


@pytest.fixture(scope="module")
def theirs() -> Authority:
    """Somebody else's."""
    return Authority.make("theirs")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with TemporaryDirectory(prefix="tls-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def docker(ours: Authority, folder: Path) -> Iterator[DockerEngine]:
    with closing(DockerEngine(tls=ours.server(folder / "server"))) as engine:
        yield engine


@pytest.fixture
def secrets(tmp_path: Path, ours: Authority) -> Path:
    """A folder of Secrets, with the right one in it."""
    write_secret(tmp_path / "right", ours, ours.client())
    return tmp_path


def endpoint(docker: DockerEngine, host: str = "127.0.0.1") -> str:
    return f"tcp://{host}:{docker.tcp_port}"


async def failure(engine: Engine) -> EngineError:
    async with asyncio.timeout(10):
        with pytest.raises(EngineError) as caught:
            await engine.containers()
    return caught.value


async def test_an_engine_of_our_ca_is_listed(docker: DockerEngine, opened: Open, secrets: Path):
    engine = opened(endpoint(docker), tls_secret="right", secrets=secrets)
    assert (await engine.containers()).containers == ()
    assert (await engine.identity()).engine_id == docker.id


async def test_fault_27_an_engine_of_another_ca_is_refused(
    docker: DockerEngine, opened: Open, secrets: Path, ours: Authority, theirs: Authority
):
    write_secret(secrets / "wrong", theirs, ours.client())
    error = await failure(opened(endpoint(docker), tls_secret="wrong", secrets=secrets))
    assert error.reason is EngineReason.TLS_FAILED
    assert "the engine's certificate is refused: unable to get local issuer certificate" in str(error)


async def test_fault_27_an_engine_with_another_name_is_refused(opened: Open, secrets: Path, ours: Authority, tmp_path: Path):
    with closing(DockerEngine(tls=ours.server(tmp_path / "server", address="10.0.0.7"))) as docker:
        error = await failure(opened(endpoint(docker), tls_secret="right", secrets=secrets))
    assert error.reason is EngineReason.TLS_FAILED
    assert "IP address mismatch" in str(error)


async def test_fault_27_an_engine_whose_certificate_expired_is_refused(opened: Open, secrets: Path, ours: Authority, tmp_path: Path):
    with closing(DockerEngine(tls=ours.server(tmp_path / "server", valid_for=-DAY))) as docker:
        error = await failure(opened(endpoint(docker), tls_secret="right", secrets=secrets))
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert "the engine's certificate is refused: certificate has expired" in str(error)


async def test_fault_27_our_own_expired_certificate_is_named(docker: DockerEngine, opened: Open, secrets: Path, ours: Authority):
    write_secret(secrets / "old", ours, ours.client(valid_for=-DAY))
    error = await failure(opened(endpoint(docker), tls_secret="old", secrets=secrets))
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert "our certificate tls.crt of the Secret 'old', which was valid until 2" in str(error)


async def test_fault_27_a_certificate_that_the_engine_does_not_believe_is_named(
    docker: DockerEngine, opened: Open, secrets: Path, ours: Authority, theirs: Authority
):
    write_secret(secrets / "foreign", ours, theirs.client())
    error = await failure(opened(endpoint(docker), tls_secret="foreign", secrets=secrets))
    assert error.reason is EngineReason.TLS_FAILED
    assert "our certificate tls.crt of the Secret 'foreign'" in str(error)


@pytest.fixture
def mislead(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[Authority], None]]:
    """Set every variable that some client or library obeys, the bundles of certificates to those of an authority."""

    def mislead(authority: Authority) -> None:
        bundle = tmp_path / "bundle.pem"
        bundle.write_bytes(authority.root.pem)
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
            monkeypatch.setenv(name, str(bundle))
        for name in ("HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path))
        monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys.log"))
        monkeypatch.setenv("DOCKER_TLS_VERIFY", "")
        monkeypatch.setenv("DOCKER_HOST", "unix:///nowhere")

    yield mislead
    assert not (tmp_path / "keys.log").exists()


async def test_fault_27_no_variable_of_the_environment_replaces_the_pinned_ca_or_adds_a_proxy(
    docker: DockerEngine, opened: Open, secrets: Path, theirs: Authority, mislead: Callable[[Authority], None]
):
    mislead(theirs)
    assert (await opened(endpoint(docker), tls_secret="right", secrets=secrets).containers()).containers == ()


async def test_fault_27_no_variable_of_the_environment_makes_a_wrong_ca_right(
    docker: DockerEngine, opened: Open, secrets: Path, ours: Authority, theirs: Authority, mislead: Callable[[Authority], None]
):
    mislead(ours)
    write_secret(secrets / "wrong", theirs, ours.client())
    assert (await failure(opened(endpoint(docker), tls_secret="wrong", secrets=secrets))).reason is EngineReason.TLS_FAILED


async def test_an_engine_over_tcp_without_a_secret_is_never_asked(docker: DockerEngine, opened: Open, secrets: Path):
    error = await failure(opened(endpoint(docker), secrets=secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert "spec.tls.secretRef.name" in str(error)


async def test_a_secret_without_a_folder_of_secrets_names_the_setting(docker: DockerEngine, opened: Open):
    error = await failure(opened(endpoint(docker), tls_secret="right"))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert "TINYFORGE_SECRETS" in str(error)


async def test_a_secret_is_never_looked_for_outside_its_folder(docker: DockerEngine, opened: Open, secrets: Path):
    for name in ("../right", "/etc", "..", "right/"):
        error = await failure(opened(endpoint(docker), tls_secret=name, secrets=secrets / "right"))
        assert error.reason is EngineReason.SECRET_UNUSABLE
        assert "is no name of a Secret" in str(error)


@pytest.mark.parametrize("key", ["ca.crt", "tls.crt", "tls.key"])
@pytest.mark.parametrize(
    "content", [None, b"", b"canary", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n"]
)
async def test_fault_42_a_secret_that_cannot_be_used_names_the_file_and_shows_nothing_of_it(
    docker: DockerEngine, opened: Open, secrets: Path, key: str, content: bytes | None
):
    file = secrets / "right" / key
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    error = await failure(opened(endpoint(docker), tls_secret="right", secrets=secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert str(file) in str(error)
    assert "canary" not in str(error)


async def test_fault_42_a_key_with_a_passphrase_is_unusable(docker: DockerEngine, opened: Open, secrets: Path, ours: Authority):
    client = ours.client()
    write_secret(secrets / "locked", ours, client)
    (secrets / "locked" / "tls.key").write_bytes(client.key_pem(b"canary"))
    error = await failure(opened(endpoint(docker), tls_secret="locked", secrets=secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE


PROGRAM = """
import pathlib, sys
from tinyforge.engine.secrets import SecretFolder
from tinyforge.engine.tls import client_context
from tinyforge.ports import EngineError

secret = SecretFolder(pathlib.Path(sys.argv[1]), "locked", keys=("ca.crt", "tls.crt", "tls.key"), declared_by="")
try:
    client_context(secret.read())
except EngineError as error:
    print(error.reason)
"""


def test_nobody_is_asked_for_a_passphrase_on_a_terminal(ours: Authority, tmp_path: Path):
    client = ours.client()
    write_secret(tmp_path / "locked", ours, client)
    (tmp_path / "locked" / "tls.key").write_bytes(client.key_pem(b"canary"))
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, str(tmp_path)])  # noqa: S606 - an argument list of our own, no shell
    try:
        ready, _, _ = select.select([terminal], [], [], 30)
        assert ready
        assert os.read(terminal, 1000).strip() == b"SecretUnusable"
    finally:
        os.close(terminal)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


async def test_fault_42_a_rotated_secret_is_used_at_the_next_call_over_new_connections(
    docker: DockerEngine, opened: Open, secrets: Path, ours: Authority, theirs: Authority
):
    engine = opened(endpoint(docker), tls_secret="right", secrets=secrets)
    await engine.containers()
    await engine.containers()
    assert engine.generation == 0
    write_secret(secrets / "right", ours, theirs.client())
    await failure(engine)
    assert engine.generation == 1
    write_secret(secrets / "right", ours, ours.client())
    await engine.containers()
    assert engine.generation == 2


async def test_fault_42_a_secret_that_is_taken_away_ends_the_access_that_it_gave(docker: DockerEngine, opened: Open, secrets: Path):
    engine = opened(endpoint(docker), tls_secret="right", secrets=secrets)
    await engine.containers()
    (secrets / "right" / "tls.key").rename(secrets / "aside")
    assert (await failure(engine)).reason is EngineReason.SECRET_UNUSABLE
    (secrets / "aside").rename(secrets / "right" / "tls.key")
    await engine.containers()
    assert engine.generation == 0


async def test_what_speaks_no_tls_is_refused(opened: Open, secrets: Path):
    async def plain(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        await reader.read()
        writer.close()

    async with await asyncio.start_server(plain, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(opened(f"tcp://127.0.0.1:{port}", tls_secret="right", secrets=secrets))
    assert error.reason is EngineReason.TLS_FAILED


async def test_fault_27_a_connection_ended_after_the_handshake_points_to_our_certificate_until_an_answer_came(
    opened: Open, secrets: Path, ours: Authority, tmp_path: Path
):
    """By a fake: a real engine sends an alert too, which arrives or not as chance has it."""
    answers_pings = asyncio.Event()

    async def engine(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if b"/_ping" in request and answers_pings.is_set():
            writer.write(response(b"OK", headers=("Api-Version: 1.41",)))
        writer.close()

    server_folder = ours.server(tmp_path / "server")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server_folder / "cert.pem", server_folder / "key.pem")
    async with await asyncio.start_server(engine, "127.0.0.1", 0, ssl=context) as server:
        client = opened(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", tls_secret="right", secrets=secrets)
        first = await failure(client)
        answers_pings.set()
        second = await failure(client)
    assert first.reason is EngineReason.TLS_FAILED
    assert "does it believe our certificate tls.crt of the Secret 'right'?" in str(first)
    assert second.reason is EngineReason.CONNECT_FAILED


async def test_nobody_at_a_port_is_a_failed_connection(opened: Open, secrets: Path, unused_tcp_port: int):
    error = await failure(opened(f"tcp://127.0.0.1:{unused_tcp_port}", tls_secret="right", secrets=secrets))
    assert error.reason is EngineReason.CONNECT_FAILED


async def test_a_handshake_that_hangs_ends_with_the_connect_timeout_and_p5_is_cancelled_within_a_second(opened: Open, secrets: Path):
    accepted = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        error = await failure(opened(f"tcp://127.0.0.1:{port}", tls_secret="right", secrets=secrets, connect_timeout=0.3))
        assert error.reason is EngineReason.TIMEOUT
        accepted.clear()
        listing = asyncio.create_task(opened(f"tcp://127.0.0.1:{port}", tls_secret="right", secrets=secrets).containers())
        await accepted.wait()
        listing.cancel()
        async with asyncio.timeout(1):
            with pytest.raises(asyncio.CancelledError):
                await listing


async def test_p6_names_are_resolved_while_the_thread_pool_is_full(docker: DockerEngine, opened: Open, secrets: Path):
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(max_workers=1))
    may_end = threading.Event()
    hung = loop.run_in_executor(None, may_end.wait)
    try:
        assert (await opened(endpoint(docker, "localhost"), tls_secret="right", secrets=secrets).containers()).containers == ()
    finally:
        may_end.set()
        await hung
