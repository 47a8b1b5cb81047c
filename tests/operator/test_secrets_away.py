"""When the API server is asked for a Secret, and what is done while it is away."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.operator.secret_holding import READING, Clock, controllers_secrets, hold, readings
from tests.servers.api_proxy import ApiProxy, delay, hang, refuse
from tests.servers.cluster import Cluster as RealCluster
from tinyforge.operator.secrets import FRESH_SECONDS, PATIENCE_SECONDS, UNUSED_SECONDS, ClusterSecrets
from tinyforge.ports import EngineError, EngineReason

KEYS = ("ca.crt",)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def secrets(cluster: RealCluster, api_proxy: ApiProxy, clock: Clock) -> AsyncIterator[ClusterSecrets]:
    async with controllers_secrets(cluster, api_proxy, clock) as secrets:
        yield secrets


@pytest.fixture
def held(cluster: RealCluster) -> None:
    """The Secret, holding something."""
    hold(cluster, {"ca.crt": b"canary"})


@pytest.mark.parametrize("status", [401, 429, 500, 503])
async def test_fault_28_while_the_api_server_is_away_what_it_said_last_is_used_and_that_is_said_once(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, caplog: pytest.LogCaptureFixture, status: int, held: None
):
    caplog.set_level(logging.INFO, "tinyforge.operator.secrets")
    await secrets.read("vps1", KEYS)
    api_proxy.spoil(READING, refuse(status))
    for _ in range(3):
        clock.later()
        await secrets.read("vps1", KEYS)
    assert readings(api_proxy) == 4
    api_proxy.heal()
    clock.later()
    await secrets.read("vps1", KEYS)
    assert [(record.levelname, record.__dict__["action"]) for record in caplog.records] == [
        ("WARNING", "secret_not_read"),
        ("INFO", "secret_read_again"),
    ]
    assert 'Secret "vps1" in namespace "default" cannot be read, so what it held last goes on being used: ' in caplog.text
    assert "canary" not in caplog.text


async def test_fault_28_another_reason_why_it_cannot_be_read_is_said_and_at_the_end_how_often(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, caplog: pytest.LogCaptureFixture, held: None
):
    caplog.set_level(logging.INFO, "tinyforge.operator.secrets")
    await secrets.read("vps1", KEYS)
    for message in ("overloaded", "overloaded", "starting"):
        api_proxy.spoil(READING, refuse(503, message=message), times=1)
        clock.later()
        await secrets.read("vps1", KEYS)
    clock.later()
    await secrets.read("vps1", KEYS)
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records[:2]] == ["overloaded", "starting"]
    assert [record.__dict__.get("failures") for record in caplog.records] == [None, None, 3]


async def test_fault_28_a_call_waits_a_second_for_an_api_server_that_hangs_and_goes_on_without(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, held: None
):
    await secrets.read("vps1", KEYS)
    api_proxy.spoil(READING, hang())
    clock.later()
    async with asyncio.timeout(PATIENCE_SECONDS + 2):
        await secrets.read("vps1", KEYS)


async def test_fault_28_an_answer_that_is_late_is_used_by_the_next_call(
    secrets: ClusterSecrets, cluster: RealCluster, api_proxy: ApiProxy, clock: Clock
):
    hold(cluster, {"ca.crt": b"old"})
    await secrets.read("vps1", KEYS)
    hold(cluster, {"ca.crt": b"new"})
    api_proxy.spoil(READING, delay(PATIENCE_SECONDS + 0.5))
    clock.later()
    assert await secrets.read("vps1", KEYS) == {"ca.crt": b"old"}
    assert await secrets.read("vps1", KEYS) == {"ca.crt": b"new"}


async def test_fault_28_with_nothing_known_an_api_server_that_is_away_is_the_reason(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, held: None
):
    api_proxy.spoil(READING, refuse(503))
    with pytest.raises(EngineError) as caught:
        await secrets.read("vps1", KEYS)
    assert caught.value.reason is EngineReason.SECRET_UNUSABLE
    assert str(caught.value) == 'Secret "vps1" in namespace "default" cannot be read: a fault of the tests'
    api_proxy.heal()
    clock.later()
    await secrets.read("vps1", KEYS)


async def test_fifty_calls_at_once_ask_once(secrets: ClusterSecrets, api_proxy: ApiProxy, held: None):
    await asyncio.gather(*(secrets.read("vps1", KEYS) for _ in range(50)))
    assert readings(api_proxy) == 1


async def test_a_secret_is_asked_for_again_once_2_seconds_have_passed_and_not_before(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, held: None
):
    for seconds, asked in ((0.0, 1), (FRESH_SECONDS - 0.1, 1), (0.1, 2)):
        clock.later(seconds)
        await secrets.read("vps1", KEYS)
        assert readings(api_proxy) == asked


async def test_p5_a_call_that_is_cancelled_ends_at_once_and_no_other_with_it(secrets: ClusterSecrets, api_proxy: ApiProxy, held: None):
    asked = api_proxy.next_request(READING)
    api_proxy.spoil(READING, delay(0.5))
    one, other = (asyncio.create_task(secrets.read("vps1", KEYS)) for _ in range(2))
    await asyncio.wrap_future(asked)
    one.cancel()
    async with asyncio.timeout(0.4):
        with pytest.raises(asyncio.CancelledError):
            await one
    assert await other == {"ca.crt": b"canary"}
    assert readings(api_proxy) == 1


async def test_fault_44_a_secret_that_nobody_asks_for_any_more_is_forgotten(
    secrets: ClusterSecrets, api_proxy: ApiProxy, clock: Clock, held: None
):
    await secrets.read("vps1", KEYS)
    clock.later(UNUSED_SECONDS + 1)
    with pytest.raises(EngineError):
        await secrets.read("absent", KEYS)
    api_proxy.spoil(READING, refuse(503))
    with pytest.raises(EngineError, match="cannot be read"):
        await secrets.read("vps1", KEYS)


async def test_p5_closing_ends_what_is_under_way(secrets: ClusterSecrets, api_proxy: ApiProxy, held: None):
    asked = api_proxy.next_request(READING)
    api_proxy.spoil(READING, hang())
    reading = asyncio.create_task(secrets.read("vps1", KEYS))
    await asyncio.wrap_future(asked)
    async with asyncio.timeout(1):
        await secrets.close()
        with pytest.raises(asyncio.CancelledError):
            await reading
