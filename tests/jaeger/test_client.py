"""Asking a Jaeger: a real one for what it says, and a stand-in for what a real one cannot be made to do."""

import gzip
from base64 import b64encode
from uuid import uuid4

import pytest

from tests.jaeger.standing_in import StandIn, http
from tests.jaeger.telling import error, event, link, span, tell
from tests.servers.jaeger import Jaeger
from tinyforge.jaeger import client
from tinyforge.jaeger.address import JaegerAddress
from tinyforge.jaeger.client import opened_jaeger
from tinyforge.jaeger.errors import JaegerError, TraceNotFound
from tinyforge.jaeger.spans import Trace

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
NOT_FOUND = b'{"error":{"httpCode":404,"message":"trace not found"}}'


async def asked(url: str, trace_id: str = TRACE) -> Trace:
    async with opened_jaeger(JaegerAddress.parse(url)) as jaeger:
        return await jaeger.trace(trace_id)


async def failure(stand_in: StandIn, url: str = "", trace_id: str = TRACE) -> str:
    async with stand_in.running():
        with pytest.raises(JaegerError) as caught:
            await asked(url or stand_in.url, trace_id)
    assert not isinstance(caught.value, TraceNotFound)
    return str(caught.value)


async def test_a_trace_is_what_was_sent(jaeger: Jaeger) -> None:
    ours, other = uuid4().hex, uuid4().hex
    tell(
        jaeger,
        span("workload.dispatch", trace_id=ours, attributes={"tinyforge.epoch": 3}, status=error("Timeout"), links=[link(other, 7)]),
        span("source.reconcile", trace_id=ours, span_id=2, parent=1, events=[event("exception", exception__type="PluginFailed")]),
    )
    trace = await asked(jaeger.url, ours)
    assert trace.root
    assert (trace.root.name, trace.root.failure, trace.root.attributes["tinyforge.epoch"]) == ("workload.dispatch", "Timeout", 3)
    assert [(it.trace_id, it.span_id) for it in trace.root.links] == [(other, f"{7:016x}")]
    (step,) = trace.children(trace.root)
    assert (step.name, step.events[0].attributes) == ("source.reconcile", {"exception.type": "PluginFailed"})


async def test_a_trace_that_it_does_not_have_is_not_found(jaeger: Jaeger) -> None:
    with pytest.raises(TraceNotFound, match=f"Jaeger at {jaeger.url} has no trace {TRACE}"):
        await asked(jaeger.url)


async def test_a_trace_without_spans_is_not_found() -> None:
    async with StandIn(http(b'{"result": {"resourceSpans": []}}')).running() as stand_in:
        with pytest.raises(TraceNotFound):
            await asked(stand_in.url)


async def test_an_id_that_is_none_is_asked_for_and_reaches_nothing_else(jaeger: Jaeger) -> None:
    with pytest.raises(JaegerError):
        await asked(jaeger.url, "../services")
    stand_in = StandIn(http(NOT_FOUND, "404 Not Found"))
    async with stand_in.running():
        with pytest.raises(TraceNotFound):
            await asked(stand_in.url, "../services?x#y")
    assert stand_in.asked[0].startswith("GET /api/v3/traces/..%2Fservices%3Fx%23y HTTP")


async def test_credentials_of_the_address_are_sent_and_shown_nowhere() -> None:
    stand_in = StandIn(http(b"", "401 Unauthorized"))
    async with stand_in.running():
        with pytest.raises(JaegerError) as caught:
            await asked(stand_in.url.replace("//", "//me:hunter%C3%A4@"))
    sent = b64encode("me:hunterä".encode()).decode()
    assert f"Authorization: Basic {sent}" in stand_in.asked[0]
    assert str(caught.value) == f"{stand_in.url} answers HTTP 401: put the right user:password@ before the host in TINYFORGE_JAEGER_URL"


async def test_a_path_before_the_api_is_kept() -> None:
    stand_in = StandIn(http(NOT_FOUND, "404 Not Found"))
    async with stand_in.running():
        with pytest.raises(TraceNotFound):
            await asked(f"{stand_in.url}/jaeger/")
    assert stand_in.asked[0].startswith(f"GET /jaeger/api/v3/traces/{TRACE} HTTP")
    assert "Authorization" not in stand_in.asked[0]


async def test_a_jaeger_that_does_not_run_is_told_with_its_address(own_jaeger: Jaeger) -> None:
    with pytest.raises(JaegerError, match=f"Jaeger at {own_jaeger.url} does not answer: .*; start it, or correct TINYFORGE_JAEGER_URL"):
        await asked(own_jaeger.url)


async def test_the_port_that_takes_traces_is_told_from_the_one_that_is_asked(jaeger: Jaeger) -> None:
    with pytest.raises(JaegerError, match=f"{jaeger.otlp_http} answers HTTP 404, and not as Jaeger's v3 API does: .*16686"):
        await asked(jaeger.otlp_http)


async def test_jaegers_page_for_a_browser_is_no_trace(jaeger: Jaeger) -> None:
    with pytest.raises(JaegerError, match=r"is no trace of Jaeger's v3 API: JSON is malformed: .* with its base path"):
        await asked(f"{jaeger.url}/other")


async def test_what_jaeger_says_of_an_error_is_told_on_one_line() -> None:
    complaint = b'{"error": {"message": "storage\\nis \\u001b[31mdown"}}'
    assert (await failure(StandIn(http(complaint, "500 Oops")))).endswith("answers HTTP 500: storage is [31mdown")


async def test_a_redirect_is_not_followed() -> None:
    assert "answers HTTP 302" in await failure(StandIn(http(b"", "302 Found", Location="http://127.0.0.1:1/login")))


@pytest.mark.parametrize("endless", [http(b"[" * (client.LIMIT + 1)), b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * (client.LIMIT + 1)])
async def test_an_answer_without_end_is_given_up(endless: bytes) -> None:
    assert "answers with more than 8 MiB" in await failure(StandIn(endless))


async def test_a_small_answer_does_not_become_a_large_one() -> None:
    packed = gzip.compress(b"[" * (64 << 20))
    assert "is no trace" in await failure(StandIn(http(packed, Content_Encoding="gzip")))


@pytest.mark.parametrize("beginning", [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n"])
async def test_a_jaeger_that_drips_is_given_up_after_a_while(beginning: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", 0.3)
    assert "did not answer within 0.3s" in await failure(StandIn(beginning, *[b"a: b\r\n"] * 100, pause=0.1))


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-OpenSSH\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", b"\x15\x03\x01\x00\x02\x02\x28"]
)
async def test_what_does_not_speak_http_or_goes_away_is_told_so(answer: bytes) -> None:
    assert "does not answer: " in await failure(StandIn(answer))
