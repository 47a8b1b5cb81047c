"""The Secret for `tcp://`: what it has to hold, and what becomes of an engine whose Secret changes."""

import os
import pty
import select
import signal
import sys
from pathlib import Path

import pytest

from tests.engine.conftest import Open
from tests.engine.opening import failure, over_tcp
from tests.servers.certificates import Authority, write_secret
from tests.servers.docker_engine import DockerEngine
from tinyforge.ports import EngineReason


async def test_a_secret_without_a_folder_of_secrets_names_the_setting(tls_engine: DockerEngine, opened: Open):
    error = await failure(opened(over_tcp(tls_engine), tls_secret="right"))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert "TINYFORGE_SECRETS" in str(error)


async def test_a_secret_is_never_looked_for_outside_its_folder(tls_engine: DockerEngine, opened: Open, tls_secrets: Path):
    for name in ("../right", "/etc", "..", "right/"):
        error = await failure(opened(over_tcp(tls_engine), tls_secret=name, secrets=tls_secrets / "right"))
        assert error.reason is EngineReason.SECRET_UNUSABLE
        assert "is no name of a Secret" in str(error)


@pytest.mark.parametrize("key", ["ca.crt", "tls.crt", "tls.key"])
@pytest.mark.parametrize(
    "content", [None, b"", b"canary", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n"]
)
async def test_fault_42_a_secret_that_cannot_be_used_names_that_file_alone_and_shows_nothing_of_it(
    tls_engine: DockerEngine, opened: Open, tls_secrets: Path, key: str, content: bytes | None
):
    file = tls_secrets / "right" / key
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    error = await failure(opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert [name for name in ("ca.crt", "tls.crt", "tls.key") if str(tls_secrets / "right" / name) in str(error)] == [key]
    assert "canary" not in str(error)


async def test_fault_42_a_key_with_a_passphrase_is_named(tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority):
    client = ours.client()
    write_secret(tls_secrets / "locked", ours, client)
    (tls_secrets / "locked" / "tls.key").write_bytes(client.key_pem(b"canary"))
    error = await failure(opened(over_tcp(tls_engine), tls_secret="locked", secrets=tls_secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert f"{tls_secrets / 'locked' / 'tls.key'} is no PEM key that can be used without a passphrase" in str(error)


async def test_fault_42_a_key_of_another_certificate_is_told(tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority):
    (tls_secrets / "right" / "tls.key").write_bytes(ours.client().key_pem())
    error = await failure(opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets))
    assert error.reason is EngineReason.SECRET_UNUSABLE
    folder = tls_secrets / "right"
    assert str(error) == f"the file {folder / 'tls.key'} is not the key of the file {folder / 'tls.crt'}"


async def test_certificates_may_have_words_beside_them(tls_engine: DockerEngine, opened: Open, tls_secrets: Path):
    """As `openssl x509 -text` writes them, for a subject that is not English."""
    for name in ("ca.crt", "tls.crt"):
        file = tls_secrets / "right" / name
        file.write_bytes("subject=CN = Zürich\n".encode() + file.read_bytes())
    await opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets).containers()


PROGRAM = """
import asyncio, pathlib, sys
from tinyforge.engine import FolderSecrets
from tinyforge.engine.tls_context import client_context, tls_secret
from tinyforge.ports import EngineError

try:
    client_context(asyncio.run(tls_secret(FolderSecrets(pathlib.Path(sys.argv[1])), "locked").read()))
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
    tls_engine: DockerEngine, opened: Open, tls_secrets: Path, ours: Authority, theirs: Authority
):
    engine = opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets)
    await engine.containers()
    await engine.containers()
    assert engine.generation == 0
    write_secret(tls_secrets / "right", ours, theirs.client())
    await failure(engine)
    assert engine.generation == 1
    write_secret(tls_secrets / "right", ours, ours.client())
    await engine.containers()
    assert engine.generation == 2


async def test_fault_42_a_secret_that_is_taken_away_ends_the_access_that_it_gave(tls_engine: DockerEngine, opened: Open, tls_secrets: Path):
    engine = opened(over_tcp(tls_engine), tls_secret="right", secrets=tls_secrets)
    await engine.containers()
    (tls_secrets / "right" / "tls.key").rename(tls_secrets / "aside")
    assert (await failure(engine)).reason is EngineReason.SECRET_UNUSABLE
    (tls_secrets / "aside").rename(tls_secrets / "right" / "tls.key")
    await engine.containers()
    assert engine.generation == 0
