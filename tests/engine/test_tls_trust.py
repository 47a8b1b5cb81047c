"""Who is believed over `tcp://`, and what is said where somebody is not."""

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.engine.conftest import Open
from tests.engine.fake_engine import response
from tests.engine.opening import failure, over_tcp
from tests.servers.certificates import DAY, Authority, write_secret
from tests.servers.docker_engine import DockerEngine
from tinyforge.ports import EngineReason


async def test_fault_27_an_engine_of_another_ca_is_refused(
    tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority, theirs: Authority
):
    write_secret(tls_secrets / "wrong", theirs, ours.client())
    error = await failure(opened(over_tcp(tls_engine), tls_secret="wrong", secrets=tls_secrets))
    assert error.reason is EngineReason.TLS_FAILED
    assert "the engine's certificate is refused: unable to get local issuer certificate" in str(error)
    assert f"believed is what the file {tls_secrets / 'wrong' / 'ca.crt'} has issued" in str(error)


async def test_fault_27_an_engine_with_another_name_is_refused(opened: Open, tls_secrets: Path, ours: Authority, tmp_path: Path):
    with closing(DockerEngine(tls=ours.server(tmp_path / "server", address="10.0.0.7"))) as docker:
        error = await failure(opened(over_tcp(docker), tls_secret="right", secrets=tls_secrets))
    assert error.reason is EngineReason.TLS_FAILED
    assert "IP address mismatch" in str(error)


@pytest.fixture(scope="module")
def expired_engine(ours: Authority) -> Iterator[DockerEngine]:
    with (
        TemporaryDirectory(prefix="tls-") as folder,
        closing(DockerEngine(tls=ours.server(Path(folder) / "server", valid_for=-DAY))) as engine,
    ):
        yield engine


async def test_fault_27_an_engine_whose_certificate_expired_is_refused(opened: Open, tls_secrets: Path, expired_engine: DockerEngine):
    error = await failure(opened(over_tcp(expired_engine), tls_secret="right", secrets=tls_secrets))
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert str(error) == "the engine's certificate is refused: certificate has expired: renew it where the engine runs"


async def test_fault_27_a_ca_that_expired_is_named_and_not_the_engine(opened: Open, tls_secrets: Path, tmp_path: Path):
    expired = Authority.make("expired", valid_for=-DAY)
    write_secret(tls_secrets / "old", expired, expired.client())
    with closing(DockerEngine(tls=expired.server(tmp_path / "server"))) as docker:
        error = await failure(opened(over_tcp(docker), tls_secret="old", secrets=tls_secrets))
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert str(error).startswith(f"the file {tls_secrets / 'old' / 'ca.crt'} was valid until 2")
    assert "put its successor there" in str(error)


@pytest.fixture
def both(tls_secrets: Path, ours: Authority) -> Path:
    """A Secret that still believes a CA that expired, beside the one that counts."""
    write_secret(tls_secrets / "both", ours, ours.client())
    with (tls_secrets / "both" / "ca.crt").open("ab") as file:
        file.write(Authority.make("expired", valid_for=-DAY).root.pem)
    return tls_secrets


async def test_a_ca_that_expired_does_no_harm_beside_its_successor(tls_engine: DockerEngine, opened: Open, both: Path):
    assert (await opened(over_tcp(tls_engine), tls_secret="both", secrets=both).containers()).containers == ()


async def test_fault_27_where_a_ca_expired_beside_another_both_it_and_the_engine_are_named(
    expired_engine: DockerEngine, opened: Open, both: Path
):
    error = await failure(opened(over_tcp(expired_engine), tls_secret="both", secrets=both))
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert f"it is the engine's own, or one in the file {both / 'both' / 'ca.crt'} that was valid until 2" in str(error)


async def test_fault_27_our_own_expired_certificate_is_named(tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority):
    write_secret(tls_secrets / "old", ours, ours.client(valid_for=-DAY))
    error = await failure(opened(over_tcp(tls_engine), tls_secret="old", secrets=tls_secrets))
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert f"our certificate (the file {tls_secrets / 'old' / 'tls.crt'}), which was valid until 2" in str(error)


async def test_fault_27_a_certificate_that_the_engine_does_not_believe_is_named(
    tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority, theirs: Authority
):
    write_secret(tls_secrets / "foreign", ours, theirs.client())
    error = await failure(opened(over_tcp(tls_engine), tls_secret="foreign", secrets=tls_secrets))
    assert error.reason is EngineReason.TLS_FAILED
    assert f"our certificate (the file {tls_secrets / 'foreign' / 'tls.crt'})" in str(error)


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
    tls_engine: DockerEngine, opened: Open, tls_secrets: Path, theirs: Authority, mislead: Callable[[Authority], None]
):
    mislead(theirs)
    assert (await opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets).containers()).containers == ()


async def test_fault_27_no_variable_of_the_environment_makes_a_wrong_ca_right(
    tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority, theirs: Authority, mislead: Callable[[Authority], None]
):
    mislead(ours)
    write_secret(tls_secrets / "wrong", theirs, ours.client())
    assert (await failure(opened(over_tcp(tls_engine), tls_secret="wrong", secrets=tls_secrets))).reason is EngineReason.TLS_FAILED


async def test_fault_27_a_connection_ended_after_the_handshake_points_to_our_certificate_until_an_answer_came(
    opened: Open, tls_secrets: Path, ours: Authority, tmp_path: Path
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
        client = opened(f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}", tls_secret="right", secrets=tls_secrets)
        first = await failure(client)
        answers_pings.set()
        second = await failure(client)
    assert first.reason is EngineReason.TLS_FAILED
    assert f"does it believe our certificate (the file {tls_secrets / 'right' / 'tls.crt'})?" in str(first)
    assert second.reason is EngineReason.CONNECT_FAILED
