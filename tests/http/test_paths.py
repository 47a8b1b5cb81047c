"""What else may be asked of the port, and what it answers."""

import logging

import pytest

from tests.http.conftest import Port


@pytest.mark.parametrize("path", ["/", "/healthz/", "//healthz", "/HEALTHZ", "/%68ealthz", "/../healthz", "/favicon.ico", "/api/v1", "*"])
async def test_an_unknown_path_is_told_the_known_ones(path: str, port: Port) -> None:
    answer = await port.ask(path, method="OPTIONS" if path == "*" else "GET")
    assert (answer.status, answer.body) == (404, "nothing is here; there are /healthz, /readyz, /metrics\n")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
async def test_only_get_and_head_are_answered(method: str, path: str, port: Port) -> None:
    answer = await port.ask(path, method=method)
    assert (answer.status, answer.body) == (405, "only GET and HEAD are answered\n")
    assert answer.headers["Allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/else"])
async def test_an_answer_is_nobodys_page_and_nothing_to_keep(path: str, port: Port) -> None:
    headers = (await port.ask(path)).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["Server"] == "tinyforge"
    assert headers["Content-Type"].startswith("text/plain")


async def test_a_connection_is_closed_after_its_answer(port: Port) -> None:
    assert (await port.ask("/healthz", Connection="keep-alive")).headers["Connection"] == "close"


async def test_nobody_who_asks_is_logged(port: Port, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.clear()
    for path in ("/healthz", "/metrics", "/else"):
        await port.ask(path)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
