"""Which version of the API an engine is spoken to in, and when that is asked anew."""

import time
from urllib.parse import parse_qs

import pytest

from tests.engine.conftest import Fake, Open
from tests.engine.fake_engine import CONTAINER_ID, FakeEngine, containers, entry, response, says
from tinyforge.engine.versions import NEWEST, OLDEST
from tinyforge.ports import EngineError, EngineReason

TOO_NEW = response(b'{"message": "client version 1.41 is too new. Maximum supported API version is 1.40"}', status="400 Bad Request")


async def test_the_version_is_asked_once_and_remembered(fake: Fake, opened: Open):
    server = await fake(says(containers()))
    engine = opened(server.endpoint)
    await engine.containers()
    await engine.containers()
    assert server.paths == ["/_ping", "/v1.41/containers/json", "/v1.41/containers/json"]


async def test_an_engine_newer_than_we_know_is_spoken_to_in_the_newest_version_we_know(fake: Fake, opened: Open):
    server = await fake(says(containers()))
    server.api_version = "1.999"
    await opened(server.endpoint).containers()
    assert server.paths[-1] == f"/v{NEWEST}/containers/json"


async def test_the_oldest_engine_that_works_works(fake: Fake, opened: Open):
    server = await fake(says(containers()))
    server.api_version = str(OLDEST)
    await opened(server.endpoint).containers()
    assert server.paths[-1] == f"/v{OLDEST}/containers/json"


@pytest.mark.parametrize("version", ["1.23", "0.99", "", "nginx", "1.41.2", "１.４１", "1." + "9" * 5000])
async def test_an_engine_too_old_or_none_at_all_is_refused(fake: Fake, opened: Open, version: str):
    server = await fake(says(containers()))
    server.api_version = version
    with pytest.raises(EngineError) as caught:
        await opened(server.endpoint).containers()
    assert caught.value.reason is EngineReason.UNSUPPORTED_VERSION
    assert server.paths == ["/_ping"]


async def test_a_400_asks_for_the_version_anew_and_tries_once_more(fake: Fake, opened: Open):
    async def downgraded(engine: FakeEngine, writer):
        engine.api_version = "1.40"
        writer.write(containers(entry()) if engine.paths[-1].startswith("/v1.40/") else TOO_NEW)

    server = await fake(downgraded)
    assert len((await opened(server.endpoint).containers()).containers) == 1
    assert server.paths == ["/_ping", "/v1.41/containers/json", "/_ping", "/v1.40/containers/json"]


async def test_a_second_400_is_the_answer(fake: Fake, opened: Open):
    server = await fake(says(TOO_NEW))
    with pytest.raises(EngineError, match=r"client version 1\.41 is too new") as caught:
        await opened(server.endpoint).containers()
    assert caught.value.reason is EngineReason.HTTP_ERROR
    assert len(server.requests) == 4


async def test_a_failed_call_asks_for_the_version_anew(fake: Fake, opened: Open):
    server = await fake(says(response(b"", status="500 Internal Server Error")))
    engine = opened(server.endpoint)
    for _ in range(2):
        with pytest.raises(EngineError):
            await engine.containers()
    assert server.paths.count("/_ping") == 2


async def test_s6_the_moment_of_asking_is_after_the_ping_and_before_the_list(fake: Fake, opened: Open):
    moments: list[float] = []

    async def noting(engine: FakeEngine, writer):
        moments.append(time.monotonic())
        writer.write(containers())

    server = await fake(noting)
    engine = opened(server.endpoint)
    await engine.containers()
    before = time.monotonic()
    asked_at = (await engine.containers()).asked_at
    assert before <= asked_at <= moments[-1]


async def test_named_containers_are_asked_for_by_their_whole_ids(fake: Fake, opened: Open):
    server = await fake(says(containers(entry())))
    await opened(server.endpoint).containers([CONTAINER_ID])
    query = parse_qs(server.requests[-1].partition("?")[2])
    assert query == {"all": ["1"], "filters": [f'{{"id":["{CONTAINER_ID}"]}}']}


@pytest.mark.parametrize("wrong", ["", "0123456789ab", CONTAINER_ID.upper(), CONTAINER_ID + "0", CONTAINER_ID + "\n"])
async def test_a_part_of_an_id_is_never_asked_for(fake: Fake, opened: Open, wrong: str):
    server = await fake(says(containers()))
    with pytest.raises(ValueError, match="64 hex digits"):
        await opened(server.endpoint).containers([CONTAINER_ID, wrong])
    with pytest.raises(ValueError, match="64 hex digits"):
        await opened(server.endpoint).labels(wrong)


async def test_labels_are_those_of_the_container_asked_for_and_none_if_it_is_gone(fake: Fake, opened: Open):
    other = "f" * 64
    server = await fake(says(containers(entry(other, Labels={"not": "mine"}), entry(Labels={"a": "1", "b": "2"}))))
    engine = opened(server.endpoint)
    assert await engine.labels(CONTAINER_ID) == {"a": "1", "b": "2"}
    server.behaviour = says(containers(entry(other)))
    assert await engine.labels(CONTAINER_ID) == {}
    server.behaviour = says(containers(entry(Labels=None)))
    assert await engine.labels(CONTAINER_ID) == {}
