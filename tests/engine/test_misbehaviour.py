"""Rule P4 and P5: whatever an engine does wrong is a failed list with a reason, in bounded time, and never a shorter list."""

import asyncio
import gzip
import json
import re
import traceback

import pytest

from tests.engine.conftest import Fake, Open
from tests.engine.fake_engine import Behaviour, chunk, containers, drips, entry, head, response, says, says_and_closes
from tinyforge.ports import EngineError, EngineReason

LIST = json.dumps([entry(), entry("f" * 64)]).encode()
HALF = LIST[: len(LIST) // 2]
LIMIT = 100_000

HANGS: dict[str, Behaviour] = {
    "accepts and never answers": says(b""),
    "sends half its head and hangs": says(head()[:-2]),
    "drips its status line": drips(b"HTTP/1.1 200 O", b"K"),
    "drips a header": drips(b"HTTP/1.1 200 OK\r\nX-Drip: ", b"a"),
    "drips headers": drips(b"HTTP/1.1 200 OK\r\n", b"X-Drip: 1\r\n"),
    "goes on saying 100 Continue": drips(b"", head(status="100 Continue")),
    "sends its head and hangs": says(head(f"Content-Length: {len(LIST)}")),
    "sends half a body with a length and hangs": says(head(f"Content-Length: {len(LIST)}") + HALF),
    "sends half a chunked body and hangs": says(head("Transfer-Encoding: chunked") + chunk(HALF)),
    "sends a whole chunked list but not its end": says(head("Transfer-Encoding: chunked") + chunk(LIST)),
    "drips a body with a length": drips(head("Content-Length: 90000"), b" "),
    "drips chunks": drips(head("Transfer-Encoding: chunked"), chunk(b" ")),
}

CUTS: dict[str, Behaviour] = {
    "closes half-way through its length": says_and_closes(head(f"Content-Length: {len(LIST)}") + HALF),
    "closes between two chunks": says_and_closes(head("Transfer-Encoding: chunked") + chunk(HALF)),
    "closes within a chunk": says_and_closes(head("Transfer-Encoding: chunked") + chunk(LIST)[:-40]),
    "closes before the last, empty chunk": says_and_closes(head("Transfer-Encoding: chunked") + chunk(LIST)),
    "ends a list by closing": says_and_closes(head() + LIST),
    "ends an empty list by closing": says_and_closes(head() + b"[]"),
}

LIES: dict[str, Behaviour] = {
    "answers null": says(response(b"null")),
    "answers an error's object with 200": says(response(b'{"message": "page not found"}')),
    "answers a web page": says(response(b"<html><body>Welcome to nginx!</body></html>")),
    "answers nothing": says(response(b"")),
    "answers a list of null": says(response(b"[null]")),
    "answers two lists": says(response(b"[][]")),
    "escapes a lone surrogate": says(response(LIST.replace(b"nginx:1", rb"\ud800"))),
    "sends bad UTF-8": says(response(LIST.replace(b"nginx:1", b"\xff\xfe"))),
    "lists one container twice": says(containers(entry(), entry(State="exited"))),
    "lists a container without an id": says(containers(entry(""))),
    "lists a container without a state": says(containers({key: value for key, value in entry().items() if key != "State"})),
    "lists a container with a number for a name": says(containers(entry(Names=[1]))),
    "nests a hundred thousand lists": says(response(b'[{"Unknown": ' + b"[" * 45_000 + b"]" * 45_000 + b"}]")),
    "packs its answer": says(response(gzip.compress(LIST), headers=("Content-Encoding: gzip",))),
    "does not speak HTTP": says(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "sends a header without an end": says(b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 90_000),
    "sends a thousand headers": says(head(*(f"X-{number}: 1" for number in range(1000)))),
}

REFUSALS: dict[str, Behaviour] = {
    "redirects": says(response(b"", status="302 Found", headers=("Location: /v1.41/containers/json",))),
    "answers 204": says(head(status="204 No Content")),
    "answers 404": says(response(b'{"message": "page not found"}', status="404 Not Found")),
    "answers 500": says(response(b'{"message": "driver failed"}', status="500 Internal Server Error")),
    "answers 503 and hangs in the body": says(head("Content-Length: 100", status="503 Service Unavailable")),
}

SIZES: dict[str, Behaviour] = {
    "announces more than the limit": says(head(f"Content-Length: {LIMIT + 1}")),
    "sends more than the limit in chunks": says(head("Transfer-Encoding: chunked") + chunk(b" " * 65_536) * 2),
}

BREAKS: dict[str, Behaviour] = {
    "closes without a word": says_and_closes(b""),
    "closes within its head": says_and_closes(head()[:-2]),
}

EXPECTED = [
    pytest.param(behaviour, reason, id=f"an engine that {name}")
    for behaviours, reason in (
        (HANGS, EngineReason.TIMEOUT),
        (CUTS, EngineReason.ANSWER_UNREADABLE),
        (LIES, EngineReason.ANSWER_UNREADABLE),
        (REFUSALS, EngineReason.HTTP_ERROR),
        (SIZES, EngineReason.ANSWER_TOO_LARGE),
        (BREAKS, EngineReason.CONNECT_FAILED),
    )
    for name, behaviour in behaviours.items()
]


@pytest.mark.parametrize(("behaviour", "reason"), EXPECTED)
async def test_p4_a_misbehaving_engine_gives_a_failed_list_with_its_reason(
    fake: Fake, opened: Open, behaviour: Behaviour, reason: EngineReason
):
    engine = opened((await fake(behaviour)).endpoint, list_timeout=0.25 if reason is EngineReason.TIMEOUT else 10, list_limit=LIMIT)
    async with asyncio.timeout(5):
        with pytest.raises(EngineError) as caught:
            await engine.containers()
    assert caught.value.reason is reason, caught.value
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("behaviour", [pytest.param(behaviour, id=f"an engine that {name}") for name, behaviour in HANGS.items()])
async def test_p5_a_list_that_hangs_is_cancelled_within_a_second(fake: Fake, opened: Open, behaviour: Behaviour):
    server = await fake(behaviour)
    listing = asyncio.create_task(opened(server.endpoint).containers())
    await server.asked.wait()
    await asyncio.sleep(0)
    listing.cancel()
    async with asyncio.timeout(1):
        with pytest.raises(asyncio.CancelledError):
            await listing
        await server.left.wait()


async def test_p4_a_redirect_is_not_followed(fake: Fake, opened: Open):
    server = await fake(REFUSALS["redirects"])
    with pytest.raises(EngineError, match="302"):
        await opened(server.endpoint).containers()
    assert server.paths == ["/_ping", "/v1.41/containers/json"]


async def test_p4_an_honest_empty_list_is_a_list(fake: Fake, opened: Open):
    assert (await opened((await fake(says(containers()))).endpoint).containers()).containers == ()


@pytest.mark.parametrize("answer", [b"[]", LIST])
async def test_p4_chunks_are_as_good_as_a_length(fake: Fake, opened: Open, answer: bytes):
    server = await fake(says(head("Transfer-Encoding: chunked") + chunk(answer) + chunk(b"")))
    assert len((await opened(server.endpoint).containers()).containers) == len(json.loads(answer))


async def test_p4_an_engine_that_recovers_is_listed_again(fake: Fake, opened: Open):
    server = await fake(says_and_closes(b""))
    engine = opened(server.endpoint)
    with pytest.raises(EngineError):
        await engine.containers()
    server.behaviour = says(containers(entry()))
    assert len((await engine.containers()).containers) == 1


async def test_m10_null_where_docker_may_send_it_means_empty(fake: Fake, opened: Open):
    server = await fake(says(containers(entry(Names=None, Ports=None, Labels=None))))
    [container] = (await opened(server.endpoint).containers()).containers
    assert (container.name, container.lowest_port, container.labels) == ("", 0, None)


async def test_w3_the_lowest_port_is_the_port_whatever_the_order(fake: Fake, opened: Open):
    server = await fake(says(containers(entry(Ports=[{"PrivatePort": port, "Type": "tcp"} for port in (9000, 80, 443)]))))
    [container] = (await opened(server.endpoint).containers()).containers
    assert container.lowest_port == 80


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(entry(Labels={"token": "canary", "tinyforge.role": 5}), id="a label that is no text"),
        pytest.param(entry(Labels={"token": "canary"}, Created="canary"), id="a time that is text"),
        pytest.param(entry(Labels="canary"), id="labels that are text"),
    ],
)
async def test_fault_44_an_error_shows_no_value_of_a_label(fake: Fake, opened: Open, listed: dict[str, object]):
    with pytest.raises(EngineError) as caught:
        await opened((await fake(says(containers(listed)))).endpoint).containers()
    assert "canary" not in "".join(traceback.format_exception(caught.value))


async def test_a_hostile_complaint_is_shown_short_and_printable(fake: Fake, opened: Open):
    complaint = json.dumps({"message": "\x1b[31mred\x07 \u202e" + "z" * 3000}).encode()
    server = await fake(says(response(complaint, status="500 Internal Server Error")))
    with pytest.raises(EngineError, match=re.escape("HTTP status 500: [31mred zzz")) as caught:
        await opened(server.endpoint).containers()
    assert caught.value.http_status == 500
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("field", ["ID", "ServerVersion"])
@pytest.mark.parametrize("value", [None, 5, "x" * 256, "a\0b", "\x1b[0m"])
async def test_an_engine_that_does_not_say_who_it_is_is_unreadable(fake: Fake, opened: Open, field: str, value: object):
    server = await fake(says(response(json.dumps({"ID": "ABCD", "ServerVersion": "20.10"} | {field: value}).encode())))
    with pytest.raises(EngineError) as caught:
        await opened(server.endpoint).identity()
    assert caught.value.reason is EngineReason.ANSWER_UNREADABLE


async def test_an_engine_with_an_empty_id_is_unreadable(fake: Fake, opened: Open):
    server = await fake(says(response(b'{"ID": "", "ServerVersion": "20.10"}')))
    with pytest.raises(EngineError) as caught:
        await opened(server.endpoint).identity()
    assert caught.value.reason is EngineReason.ANSWER_UNREADABLE
