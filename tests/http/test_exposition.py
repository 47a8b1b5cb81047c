"""`/metrics` as a text: who gets which format, and how often it is made."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Gauge
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from tests.http.conftest import Port
from tinyforge.domain.passes import PassOutcome, PassReport
from tinyforge.domain.traces import Traceparent
from tinyforge.http.exposition import Exposition

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"
TEXT = "text/plain; version=0.0.4; charset=utf-8"
OF_PROMETHEUS = (
    "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,"
    "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2"
)


def passed(port: Port) -> None:
    port.metrics.passed("shop", PassReport(host="shop", outcome=PassOutcome.FAILED, reason="Timeout"))
    port.metrics.readings.look_at_kopf(lambda: 3)


async def test_prometheus_gets_openmetrics(port: Port) -> None:
    passed(port)
    answer = await port.ask("/metrics", Accept=OF_PROMETHEUS)
    assert (answer.status, answer.headers["Content-Type"]) == (200, OPENMETRICS)
    families = {family.name: family for family in read_openmetrics(answer.body)}
    assert families["tinyforge_kopf_restarts"].type == "counter"
    assert families["tinyforge_kopf_restarts"].samples[0].value == 3


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text",
        " Application/OpenMetrics-Text ;version=9;q=0.5 , */*",
        "text/plain;q=0.5, application/openmetrics-text;q=0.5",
        "application/openmetrics-text;q=2, text/plain",  # a quality that is none
    ],
)
async def test_who_names_openmetrics_and_likes_it_no_less_gets_it(accept: str, port: Port) -> None:
    assert (await port.ask("/metrics", Accept=accept)).headers["Content-Type"] == OPENMETRICS


async def test_exemplars_are_in_openmetrics_and_in_nothing_else(port: Port) -> None:
    port.metrics.passed("shop", PassReport(host="shop", outcome=PassOutcome.CHANGED, trace=Traceparent("a" * 32, "b" * 16)))
    told = (await port.ask("/metrics", Accept=OF_PROMETHEUS)).body
    (bucket,) = [line for line in told.splitlines() if "trace_id" in line]
    assert bucket.startswith('tinyforge_pass_duration_seconds_bucket{le="0.005"} 1.0 # {trace_id="' + "a" * 32 + '"} 0.0 1')
    samples = (sample for family in read_openmetrics(told) for sample in family.samples)
    assert [dict(sample.exemplar.labels) for sample in samples if sample.exemplar] == [{"trace_id": "a" * 32}]
    text = (await port.ask("/metrics")).body
    assert "tinyforge_pass_duration_seconds_count 1.0" in text
    assert "trace_id" not in text


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        "text/html",
        "text/plain",
        "",
        "application/openmetrics-text;q=0",
        "application/openmetrics-text;q=0.5,text/plain",
        "application/openmetrics-text;version=1.0.0;q=0.499, text/plain;q=0.5",
    ],
)
async def test_everybody_else_gets_the_text_format(accept: str, port: Port) -> None:
    passed(port)
    answer = await port.ask("/metrics", Accept=accept)
    assert (answer.status, answer.headers["Content-Type"]) == (200, TEXT)
    assert 'tinyforge_pass_failures_total{host="shop",reason="Timeout"} 1.0' in answer.lines
    assert {family.name for family in read_text(answer.body)} >= {"tinyforge_pass_failures", "tinyforge_kopf_restarts"}


async def test_head_tells_how_long_they_are(port: Port) -> None:
    answer = await port.ask("/metrics", method="HEAD")
    assert (answer.status, answer.body) == (200, "")
    assert int(answer.headers["Content-Length"]) > 0


@given(accept=st.text() | st.sampled_from(["application/openmetrics-text;version=", "text/plain;version="]).flatmap(
    lambda start: st.text().map(lambda version: start + version)
))  # fmt: skip
def test_any_accept_header_gets_one_of_the_two(accept: str) -> None:
    page = Exposition(CollectorRegistry()).page(accept)
    assert page.content_type in (OPENMETRICS, TEXT)
    assert page.text in (b"# EOF\n", b"")


def test_a_text_is_made_once_a_second_however_often_it_is_asked_for() -> None:
    looks, now = 0, 100.0

    def look() -> float:
        nonlocal looks
        looks += 1
        return looks

    registry = CollectorRegistry()
    Gauge("looks", "How often it was looked at.", registry=registry).set_function(look)
    exposition = Exposition(registry, clock=lambda: now)
    assert {exposition.page("").text for _ in range(1000)} == {exposition.page("").text}
    assert looks == 1
    exposition.page(OPENMETRICS)
    assert looks == 2
    now += 1
    assert b"looks 3.0" in exposition.page("").text
