"""Secrets in a folder, and what a host's transport makes of what they hold."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from tests.engine.secrets_contract import SecretsContract, Store
from tinyforge.engine import FolderSecrets
from tinyforge.engine.credentials import HostSecret
from tinyforge.ports import EngineError


class TestFolderSecrets(SecretsContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Store:
        async def store(content: Mapping[str, bytes]) -> FolderSecrets:
            (tmp_path / "vps1").mkdir()
            for key, value in content.items():
                (tmp_path / "vps1" / key).write_bytes(value)
            return FolderSecrets(tmp_path)

        return store

    async def test_a_secret_as_a_cluster_mounts_it_is_read_through_its_links(self, tmp_path: Path):
        version = tmp_path / "vps1" / "..2026_11_24"
        version.mkdir(parents=True)
        (version / "ca.crt").write_bytes(b"ca")
        (tmp_path / "vps1" / "..data").symlink_to(version.name)
        (tmp_path / "vps1" / "ca.crt").symlink_to("..data/ca.crt")
        assert await FolderSecrets(tmp_path).read("vps1", ("ca.crt",)) == {"ca.crt": b"ca"}

    async def test_a_key_that_is_a_folder_cannot_be_read(self, tmp_path: Path):
        (tmp_path / "vps1" / "ca.crt").mkdir(parents=True)
        with pytest.raises(EngineError, match=r"vps1/ca\.crt cannot be read: Is a directory"):
            await FolderSecrets(tmp_path).read("vps1", ("ca.crt",))


class Changing:
    """A place whose Secrets hold `content`, whatever their name; it stands in for any."""

    def __init__(self) -> None:
        self.content = {"one": b"1", "two": b"2"}

    async def read(self, name: str, keys: Collection[str]) -> Mapping[str, bytes]:
        return {key: self.content[key] for key in keys}

    def describe(self, name: str, key: str) -> str:
        return f"{key} in the vault under {name}"


@pytest.fixture
def vault() -> Changing:
    return Changing()


@pytest.fixture
def secret(vault: Changing) -> HostSecret:
    return HostSecret(vault, "vps1", keys=("one", "two"), declared_by="spec.tls.secretRef.name")


async def test_the_generation_counts_the_changes_of_what_a_secret_holds(vault: Changing, secret: HostSecret):
    assert (await secret.read()).generation == 0
    assert (await secret.read()).generation == 0
    vault.content["two"] = b"3"
    assert (await secret.read()).generation == 1
    assert secret.generation == 1


async def test_values_that_change_places_are_a_change(vault: Changing, secret: HostSecret):
    await secret.read()
    vault.content = {"one": b"2", "two": b"1"}
    assert (await secret.read()).generation == 1


@pytest.mark.parametrize("nothing", [b"", b" \r\n"])
async def test_fault_42_a_key_without_anything_is_named_as_its_place_calls_it(vault: Changing, secret: HostSecret, nothing: bytes):
    vault.content["two"] = nothing
    with pytest.raises(EngineError, match=r"^two in the vault under vps1 is empty$"):
        await secret.read()


async def test_fault_44_credentials_do_not_show_what_they_are(vault: Changing, secret: HostSecret):
    vault.content["one"] = b"canary"
    assert "canary" not in repr(await secret.read())
