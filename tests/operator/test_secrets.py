"""Hosts' credentials from Secrets of the real API server, for a real engine behind TLS. The service account may read two Secrets."""

import asyncio
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.cluster.connections import connection, controller
from tests.engine.opening import failure, open_at, over_tcp
from tests.engine.secrets_contract import SecretsContract, Store
from tests.operator.secret_holding import READING, Clock, controllers_secrets, hold, hold_credentials
from tests.servers.api_proxy import ApiProxy, refuse
from tests.servers.certificates import DAY, Authority
from tests.servers.cluster import Cluster as RealCluster
from tests.servers.docker_engine import DockerEngine
from tinyforge.operator.secrets import ClusterSecrets
from tinyforge.ports import Engine, EngineError, EngineReason, Secrets


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def secrets(cluster: RealCluster, api_proxy: ApiProxy, clock: Clock) -> AsyncIterator[ClusterSecrets]:
    async with controllers_secrets(cluster, api_proxy, clock) as secrets:
        yield secrets


@pytest.fixture(scope="module")
def ours() -> Authority:
    return Authority.make("ours")


@pytest.fixture(scope="module")
def docker(ours: Authority) -> Iterator[DockerEngine]:
    with TemporaryDirectory(prefix="tls-") as folder, closing(DockerEngine(tls=ours.server(Path(folder) / "server"))) as engine:
        yield engine


@pytest.fixture
def right(cluster: RealCluster, ours: Authority) -> None:
    """The Secret as it should be."""
    hold_credentials(cluster, ours, ours.client())


@pytest.fixture
async def engine(docker: DockerEngine, secrets: ClusterSecrets) -> AsyncIterator[Engine]:
    engine = open_at(over_tcp(docker), tls_secret="vps1", secrets=secrets)
    yield engine
    await engine.close()


class TestClusterSecrets(SecretsContract):
    @pytest.fixture
    def store(self, cluster: RealCluster, secrets: ClusterSecrets) -> Store:
        async def store(content: Mapping[str, bytes]) -> Secrets:
            hold(cluster, content)
            return secrets

        return store


async def test_an_engine_is_listed_with_the_credentials_of_a_secret(engine: Engine, docker: DockerEngine, right: None):
    assert (await engine.containers()).containers == ()
    assert (await engine.identity()).engine_id == docker.id


async def test_fault_32_a_rotated_secret_is_used_without_a_restart_and_says_that_another_engine_may_answer(
    engine: Engine, cluster: RealCluster, ours: Authority, clock: Clock, right: None
):
    await engine.containers()
    assert engine.generation == 0
    hold_credentials(cluster, Authority.make("theirs"), ours.client())
    clock.later()
    assert (await failure(engine)).reason is EngineReason.TLS_FAILED
    hold_credentials(cluster, ours, ours.client())
    clock.later()
    await engine.containers()
    assert engine.generation == 2


async def test_fault_42_a_secret_that_is_absent_is_told_and_used_as_soon_as_it_is_there(
    engine: Engine, cluster: RealCluster, ours: Authority, clock: Clock
):
    error = await failure(engine)
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert str(error) == 'Secret "vps1" in namespace "default" does not exist: create it with the keys ca.crt, tls.crt, tls.key'
    hold_credentials(cluster, ours, ours.client())
    clock.later()
    await engine.containers()


async def test_fault_42_a_secret_that_is_deleted_ends_the_access_that_it_gave(
    engine: Engine, cluster: RealCluster, clock: Clock, right: None
):
    await engine.containers()
    cluster.delete("Secret", "vps1")
    clock.later()
    assert "does not exist" in str(await failure(engine))


@pytest.mark.parametrize("key", ["ca.crt", "tls.crt", "tls.key"])
async def test_fault_42_a_key_that_is_absent_is_named(engine: Engine, cluster: RealCluster, key: str, right: None):
    cluster.patch("Secret", "vps1", {"data": {key: None}})
    error = await failure(engine)
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert str(error) == f'Secret "vps1" in namespace "default" has no key "{key}"; it needs ca.crt, tls.crt, tls.key'


@pytest.mark.parametrize("key", ["ca.crt", "tls.crt", "tls.key"])
@pytest.mark.parametrize("rubbish", [b"", b"canary", b"-----BEGIN CERTIFICATE-----\ncanary\n-----END CERTIFICATE-----\n"])
async def test_fault_42_a_key_with_rubbish_is_named_alone_and_shown_to_nobody(
    engine: Engine, cluster: RealCluster, caplog: pytest.LogCaptureFixture, key: str, rubbish: bytes, right: None
):
    cluster.patch("Secret", "vps1", {"data": {key: b64encode(rubbish).decode()}})
    error = await failure(engine)
    assert error.reason is EngineReason.SECRET_UNUSABLE
    assert str(error).startswith(f'key "{key}" of Secret "vps1" in namespace "default" ')
    assert str(error).count('key "') == 1
    assert "canary" not in str(error) + caplog.text


async def test_fault_27_a_certificate_of_ours_that_expired_is_named(engine: Engine, cluster: RealCluster, ours: Authority):
    hold_credentials(cluster, ours, ours.client(valid_for=-DAY))
    error = await failure(engine)
    assert error.reason is EngineReason.CERTIFICATE_EXPIRED
    assert 'our certificate (key "tls.crt" of Secret "vps1" in namespace "default"), which was valid until 2' in str(error)


async def test_a_secret_that_may_not_be_read_says_what_to_allow_and_goes_once_it_may(
    cluster: RealCluster, secrets: ClusterSecrets, clock: Clock, right: None
):
    with pytest.raises(EngineError) as caught:
        await secrets.read("other", ("ca.crt",))
    assert caught.value.reason is EngineReason.SECRET_UNUSABLE
    assert 'Secret "other" in namespace "default" cannot be read: secrets "other" is forbidden' in str(caught.value)
    assert str(caught.value).endswith('; let the operator "get" Secrets in namespace "default"')
    rules = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    cluster.patch("Role", "controller", {"rules": rules})
    hold(cluster, {"ca.crt": b"ca"})
    await until_allowed(secrets, clock)


async def until_allowed(secrets: ClusterSecrets, clock: Clock) -> None:
    """Read `other` until the API server has seen its new permission, and says that there is no such Secret."""
    async with asyncio.timeout(10):
        while True:
            clock.later()
            try:
                await secrets.read("other", ("ca.crt",))
            except EngineError as error:
                if "does not exist" in str(error):
                    return


async def test_a_permission_that_is_taken_away_ends_the_access_that_it_gave(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, right: None
):
    await secrets.read("vps1", ("ca.crt",))
    api_proxy.spoil(READING, refuse(403))
    clock.later()
    with pytest.raises(EngineError, match="cannot be read: a fault of the tests; let the operator"):
        await secrets.read("vps1", ("ca.crt",))
    api_proxy.spoil(READING, refuse(503))
    clock.later()
    with pytest.raises(EngineError, match=r"cannot be read: a fault of the tests$"):
        await secrets.read("vps1", ("ca.crt",))


async def test_no_secret_is_listed_watched_or_asked_for_that_no_host_names(engine: Engine, api_proxy: ApiProxy, right: None):
    await engine.containers()
    assert {request for request in api_proxy.requests if "secrets" in request} == {READING}


async def test_fault_28_passes_go_on_while_the_api_server_is_dead_and_what_was_rotated_is_used_once_it_is_back(
    own_cluster: RealCluster, docker: DockerEngine, ours: Authority, clock: Clock
):
    hold_credentials(own_cluster, ours, ours.client())
    async with connection(controller(own_cluster)) as connected:
        secrets = ClusterSecrets(connected, clock=clock)
        engine = open_at(over_tcp(docker), tls_secret="vps1", secrets=secrets)
        await engine.containers()
        await asyncio.to_thread(own_cluster.control_plane.api_server.kill)
        clock.later()
        await engine.containers()
        await asyncio.to_thread(own_cluster.control_plane.api_server.start)
        hold_credentials(own_cluster, Authority.make("theirs"), ours.client())
        clock.later()
        assert (await failure(engine)).reason is EngineReason.TLS_FAILED
        await engine.close()
        await secrets.close()
